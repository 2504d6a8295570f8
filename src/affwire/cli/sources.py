"""`affwire sources`: where platforms' webhooks come in to a running server's organization."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from affwire.cli import completion
from affwire.cli.jobs import wish
from affwire.cli.registry import ASKS, Cursor, Limit, Set, show_page
from affwire.cli.talking import at, talking
from affwire.cli.terminal import AsJson, say, sentences, show, show_json, tell

if TYPE_CHECKING:
    from affwire.cli.client import Client

app: Final = typer.Typer(no_args_is_help=True, help="Sources: where platforms' webhooks come in.", epilog=ASKS)

SourceId = Annotated[str, typer.Argument(metavar="ID", help="The source's id: src_...")]
Secret = Annotated[str | None, typer.Option(help="What the platform signs with, or its bearer token.")]
SecretFile = Annotated[Path | None, typer.Option(help="A file that holds the secret.")]
Mode = Annotated[str | None, typer.Option(help="mirror (the registry follows) or relay (events pass on).")]
Match = Annotated[
    str | None, typer.Option(help="email: people are known by address too; id: by the platform's id alone.")
]
Name = Annotated[str | None, typer.Option(help="A name of your own.")]
Unverified = Annotated[bool | None, typer.Option("--unverified/--verified", help="Take what comes without proof.")]
Enabled = Annotated[bool | None, typer.Option(help="Whether it takes anything.")]


@app.command("list")
def list_sources(*, limit: Limit = 50, cursor: Cursor = None, as_json: AsJson = False) -> None:
    """List the sources.

    Example: affwire sources list
    """
    with talking() as client:
        page = client.get("/v1/sources", limit=limit, cursor=cursor)
        if not as_json:
            page = {**page, "data": [{**source, **_summary(source)} for source in page["data"]]}
        nothing = (
            "There is no such source." if cursor else "There is no source yet; make one: affwire sources create DIALECT"
        )
        columns = ("id", "dialect", "mode", "name", "proof", "state", "last_message_at")
        show_page(page, columns, nothing=nothing, as_json=as_json)


@app.command("create")
def create_source(
    dialect: Annotated[str, typer.Argument(help="The platform's dialect.", autocompletion=completion.dialects)],
    *,
    secret: Secret = None,
    secret_file: SecretFile = None,
    mode: Mode = None,
    match: Match = None,
    name: Name = None,
    unverified: Unverified = None,
    pairs: Set = None,
    as_json: AsJson = False,
) -> None:
    """Create a source, and print its id and the URL to paste into the platform's settings.

    Example: affwire sources create rewardful --secret-file secret.txt --mode relay
    """
    given = {
        "dialect": dialect,
        **_fields(pairs, secret, secret_file, mode=mode, match=match, name=name, unverified=unverified),
    }
    with talking() as client:
        made = client.post("/v1/sources", given)
        if as_json:
            show_json(made)
            return
        print(made["id"])
        print(_url(client, made))
        say(f"Paste the URL here: {made['paste']}")
        if made["badge"]["warning"]:
            say(made["badge"]["warning"])


@app.command("show")
def show_source(source_id: SourceId, *, as_json: AsJson = False) -> None:
    """Show a source: its URL, its badge, its rhythm.

    Example: affwire sources show src_...
    """
    with talking() as client:
        source = client.get(at("/v1/sources", source_id))
        whole = {"ingest_url": _url(client, source)} if source["ingest_url"] and not as_json else {}
        show({**source, **whole}, as_json=as_json)


@app.command("update")
def update_source(
    source_id: SourceId,
    *,
    secret: Secret = None,
    secret_file: SecretFile = None,
    mode: Mode = None,
    match: Match = None,
    name: Name = None,
    unverified: Unverified = None,
    enabled: Enabled = None,
    pairs: Set = None,
    as_json: AsJson = False,
) -> None:
    """Change a source: only what is named.

    Example: affwire sources update src_... --mode relay

    A new secret replaces the old at once; `rotate` lets both verify for a while.
    """
    fields = _fields(
        pairs, secret, secret_file, mode=mode, match=match, name=name, unverified=unverified, enabled=enabled
    )
    with talking() as client:
        tell(client.patch(at("/v1/sources", source_id), fields), "is as you wish.", as_json=as_json)


@app.command("delete")
def delete_source(source_id: SourceId, *, as_json: AsJson = False) -> None:
    """Delete a source: its URL is unknown at once, what it brought stays.

    Example: affwire sources delete src_...
    """
    with talking() as client:
        client.delete(at("/v1/sources", source_id))
        tell({"id": source_id, "deleted": True}, "is gone.", as_json=as_json)


@app.command("rotate")
def rotate_source(
    source_id: SourceId,
    *,
    secret: Secret = None,
    secret_file: SecretFile = None,
    overlap_seconds: Annotated[int | None, typer.Option(min=0, help="How long the old secret verifies too.")] = None,
    new_url: Annotated[bool, typer.Option("--new-url", help="Give it a new URL; the old one ends at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a source the platform's new secret, or a new URL.

    Example: affwire sources rotate src_... --secret-file new.txt --overlap-seconds 86400
    """
    fields = _fields(None, secret, secret_file, overlap_seconds=overlap_seconds, new_url=new_url or None)
    with talking() as client:
        source = client.post(f"{at('/v1/sources', source_id)}/rotate", fields)
        if as_json:
            show_json(source)
            return
        if new_url:
            print(_url(client, source))
        say(f"{source['id']} takes what {len(source['secrets'])} secrets sign.")


def _fields(pairs: list[str] | None, secret: str | None, file: Path | None, **fields: Any) -> dict[str, Any]:
    """Return what was typed; a secret in a file is read, and only its last newline is no part of it."""
    with sentences():
        from affwire.cli.assignments import assigned
        from affwire.cli.proving import read_secret

        known = secret if file is None else read_secret(file)
        return assigned(pairs or (), wish(**fields, secret=known))


def _url(client: "Client", source: dict[str, Any]) -> str:
    """Return the ingest URL whole; a server that was not told its own address answers a path."""
    url = str(source["ingest_url"])
    return client.address + url if url.startswith("/") else url


def _summary(source: dict[str, Any]) -> dict[str, Any]:
    silent = f"silent since {source['silent_since']}" if source["silent_since"] else "enabled"
    return {"proof": source["badge"]["authenticity"], "state": silent if source["enabled"] else "disabled"}
