"""The second act: every platform's message crosses, shown as a picture of what came in on the left and went out on the right.

Rule: it only looks; every frame is made from the crossings as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from affwire.cli.client import Client
from affwire.cli.demo.crossing import CROSSINGS, REFUSED, TAKEN, Crossed, cross
from affwire.cli.demo.panel import FRAMES_PER_S
from affwire.cli.demo.receiver import Receiver
from affwire.cli.terminal import say

TITLE: Final = "what platforms send comes in, and goes out in another dialect"
_ARROWS: Final = {"relay": "relay ─▶", "mirror": "mirror ▶"}


def play(operator: Client, receiver: Receiver, *, pace_s: float, watched: bool) -> list[Crossed]:
    """Let every platform's message cross, on a live picture or as lines; return how each went."""
    going = [Crossed(crossing) for crossing in CROSSINGS]
    with _picture(going) if watched else _lines(going) as changed:
        for crossed in going:
            cross(crossed, operator, receiver, pace_s=pace_s, changed=changed)
    return going


def table(going: Sequence[Crossed]) -> Table:
    """Return the picture: what came in, how it was taken, what went out, and what became of a forgery and a repeat."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    for heading in ("came in", "", "went out", "proof"):
        grid.add_column(no_wrap=True, header=heading)
    grid.add_row(*(Text(str(column.header), style="dim") for column in grid.columns))
    for crossed in going:
        grid.add_row(*_row(crossed))
    return grid


@contextmanager
def _picture(going: Sequence[Crossed]) -> Iterator[Callable[[], None]]:
    console = Console(stderr=True)

    def frame() -> Panel:
        return Panel(table(going), title=TITLE, border_style="cyan", expand=False)

    with Live(get_renderable=frame, console=console, refresh_per_second=FRAMES_PER_S, transient=True):
        yield lambda: None


@contextmanager
def _lines(going: Sequence[Crossed]) -> Iterator[Callable[[], None]]:
    told: list[Crossed] = []

    def changed() -> None:
        for crossed in going[len(told) :]:
            if crossed.is_over:
                told.append(crossed)
                say(_line(crossed))

    yield changed


def _line(crossed: Crossed) -> str:
    one, verdict = crossed.crossing, "WRONG" if crossed.differences else "ok"
    forged = "" if crossed.forged is None else f"; forged: {crossed.forged}"
    return (
        f"{verdict:5} in  {one.platform + ' ' + one.word:38} {one.mode} -> {one.dialect}: "
        f"{', '.join(crossed.heard)}{forged}; {_times(crossed)}"
    )


def _row(crossed: Crossed) -> list[Text]:
    one = crossed.crossing
    began = crossed.taken is not None or crossed.forged is not None
    came = Text.assemble((one.platform, "bold" if began else "dim"), "\n", (one.word, _style(crossed.taken, TAKEN)))
    arrow = Text(_ARROWS[one.mode], style="cyan" if crossed.taken == TAKEN else "dim")
    return [came, arrow, _out(crossed), _proof(crossed)]


def _out(crossed: Crossed) -> Text:
    one = crossed.crossing
    out = Text(one.dialect, style="bold" if crossed.heard else "dim")
    for place, word in enumerate(one.words):
        came = crossed.heard[place : place + 1] == (word,)
        out.append(f"\n{'✓' if came else '…'} {word}", style="green" if came else "dim")
    return out


def _proof(crossed: Crossed) -> Text:
    """Tell what a forgery was answered, and how often what came twice was applied."""
    unsigned = crossed.forged is None and crossed.taken is not None
    told = "unsigned" if unsigned else f"forged: {crossed.forged}" if crossed.forged else ""
    proof = Text(told, style="dim" if unsigned else _style(crossed.forged, REFUSED))
    return proof.append(f"\n{_times(crossed)}" if crossed.is_over else "", "red" if crossed.differences else "green")


def _times(crossed: Crossed) -> str:
    """Tell how often what was sent twice was applied."""
    count = crossed.messages.get("applied", 0)
    return "twice: once" if count == 1 else f"twice: {count} x"


def _style(status: int | None, due: int) -> str:
    return "dim" if status is None else "green" if status == due else "red"
