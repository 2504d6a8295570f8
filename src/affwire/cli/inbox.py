"""`affwire inbox`: what platforms sent to a running server, byte for byte, and what became of it."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from affwire.cli.registry import ASKS, Cursor, Limit, Set, show_list
from affwire.cli.talking import at, talking
from affwire.cli.terminal import FAILED, AsJson, say, show, show_facts, show_json, show_line, tell

app: Final = typer.Typer(
    no_args_is_help=True, help="The inbox: what platforms sent, and what became of it.", epilog=ASKS
)

MessageId = Annotated[str, typer.Argument(metavar="ID", help="The message's id: msg_...")]
Secret = Annotated[str | None, typer.Option(help="Judge it by this secret, which is not kept.")]
SecretFile = Annotated[Path | None, typer.Option(help="A file that holds the secret.")]


@app.command("list")
def list_messages(
    *,
    status: Annotated[
        str | None, typer.Option(help="received, applied, unchanged, parked, rejected or quarantined.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Of this source: src_...")] = None,
    word: Annotated[str | None, typer.Option(help="Of this word, as the platform calls it.")] = None,
    since: Annotated[str | None, typer.Option(help="Came since then, RFC 3339.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List messages, the newest first.

    Example: affwire inbox list --status parked
    """
    filters = {"status": status, "source_id": source, "word": word, "since": since}
    columns = ("id", "status", "dialect", "word", "received_at", "reason")
    nothing = "There is no such message."
    show_list("/v1/messages", columns, nothing=nothing, as_json=as_json, **filters, limit=limit, cursor=cursor)


@app.command("show")
def show_message(message_id: MessageId, *, as_json: AsJson = False) -> None:
    """Show a message: its headers, its body, what became of it.

    Example: affwire inbox show msg_...
    """
    with talking() as client:
        show(client.get(at("/v1/messages", message_id)), as_json=as_json, form=_show)


@app.command("raw")
def show_raw(message_id: MessageId, *, as_json: AsJson = False) -> None:
    """Write a message's body to stdout, byte for byte as it came.

    Example: affwire inbox raw msg_... | affwire convert --from rewardful --to standard
    """
    with talking() as client:
        if as_json:
            message = client.get(at("/v1/messages", message_id))
            show_json({name: message[name] for name in ("id", "headers", "body", "body_base64")})
            return
        sys.stdout.buffer.write(client.get_bytes(f"{at('/v1/messages', message_id)}/raw"))
        sys.stdout.buffer.flush()


@app.command("reprocess")
def reprocess_message(message_id: MessageId, *, as_json: AsJson = False) -> None:
    """Process a message once more, as if it came now.

    Example: affwire inbox reprocess msg_...
    """
    _act(message_id, "reprocess", as_json=as_json)


@app.command("verify")
def verify_message(
    message_id: MessageId, *, secret: Secret = None, secret_file: SecretFile = None, as_json: AsJson = False
) -> None:
    """Judge a message anew, as at the time it came; exit 1 if it is not genuine.

    Example: affwire inbox verify msg_... --secret-file secret.txt

    A rejected one that is genuine is taken in.
    """
    with talking() as client:
        from affwire.cli.proving import read_secret

        known = secret if secret_file is None else read_secret(secret_file)
        judged = client.post(f"{at('/v1/messages', message_id)}/verify", {"secret": known} if known else {})
        told = "is genuine" if judged["genuine"] else f"is not genuine: {str(judged['doubt']).rstrip('.')}"
        tell(judged, f"{told}; it is {judged['status']}.", as_json=as_json)
        if not judged["genuine"]:
            raise typer.Exit(FAILED)


@app.command("quarantine")
def quarantine_message(message_id: MessageId, *, as_json: AsJson = False) -> None:
    """Set a message aside: neither processed nor forgotten.

    Example: affwire inbox quarantine msg_...
    """
    _act(message_id, "quarantine", as_json=as_json)


@app.command("release")
def release_message(message_id: MessageId, *, as_json: AsJson = False) -> None:
    """Have a quarantined message processed.

    Example: affwire inbox release msg_...
    """
    _act(message_id, "release", as_json=as_json)


@app.command("simulate")
def simulate_message(
    source_id: Annotated[str, typer.Argument(metavar="SOURCE", help="The source's id: src_...")],
    word: Annotated[str | None, typer.Argument(help="One of the dialect's words; else its first.")] = None,
    *,
    secret: Annotated[str | None, typer.Option(help="The source's secret; the server never tells it.")] = None,
    secret_file: SecretFile = None,
    pairs: Set = None,
    as_json: AsJson = False,
) -> None:
    """Send a source a genuine message, as its platform would; exit 1 if it is refused.

    Example: affwire inbox simulate src_... affiliate.created --secret "$SECRET" --set object.email=ada@example.com

    The body is the dialect's sample with ids of its own; --set changes it before it is signed. AFFWIRE_SECRET may hold the
    secret. It is real: a mirror's registry takes it in.
    """
    with talking() as client:
        from affwire.cli.simulating import simulate

        sent = simulate(client, source_id, word, secret=secret, secret_file=secret_file, pairs=pairs or ())
        if as_json:
            show_json(sent)
        elif sent["message"] is None:
            say(f"{sent['word']}: {sent['status_code']} {sent['answer']}")
        else:
            message = sent["message"]
            reason = f" ({message['reason']})" if message["reason"] else ""
            print(message["id"])
            say(f"{sent['word']}: {sent['status_code']}; {message['id']} is {message['status']}{reason}.")
        if not sent["taken"]:
            raise typer.Exit(FAILED)


def _act(message_id: str, action: str, *, as_json: bool) -> None:
    with talking() as client:
        message = client.post(f"{at('/v1/messages', message_id)}/{action}")
        tell(message, f"is {message['status']} now.", as_json=as_json)


def _show(message: dict[str, Any]) -> None:
    apart = {"headers", "body", "body_base64"}
    show_facts([(name, value) for name, value in message.items() if name not in apart and value not in (None, [], {})])
    show_line("")
    for name, value in message["headers"]:
        show_line(f"{name}: {value}")
    show_line("")
    for line in _body(message):
        show_line(line)


def _body(message: dict[str, Any]) -> list[str]:
    if message["body"] is None:
        return ["(what it said is erased)"]
    if message["body_base64"]:
        return [f"(not text; in base64) {message['body']}"]
    try:
        return json.dumps(json.loads(message["body"]), indent=2, ensure_ascii=False).splitlines()
    except (ValueError, RecursionError):
        return str(message["body"]).splitlines()
