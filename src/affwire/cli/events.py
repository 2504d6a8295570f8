"""The commands about events: why, render, diff, trigger, listen. Only their arguments are here."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

from typing import Annotated

import typer

from affwire.cli import completion
from affwire.cli.endpoints import show_test
from affwire.cli.registry import Set
from affwire.cli.talking import talking
from affwire.cli.terminal import FAILED, USAGE, AsJson, say, sentences, show_json

EventId = Annotated[str, typer.Argument(metavar="EVENT", help="The event's id: evt_...")]
Typed = Annotated[
    str,
    typer.Argument(
        metavar="TYPE", help="A canonical event type, or a word of a dialect.", autocompletion=completion.words
    ),
]
Owner = Annotated[
    str | None,
    typer.Option(help="Whose word it is, where several dialects have it.", autocompletion=completion.dialects),
]
DialectName = Annotated[str | None, typer.Option(help="In this dialect.", autocompletion=completion.dialects)]


def why(
    event_id: EventId,
    endpoint: Annotated[str | None, typer.Option(help="Only at this endpoint: ep_...")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell what became of an event, or why nothing was said.

    Example: affwire why evt_... --endpoint ep_...
    """
    with talking() as client:
        from affwire.cli.why import explain

        explain(client, event_id, endpoint, as_json=as_json)


def render(
    event_id: EventId,
    dialect: DialectName = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="In every dialect.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the requests that would leave for an event.

    Example: affwire render evt_... --dialect growi

    Secrets, and what depends on them, are masked.
    """
    if (dialect is None) != every:
        say("affwire: Name either a --dialect or --all.")
        raise typer.Exit(USAGE)
    with talking() as client:
        from affwire.cli import lens

        lens.render(client, event_id, dialect, as_json=as_json)


def diff(
    event_id: EventId,
    one: Annotated[str, typer.Argument(metavar="DIALECT", help="A dialect.", autocompletion=completion.dialects)],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Another one.", autocompletion=completion.dialects)],
    *,
    as_json: AsJson = False,
) -> None:
    """Compare how two dialects say an event.

    Example: affwire diff evt_... affonso tamio
    """
    with talking() as client:
        from affwire.cli import lens

        lens.diff(client, event_id, one, other, as_json=as_json)


def trigger(
    event_type: Annotated[
        str,
        typer.Argument(
            metavar="TYPE", help="A canonical event type, or a word of a dialect.", autocompletion=completion.words
        ),
    ],
    pairs: Set = None,
    *,
    sample: Annotated[
        bool, typer.Option("--sample", help="Only send the sample of this word to endpoints of its dialect.")
    ] = False,
    dialect: Annotated[
        str | None,
        typer.Option(help="Whose word it is, where several dialects have it.", autocompletion=completion.dialects),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an event happen for real, on records of its own.

    Example: affwire trigger membership.activated --set tag=vip

    What the action needs is created first, with events of its own. --set goes to the record the event is about. A
    dialect's word (affiliate-approved) stands for the event that has it said.
    """
    if sample:
        _send_samples(event_type, dialect, as_json=as_json)
        return
    with sentences():
        from affwire.cli.assignments import assigned
        from affwire.cli.words import meant

        word = meant(event_type, dialect)
        fields = assigned(pairs or (), word.fields)
    with talking() as client:
        from affwire.cli.trigger import trigger as run

        for name, other in word.elsewhere:
            say(f"In {name} this word tells of {other}: --dialect {name} triggers that.")
        done = run(client, word.event_type, fields)
        if as_json:
            show_json(done)
            return
        print(done["event_id"])
        say(f"It was made with {', '.join(done['made'])}. What became of it: affwire why {done['event_id']}")


def _send_samples(word: str, dialect: str | None, *, as_json: bool) -> None:
    with sentences():
        from affwire.cli.spelling import installed_cards
        from affwire.cli.words import owner

        spoken = owner(word, dialect, installed_cards())
    with talking() as client:
        from affwire.cli.trigger import sample as send

        sent = send(client, word, spoken)
        for one in sent:
            show_test(one, as_json=as_json)
        if any(one["outcome"] != "ok" for one in sent):
            raise typer.Exit(FAILED)


def listen(
    dialect: Annotated[
        str, typer.Option(help="Say them in this dialect.", autocompletion=completion.dialects)
    ] = "standard",
    forward_to: Annotated[
        str | None, typer.Option(help="A URL of this laptop: localhost:3000/hooks. Without it: look on.")
    ] = None,
    event_type: Annotated[
        list[str] | None, typer.Option("--events", metavar="TYPE", help="Only these; * at the end; may be repeated.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Hear events as they happen; forward them to this laptop.

    Example: affwire listen --forward-to localhost:3000/hooks --dialect standard

    Requests are signed with a secret that is the same in every run. At a keyboard: r replays the last, d shows it
    whole, q quits.
    """
    with sentences():
        from affwire.cli.laptop import listen as run

        run(dialect, forward_to, tuple(event_type or ()), as_json=as_json)
