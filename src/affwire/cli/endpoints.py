"""`affwire endpoints`: the endpoints of a running server's organization."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

from typing import Annotated, Any, Final

import typer

from affwire.cli.terminal import AsJson, say, sentences, show_json, show_table

app: Final = typer.Typer(no_args_is_help=True, help="List and add endpoints [AFFWIRE_URL, AFFWIRE_API_KEY].")

Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at most.")]


@app.command("list")
def list_endpoints(*, limit: Limit = 50, as_json: AsJson = False) -> None:
    """List the endpoints.

    Example: affwire endpoints list --json
    """
    with sentences():
        from affwire.cli.client import open_client, reading

        with open_client() as client, reading(client):
            page = client.get("/v1/endpoints", limit=limit)
            if as_json:
                show_json(page)
            else:
                _show_page(page, limit)


@app.command("add")
def add_endpoint(
    url: Annotated[str, typer.Argument(help="Where deliveries go: https, and a public address unless allowed.")],
    dialect: Annotated[str, typer.Option(help="The dialect it speaks; `affwire dialects` lists them.")] = "standard",
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
    """Add an endpoint, and print its signing secret this once.

    Example: affwire endpoints add https://hooks.example.com/in --dialect standard --event-type "membership.*"
    """
    wish = {"url": url, "dialect": dialect, "event_types": event_type, "description": description, "secret": secret}
    with sentences():
        from affwire.cli.client import open_client, reading

        with open_client() as client, reading(client):
            made = client.post("/v1/endpoints", {name: value for name, value in wish.items() if value})
            if as_json:
                show_json(made)
            else:
                _show_made(made)


def _show_page(page: dict[str, Any], limit: int) -> None:
    rows = [_row(endpoint) for endpoint in page["data"]]
    more = page["next_cursor"]
    show_table(("id", "dialect", "state", "url"), rows, whole=("id",))
    if more:
        say(f"There are more than {limit}.")


def _show_made(made: dict[str, Any]) -> None:
    print(made["id"])
    if made.get("secret"):
        print(made["secret"])
        say("The second line is the signing secret: keep it now, it is never shown again.")
    if made.get("warning"):
        say(made["warning"])


def _row(endpoint: dict[str, Any]) -> tuple[str, ...]:
    if not endpoint["enabled"]:
        state = f"disabled: {endpoint.get('disabled_reason') or 'by its owner'}"
    else:
        state = "paused" if endpoint["paused"] else "enabled"
    return endpoint["id"], endpoint["dialect"], state, endpoint["url"]
