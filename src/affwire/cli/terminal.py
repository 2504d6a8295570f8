"""What every command shares: how it fails in one sentence, where its data goes, how its tables look.

Rule: stdout carries data alone, so that it can be piped; whatever else there is to say goes to stderr.
"""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once

import errno
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
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
"""Columns of what is drawn into a pipe; tables and facts are as wide there as they are."""
GAP: Final = "  "
WRAPPED_MIN: Final = 30
"""Columns below which prose is left to the screen to break."""
UNSEEN: Final[Mapping[int, str]] = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 -- where two digits end
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if code not in {0x09, 0x0A}
}
"""What would move the cursor, colour the screen or turn the writing round: a receiver's answer may hold it."""

USAGE_CODES: Final = frozenset(
    {
        "ambiguous_word",
        "invalid_import",
        "invalid_settings",
        "invalid_url",
        "malformed_assignment",
        "malformed_vectors",
        "master_key_short",
        "new_key_needed",
        "new_key_unreadable",
        "no_header_given",
        "no_key",
        "no_secret_given",
        "no_target",
        "postgres_only",
        "unknown_database",
        "unknown_dialect",
        "unknown_event_type",
        "unreadable_secret",
        "unreadable_vectors",
        "untriggerable_word",
    }
)
"""A wrong setting, option, argument or file. What the machine or the data refuses has failed, however it was called."""

AsJson = Annotated[bool, typer.Option("--json", help="Print the data as JSON.")]


def log_to_stderr() -> None:
    """Have the store's warnings (a database that may lose data, say) leave stdout to the command's data."""
    import structlog

    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


@contextmanager
def sentences() -> Iterator[None]:
    """Turn what goes wrong into one sentence on stderr: exit 2 for a mistake in the call, 1 for what failed."""
    try:
        yield
    except AffwireError as error:
        say(f"affwire: {error if isinstance(error, Broken) else error.sentence}")
        raise typer.Exit(USAGE if error.code in USAGE_CODES else FAILED) from None
    except UnicodeEncodeError:
        say("affwire: What was typed is not text in UTF-8.")
        raise typer.Exit(USAGE) from None
    except OSError as error:
        if error.errno == errno.EPIPE:  # the reader has enough: whoever runs us ends in silence
            raise
        say(f"affwire: {error.strerror or error}" + (f": {error.filename}." if error.filename else "."))
        raise typer.Exit(FAILED) from None


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
    print(visible(line), file=sys.stderr)


def visible(text: str) -> str:
    """Return a text with its control characters, but tabs and ends of lines, as a person can read them."""
    return text.translate(UNSEEN)


def show_line(text: str, style: str = "") -> None:
    """Print a line of data, never broken; a screen may show it in a style."""
    from rich.text import Text

    console().print(Text(visible(text), style=style), soft_wrap=True)


def show_json(data: Any, *, at_once: bool = False) -> None:
    """Print one value as one line of JSON; ASCII, so that no terminal's encoding stands in its way."""
    print(json.dumps(data), flush=at_once)


def console() -> "Console":
    """Return a console on stdout: as wide as the screen, or as a pipe bears."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False, markup=False)


def show_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table without ornament, nothing of it cut or broken; on a screen too narrow for it, a block for each row."""
    from rich.cells import cell_len

    cells = [[_cell(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(headings, *cells, strict=True)]
    if sys.stdout.isatty() and sum(widths) + len(GAP) * (len(widths) - 1) > console().width:
        _show_blocks(headings, cells)
        return
    for style, line in (("bold", headings), *(("", row) for row in cells)):
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        show_line(GAP.join(padded).rstrip(), style)


def show_facts(facts: Sequence[tuple[str, Any]], indent: str = "") -> None:
    """Print names and what they hold, a line each; on a screen, prose is broken between words."""
    width = max((len(name) for name, _ in facts), default=0)
    for name, value in facts:
        show_prose(f"{indent}{name:{width}}{GAP}", _cell(value))


def show_prose(head: str, text: str) -> None:
    """Print a text behind a head, and on a screen its further lines below its first."""
    from textwrap import wrap

    room = console().width - len(head)
    broken = sys.stdout.isatty() and room >= WRAPPED_MIN
    lines = wrap(text, room, break_long_words=False, break_on_hyphens=False) if broken else [text]
    for line in lines or [""]:
        show_line(f"{head}{line}".rstrip())
        head = " " * len(head)


def _show_blocks(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for row in rows:
        show_line(row[0], "bold")
        show_facts([(name, cell) for name, cell in zip(headings[1:], row[1:], strict=True) if cell], GAP)


def _cell(value: Any) -> str:
    if isinstance(value, (dict, list, bool)):
        value = json.dumps(value, ensure_ascii=False)
    return "" if value is None else visible(str(value)).replace("\n", "\\n").replace("\t", " ")


def tell(record: Mapping[str, Any], became: str, *, as_json: bool) -> None:
    """Say in a sentence what became of a record, or print it as JSON."""
    if as_json:
        show_json(record)
    else:
        say(f"{record['id']} {became}")


def show(record: dict[str, Any], *, as_json: bool, form: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Print one record: as JSON, or for a person in a form of its own."""
    if as_json:
        show_json(record)
    else:
        (form or show_record)(record)


def show_record(record: Mapping[str, Any]) -> None:
    """Print the members of one record that hold something, a line each; objects and lists as JSON."""
    show_facts([(name, value) for name, value in record.items() if value not in (None, [], {})])
