"""What every command shares: how it fails in one sentence, where its data goes, how its tables look.

Rule: stdout carries data alone, so that it can be piped; whatever else there is to say goes to stderr.
"""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from affwire.errors import AffwireError, Broken

if TYPE_CHECKING:
    from rich.console import Console

    from affwire.settings import Settings

FAILED: Final = 1
USAGE: Final = 2
PIPED_WIDTH: Final = 200
"""Columns of a table that goes into a pipe: nothing there is cut short to fit a screen."""

USAGE_CODES: Final = frozenset(
    {
        "invalid_import",
        "invalid_settings",
        "invalid_url",
        "malformed_assignment",
        "malformed_vectors",
        "master_key_short",
        "new_key_needed",
        "new_key_unreadable",
        "no_key",
        "unknown_database",
        "unknown_dialect",
        "unknown_event_type",
        "unreadable_vectors",
    }
)
"""A wrong setting, option, argument or file. What the machine or the data refuses has failed, however it was called."""

AsJson = Annotated[bool, typer.Option("--json", help="Print the data as JSON.")]


@contextmanager
def sentences() -> Iterator[None]:
    """Turn what goes wrong into one sentence on stderr: exit 2 for a mistake in the call, 1 for what failed."""
    try:
        yield
    except AffwireError as error:
        say(f"affwire: {error if isinstance(error, Broken) else error.sentence}")
        raise typer.Exit(USAGE if error.code in USAGE_CODES else FAILED) from None


def settings(**flags: Any) -> "Settings":
    """Return the settings with these flags on top."""
    from affwire.settings import load

    return load(**flags)


def warn_of_unknown_variables() -> None:
    """Tell which AFFWIRE_ variables of the environment nothing reads."""
    from affwire.settings import unknown_variables

    for sentence in unknown_variables():
        say(f"affwire: {sentence}")


def say(line: str) -> None:
    """Tell the person at the terminal something that is no data."""
    print(line, file=sys.stderr)


def show_json(data: Any, *, at_once: bool = False) -> None:
    """Print one value as one line of JSON; ASCII, so that no terminal's encoding stands in its way."""
    print(json.dumps(data), flush=at_once)


def console() -> "Console":
    """Return a console on stdout: as wide as the screen, or as a pipe bears."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False, markup=False)


def show_table(headings: Sequence[str], rows: Sequence[Sequence[Any]], *, whole: Sequence[str] = ()) -> None:
    """Print a table without ornament. Columns named in `whole` (ids) are never cut or broken."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(headings))
    for heading in headings:
        table.add_column(heading, no_wrap=heading in whole, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console().print(table)


def show_record(record: Mapping[str, Any]) -> None:
    """Print the members of one record that hold something, a line each; objects and lists as JSON."""
    rows = [
        (name, json.dumps(value) if isinstance(value, (dict, list)) else value)
        for name, value in record.items()
        if value not in (None, [], {})
    ]
    show_table(("", ""), rows, whole=("",))
