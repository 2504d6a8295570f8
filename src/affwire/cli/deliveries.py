"""`affwire deliveries`: what is on its way from a running server, what arrived, and every attempt of one."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

from typing import Annotated, Any, Final

import typer

from affwire.cli.endpoints import Limit
from affwire.cli.terminal import AsJson, console, say, sentences, show_json, show_table

app: Final = typer.Typer(no_args_is_help=True, help="List, show and replay deliveries [AFFWIRE_URL, AFFWIRE_API_KEY].")

DeliveryId = Annotated[str, typer.Argument(help="The delivery's id: dlv_...")]


@app.command("list")
def list_deliveries(
    status: Annotated[
        str | None, typer.Option(help="pending, held, leased, delivered, exhausted or cancelled.")
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="Of this endpoint: ep_...")] = None,
    event: Annotated[str | None, typer.Option(help="Of this event: evt_...")] = None,
    limit: Limit = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List deliveries, the newest first.

    Example: affwire deliveries list --status exhausted
    """
    with sentences():
        from affwire.cli.client import open_client, reading

        with open_client() as client, reading(client):
            page = client.get("/v1/deliveries", status=status, endpoint_id=endpoint, event_id=event, limit=limit)
            if as_json:
                show_json(page)
            else:
                _show_page(page, limit)


@app.command("show")
def show_delivery(delivery_id: DeliveryId, *, as_json: AsJson = False) -> None:
    """Show one delivery: every attempt in order, its request and the answer to it.

    Example: affwire deliveries show dlv_...
    """
    with sentences():
        from affwire.cli.client import at, open_client, reading

        with open_client() as client, reading(client):
            delivery = client.get(at("/v1/deliveries", delivery_id))
            if as_json:
                show_json(delivery)
            else:
                _show(delivery)


@app.command("replay")
def replay_delivery(delivery_id: DeliveryId, *, as_json: AsJson = False) -> None:
    """Send a delivery again: same event id, attempts counted on.

    Example: affwire deliveries replay dlv_...
    """
    with sentences():
        from affwire.cli.client import at, open_client, reading

        with open_client() as client, reading(client):
            delivery = client.post(f"{at('/v1/deliveries', delivery_id)}/replay")
            if as_json:
                show_json(delivery)
            else:
                say(f"{delivery['id']} is sent again; it is {delivery['status']} now.")


def _show_page(page: dict[str, Any], limit: int) -> None:
    rows = [_row(delivery) for delivery in page["data"]]
    more = page["next_cursor"]
    show_table(("id", "status", "tries", "word", "endpoint", "reason"), rows, whole=("id", "status"))
    if more:
        say(f"There are more than {limit}.")


def _row(delivery: dict[str, Any]) -> tuple[Any, ...]:
    names = ("attempts_made", "word", "endpoint_id", "reason")
    return (delivery["id"], delivery["status"], *(delivery.get(name) for name in names))


def _show(delivery: dict[str, Any]) -> None:
    names = (
        "id",
        "status",
        "reason",
        "word",
        "subject_id",
        "event_type",
        "event_id",
        "endpoint_id",
        "created_at",
        "due_at",
    )
    show_table(("", ""), [(name, delivery[name]) for name in names if delivery.get(name)], whole=("",))
    for attempt in delivery["attempts"]:
        _show_attempt(attempt)


def _show_attempt(attempt: dict[str, Any]) -> None:
    timings = attempt["timings"] or {}
    took = ", ".join(
        f"{name.removesuffix('_ms')} {value:.1f} ms" for name, value in timings.items() if value is not None
    )
    outcome = attempt["status_code"] or attempt["error"] or ""
    out = console()
    out.print(
        f"\nattempt {attempt['number']}  {attempt['started_at']}  {attempt['outcome']} {outcome}  {took}", style="bold"
    )
    if attempt["detail"]:
        out.print(f"  {attempt['detail']}", soft_wrap=True)
    for side in ("request", "response"):
        if attempt[side]:
            _show_message(side, attempt[side])


def _show_message(side: str, message: dict[str, Any]) -> None:
    out = console()
    out.print(f"  {side} {message.get('url') or message.get('status')}", style="cyan", soft_wrap=True)
    for name, value in message["headers"]:
        out.print(f"    {name}: {value}", soft_wrap=True)
    if message["body"]:
        out.print(f"    {message['body']}", soft_wrap=True)
