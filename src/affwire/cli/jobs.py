"""What the commands that start a job share: a span of time, a rate, a look beforehand, and how they tell of the job."""

from typing import Annotated, Any

import typer

from affwire.cli.terminal import say, show_json

Since = Annotated[str | None, typer.Option(help="From then on, RFC 3339.")]
Until = Annotated[str | None, typer.Option(help="To before then, RFC 3339; else to now.")]
Rate = Annotated[float | None, typer.Option(help="Deliveries a second at most.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count; nothing is sent.")]


def wish(**given: Any) -> dict[str, Any]:
    """Return what was given."""
    return {name: value for name, value in given.items() if value is not None}


def show_job(told: dict[str, Any], *, as_json: bool) -> None:
    """Print the job that was started: its id alone, or how many a dry run counts."""
    if as_json:
        show_json(told)
    elif told.get("dry_run"):
        print(told["total"])
        say("So many deliveries would be sent; nothing was.")
        if told.get("arrived"):
            say(
                f"{told['arrived']} of them had arrived already: they keep their ids, and are pending until they arrive again."
            )
    else:
        print(told["id"])
        say(f"{told['total']} in view. How far it is: affwire jobs get {told['id']}")
