"""`affwire endpoints`: the endpoints of a running server's organization."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from affwire.cli import completion
from affwire.cli.jobs import DryRun, Rate, Until, show_job, wish
from affwire.cli.nouns import ENDPOINTS
from affwire.cli.registry import ASKS, Cursor, Limit, add_commands, show_page
from affwire.cli.talking import at, talking
from affwire.cli.terminal import FAILED, AsJson, say, show, show_json, tell

if TYPE_CHECKING:
    from affwire.cli.client import Client

app: Final = typer.Typer(no_args_is_help=True, help="Endpoints: where deliveries go.", epilog=ASKS)

Spoken = Annotated[
    str,
    typer.Option(help="The dialect it speaks; `affwire dialects` lists them.", autocompletion=completion.dialects),
]
EndpointId = Annotated[str, typer.Argument(metavar="ID", help="The endpoint's id: ep_...")]


@app.command("list")
def list_endpoints(*, limit: Limit = 50, cursor: Cursor = None, as_json: AsJson = False) -> None:
    """List the endpoints.

    Example: affwire endpoints list --json
    """
    with talking() as client:
        page = client.get("/v1/endpoints", limit=limit, cursor=cursor)
        if not as_json:
            page = {**page, "data": [{**endpoint, "state": _state(client, endpoint)} for endpoint in page["data"]]}
        nothing = (
            "There is no such endpoint." if cursor else "There is no endpoint yet; make one: affwire endpoints add URL"
        )
        show_page(page, ("id", "dialect", "state", "url"), nothing=nothing, as_json=as_json)


@app.command("add")
def add_endpoint(
    url: Annotated[str, typer.Argument(help="Where deliveries go: https, and a public address unless allowed.")],
    dialect: Annotated[
        str,
        typer.Option(help="The dialect it speaks; `affwire dialects` lists them.", autocompletion=completion.dialects),
    ] = "standard",
    event_type: Annotated[
        list[str] | None, typer.Option(help="Only this event; may be repeated, * at the end.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="A note of your own.")] = None,
    secret: Annotated[
        str | None, typer.Option(help="The signing secret; else a dialect that signs gets a new one.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Add an endpoint, and print its signing secret.

    Example: affwire endpoints add https://hooks.example.com/in --dialect standard --event-type "membership.*"
    """
    fields = {"url": url, "dialect": dialect, "event_types": event_type, "description": description, "secret": secret}
    with talking() as client:
        wished = {name: value for name, value in fields.items() if value}
        show(client.post("/v1/endpoints", wished), as_json=as_json, form=_show_made)


add_commands(app, ENDPOINTS)


@app.command("pause")
def pause_endpoint(endpoint_id: EndpointId, *, as_json: AsJson = False) -> None:
    """Pause an endpoint: what is said to it is made and waits.

    Example: affwire endpoints pause ep_...
    """
    _set_paused(endpoint_id, paused=True, as_json=as_json)


@app.command("resume")
def resume_endpoint(endpoint_id: EndpointId, *, as_json: AsJson = False) -> None:
    """Resume an endpoint: what waited for it goes out.

    Example: affwire endpoints resume ep_...
    """
    _set_paused(endpoint_id, paused=False, as_json=as_json)


@app.command("rotate")
def rotate_endpoint(
    endpoint_id: EndpointId,
    overlap_seconds: Annotated[
        int | None, typer.Option(min=0, help="How long the old secret signs too, where the dialect has room for it.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Give an endpoint a new secret, and print it this once.

    Example: affwire endpoints rotate ep_... --overlap-seconds 86400
    """
    with talking() as client:
        endpoint = client.post(f"{at('/v1/endpoints', endpoint_id)}/rotate", wish(overlap_seconds=overlap_seconds))
        if as_json:
            show_json(endpoint)
        else:
            print(endpoint["secret"])
            say("This is the new signing secret: keep it now, it is never shown again.")


@app.command("test")
def send_sample(
    endpoint_id: EndpointId,
    word: Annotated[str | None, typer.Option(help="One of the dialect's words; else its first.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send a signed sample to an endpoint; exit 1 if it is refused.

    Example: affwire endpoints test ep_... --word affiliate.created
    """
    with talking() as client:
        sent = client.post(f"{at('/v1/endpoints', endpoint_id)}/test", {"word": word} if word else {})
        show_test(sent, as_json=as_json)
        if sent["outcome"] != "ok":
            raise typer.Exit(FAILED)


@app.command("recover")
def recover_endpoint(
    endpoint_id: EndpointId,
    since: Annotated[str, typer.Option(help="From then on, RFC 3339.")],
    *,
    until: Until = None,
    rate: Rate = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Tell an endpoint what it missed.

    Example: affwire endpoints recover ep_... --since 2026-01-31T22:00:00Z --dry-run

    That is what failed, and what it was never told but wants now. It is a job of its own, behind first tries.
    """
    with talking() as client:
        body = {**wish(since=since, until=until, rate_per_second=rate), "dry_run": dry_run}
        show_job(client.post(f"{at('/v1/endpoints', endpoint_id)}/recover", body), as_json=as_json)


@app.command("health")
def show_health(
    endpoint_id: EndpointId,
    hours: Annotated[int, typer.Option(min=1, max=168, help="Count the attempts of so many hours back.")] = 24,
    *,
    as_json: AsJson = False,
) -> None:
    """Show how an endpoint does: success, times, backlog.

    Example: affwire endpoints health ep_...
    """
    with talking() as client:
        show(client.get(f"{at('/v1/endpoints', endpoint_id)}/health", hours=hours), as_json=as_json)


def show_test(sent: dict[str, Any], *, as_json: bool) -> None:
    """Print how a test send went."""
    if as_json:
        show_json(sent)
        return
    came = sent["status_code"] or f"{sent['error']}: {sent['detail']}"
    took = (sent["timings"] or {}).get("total_ms") or 0
    print(f"{sent['endpoint_id']}  {sent['dialect']}  {sent['word']}  {came}  {took:.0f} ms  {sent['outcome']}")


def _set_paused(endpoint_id: str, *, paused: bool, as_json: bool) -> None:
    with talking() as client:
        endpoint = client.patch(at("/v1/endpoints", endpoint_id), {"paused": paused})
        tell(endpoint, f"is {_state(client, endpoint)} now.", as_json=as_json)


def _show_made(made: dict[str, Any]) -> None:
    print(made["id"])
    if made.get("secret"):
        print(made["secret"])
        say("The second line is the signing secret: keep it now, it is never shown again.")
    if made.get("warning"):
        say(made["warning"])


def _state(client: "Client", endpoint: dict[str, Any]) -> str:
    """Return what its health says it is, and of a disabled one why: the record itself says only what its owner set."""
    health: dict[str, Any] = client.get(f"{at('/v1/endpoints', endpoint['id'])}/health")
    if health["state"] != "disabled":
        return str(health["state"])
    return f"disabled: {endpoint['disabled_reason'] or 'by its owner'}"
