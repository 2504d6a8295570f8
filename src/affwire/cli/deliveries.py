"""`affwire deliveries`: what is on its way from a running server, what arrived, and every attempt of one."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

from contextlib import suppress
from typing import Annotated, Any, Final

import typer

from affwire.cli.jobs import DryRun, Rate, Since, Until, show_job, wish
from affwire.cli.registry import ASKS, Cursor, Limit, show_list
from affwire.cli.talking import at, talking
from affwire.cli.terminal import USAGE, AsJson, say, sentences, show, show_facts, show_line, tell

app: Final = typer.Typer(no_args_is_help=True, help="Deliveries: what is on its way, what became of it.", epilog=ASKS)

DeliveryId = Annotated[str, typer.Argument(help="The delivery's id: dlv_...")]


@app.command("list")
def list_deliveries(
    *,
    status: Annotated[
        str | None, typer.Option(help="pending, held, leased, delivered, exhausted or cancelled.")
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="Of this endpoint: ep_...")] = None,
    event: Annotated[str | None, typer.Option(help="Of this event: evt_...")] = None,
    since: Annotated[str | None, typer.Option(help="Made since then, RFC 3339.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List deliveries, the newest first.

    Example: affwire deliveries list --status exhausted
    """
    filters = {"status": status, "endpoint_id": endpoint, "event_id": event, "since": since}
    columns = ("id", "status", "attempts_made", "word", "endpoint_id", "reason")
    nothing = "There is no such delivery."
    show_list("/v1/deliveries", columns, nothing=nothing, as_json=as_json, **filters, limit=limit, cursor=cursor)


@app.command("show")
def show_delivery(delivery_id: DeliveryId, *, as_json: AsJson = False) -> None:
    """Show one delivery: every attempt in order, its request and the answer to it.

    Example: affwire deliveries show dlv_...
    """
    with talking() as client:
        show(client.get(at("/v1/deliveries", delivery_id)), as_json=as_json, form=_show)


@app.command("replay")
def replay_deliveries(
    delivery_id: Annotated[str | None, typer.Argument(metavar="ID", help="One delivery: dlv_...")] = None,
    *,
    status: Annotated[str | None, typer.Option(help="Many: those exhausted, cancelled, delivered or pending.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Many: of this endpoint.")] = None,
    event: Annotated[str | None, typer.Option(help="Many: of this event.")] = None,
    since: Since = None,
    until: Until = None,
    rate: Rate = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Send a delivery again, or many: same event ids, attempts counted on.

    Example: affwire deliveries replay --status exhausted --since 2026-01-31T22:00:00Z --rate 50 --dry-run

    Many are a job of their own: they go out behind first tries. Without a status: those exhausted or cancelled.
    """
    filters = wish(status=status, endpoint_id=endpoint, event_id=event, since=since, until=until)
    if (delivery_id is None) != bool(filters):
        say("affwire: Name either a delivery, or which ones by --status, --endpoint, --event, --since or --until.")
        raise typer.Exit(USAGE)
    with talking() as client:
        if delivery_id is None:
            body = {**filters, **wish(rate_per_second=rate), "dry_run": dry_run}
            show_job(client.post("/v1/deliveries/replay", body), as_json=as_json)
            return
        delivery = client.post(f"{at('/v1/deliveries', delivery_id)}/replay")
        tell(delivery, f"is sent again; it is {delivery['status']} now.", as_json=as_json)


@app.command("cancel")
def cancel_delivery(delivery_id: DeliveryId, *, as_json: AsJson = False) -> None:
    """Cancel a delivery that waits.

    Example: affwire deliveries cancel dlv_...
    """
    with talking() as client:
        delivery = client.post(f"{at('/v1/deliveries', delivery_id)}/cancel")
        tell(delivery, f"is {delivery['status']} now.", as_json=as_json)


@app.command("tail")
def tail_deliveries(
    endpoint: Annotated[str | None, typer.Option(help="Of this endpoint: ep_...")] = None,
    status: Annotated[str | None, typer.Option(help="Only those that became: delivered, exhausted, ...")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Follow deliveries: a line for every attempt, until Ctrl-C.

    Example: affwire deliveries tail --endpoint ep_...
    """
    with sentences(), suppress(KeyboardInterrupt):
        import asyncio

        from affwire.cli.tail import tail

        asyncio.run(tail(endpoint=endpoint, status=status, as_json=as_json))


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
    show_facts([(name, delivery[name]) for name in names if delivery.get(name)])
    for attempt in delivery["attempts"]:
        _show_attempt(attempt)


def _show_attempt(attempt: dict[str, Any]) -> None:
    timings = attempt["timings"] or {}
    took = ", ".join(
        f"{name.removesuffix('_ms')} {value:.1f} ms" for name, value in timings.items() if value is not None
    )
    outcome = attempt["status_code"] or attempt["error"] or ""
    show_line("")
    show_line(
        f"attempt {attempt['number']}  {attempt['started_at']}  {attempt['outcome']} {outcome}  {took}".rstrip(), "bold"
    )
    if attempt["detail"]:
        show_line(f"  {attempt['detail']}")
    for side in ("request", "response"):
        if attempt[side]:
            _show_message(side, attempt[side])


def _show_message(side: str, message: dict[str, Any]) -> None:
    show_line(f"  {side} {message.get('url') or message.get('status')}", "cyan")
    for name, value in message["headers"]:
        show_line(f"    {name}: {value}")
    for line in (message["body"] or "").splitlines():
        show_line(f"    {line}")
