"""The commands about events: why, render, diff, trigger, listen. Only their arguments are here."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

from typing import Annotated

import typer

from affwire.cli.endpoints import show_test
from affwire.cli.registry import Set
from affwire.cli.terminal import FAILED, USAGE, AsJson, say, sentences, show_json

EventId = Annotated[str, typer.Argument(metavar="EVENT", help="The event's id: evt_...")]
DialectName = Annotated[str | None, typer.Option(help="In this dialect.")]


def why(
    event_id: EventId,
    endpoint: Annotated[str | None, typer.Option(help="Only at this endpoint: ep_...")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell what became of an event at every endpoint, or why nothing was said.

    Example: affwire why evt_... --endpoint ep_...
    """
    with sentences():
        from affwire.cli.client import open_client, reading
        from affwire.cli.why import explain

        with open_client() as client, reading(client):
            explain(client, event_id, endpoint, as_json=as_json)


def render(
    event_id: EventId,
    dialect: DialectName = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="In every dialect.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the requests that would leave for an event, headers and body.

    Example: affwire render evt_... --dialect growi

    Secrets, and what depends on them, are masked.
    """
    if (dialect is None) != every:
        say("affwire: Name either a --dialect or --all.")
        raise typer.Exit(USAGE)
    with sentences():
        from affwire.cli import lens
        from affwire.cli.client import open_client, reading

        with open_client() as client, reading(client):
            lens.render(client, event_id, dialect, as_json=as_json)


def diff(
    event_id: EventId,
    one: Annotated[str, typer.Argument(metavar="DIALECT", help="A dialect.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Another one.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Compare how two dialects say an event.

    Example: affwire diff evt_... affonso tamio
    """
    with sentences():
        from affwire.cli import lens
        from affwire.cli.client import open_client, reading

        with open_client() as client, reading(client):
            lens.diff(client, event_id, one, other, as_json=as_json)


def trigger(
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="A canonical event type, or a word of a dialect.")],
    pairs: Set = None,
    *,
    sample: Annotated[
        bool, typer.Option("--sample", help="Only send the sample of this word to endpoints of a --dialect.")
    ] = False,
    dialect: Annotated[str, typer.Option(help="With --sample: the dialect.")] = "standard",
    as_json: AsJson = False,
) -> None:
    """Make an event happen for real, on records made for it alone.

    Example: affwire trigger membership.activated --set tag=vip

    What the action needs is created first, with events of its own. --set goes to the record the event is about.
    """
    with sentences():
        from affwire.cli.assignments import assigned
        from affwire.cli.client import open_client, reading
        from affwire.cli.trigger import trigger as run

        if sample:
            _send_samples(event_type, dialect, as_json=as_json)
            return
        fields = assigned(pairs or ())
        with open_client() as client, reading(client):
            done = run(client, event_type, fields)
        if as_json:
            show_json(done)
            return
        print(done["event_id"])
        say(f"It was made with {', '.join(done['made'])}. What became of it: affwire why {done['event_id']}")


def _send_samples(word: str, dialect: str, *, as_json: bool) -> None:
    from affwire.cli.client import open_client, reading
    from affwire.cli.trigger import sample as send

    with open_client() as client, reading(client):
        sent = send(client, word, dialect)
        for one in sent:
            show_test(one, as_json=as_json)
    if any(one["outcome"] != "ok" for one in sent):
        raise typer.Exit(FAILED)


def listen(
    dialect: Annotated[str, typer.Option(help="Say them in this dialect.")] = "standard",
    forward_to: Annotated[
        str | None, typer.Option(help="A URL of this laptop: localhost:3000/hooks. Without it: look on.")
    ] = None,
    event_type: Annotated[
        list[str] | None, typer.Option("--events", metavar="TYPE", help="Only these; * at the end; may be repeated.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Hear events as they happen, and forward them to a server on this laptop.

    Example: affwire listen --forward-to localhost:3000/hooks --dialect standard

    Requests are signed with a secret that is the same in every run. At a keyboard: r replays the last, d shows it
    whole, q quits.
    """
    with sentences():
        from affwire.cli.laptop import listen as run

        run(dialect, forward_to, tuple(event_type or ()), as_json=as_json)
