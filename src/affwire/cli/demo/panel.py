"""The demo's live panel: actions and their ticks on the left, endpoints on the right, the present action's words below.

Rule: it only looks; every frame is made from the progress and the receiver's mailboxes as they are.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from affwire.cli.demo.a1 import DIALECTS
from affwire.cli.demo.cast import TROUBLED
from affwire.cli.demo.play import Played, Progress, words
from affwire.cli.demo.receiver import HANG, Arrival, Receiver
from affwire.cli.demo.scenario import Step

FRAMES_PER_S: Final = 12
OK: Final = 200
HEIGHT_MAX: Final = 36
"""A taller panel would only show more of what is over."""
RIGHT_WIDTH: Final = 38
_WORDS_HEIGHT: Final = len(DIALECTS) + 2
_ENDPOINTS: Final = (*DIALECTS, *TROUBLED)
_RIGHT_ROWS: Final = len(_ENDPOINTS) + 3
"""A heading, the endpoints, a heading and the last request; a taller screen shows more requests."""

Notes = dict[str, str]
"""What the server says about an endpoint in trouble."""


@contextmanager
def panel(progress: Progress, receiver: Receiver, ask: Callable[[], Notes]) -> Iterator[Callable[[Played], None]]:
    """Show the play on stderr while the block runs; yields what is to be called after each step."""
    console = Console(stderr=True)
    view = _View(console, progress, receiver)

    def step_done(played: Played) -> None:  # noqa: ARG001 -- the progress holds it
        view.notes = ask()

    with Live(get_renderable=view.frame, console=console, refresh_per_second=FRAMES_PER_S, transient=True):
        yield step_done


class _View:
    def __init__(self, console: Console, progress: Progress, receiver: Receiver) -> None:
        self.notes: Notes = {}
        self._console, self._progress, self._receiver = console, progress, receiver

    def frame(self) -> RenderableType:
        """Return the panel as it is now."""
        height, arrivals = min(self._console.height - 1, HEIGHT_MAX), list(self._receiver.arrivals)
        rows = max(height - _WORDS_HEIGHT - 1 - 2, _RIGHT_ROWS)
        sides = Table.grid(expand=True)
        sides.add_column(ratio=1)
        sides.add_column(width=RIGHT_WIDTH)
        left = Panel(self._actions(rows - 1, arrivals), title="what happens", border_style="dim", height=rows + 2)
        heard = Group(_endpoints(arrivals, self.notes), _feed(arrivals[len(_ENDPOINTS) + 2 - rows :]))
        right = Panel(heard, title="who hears of it", border_style="dim", height=rows + 2)
        sides.add_row(left, right)
        return Group(sides, self._words(arrivals), self._bar(arrivals))

    def _actions(self, count: int, arrivals: list[Arrival]) -> Table:
        table = Table.grid(expand=True, padding=(0, 1, 0, 0))
        table.add_column(width=3)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for _ in DIALECTS:
            table.add_column(width=2)
        table.add_row("", "", *(Text(dialect[:2], style="dim") for dialect in DIALECTS))
        current, done = self._progress.current, list(self._progress.done)
        if current and len(done) < len(self._progress.steps) and (not done or done[-1].step is not current):
            news = arrivals[self._progress.since :]
            now = [_line(current, {dialect: words(news, dialect) for dialect in DIALECTS}, running=True)]
        else:
            now = []
        past = [
            _line(played.step, played.heard, failed=bool(played.differences)) for played in done[-(count - len(now)) :]
        ]
        for line in (*past, *now):
            table.add_row(*line)
        return table

    def _words(self, arrivals: list[Arrival]) -> Panel:
        step = self._progress.current or (
            self._progress.done[-1].step if self._progress.done else self._progress.steps[0]
        )
        news = arrivals[self._progress.since :]
        table = Table.grid(expand=True, padding=(0, 2, 0, 0))
        table.add_column(width=16)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for dialect in DIALECTS:
            table.add_row(Text(dialect, style="bold" if step.words[dialect] else "dim"), _said(step, news, dialect))
        return Panel(table, title=f"row {step.row}: {step.title}", title_align="left", border_style="cyan")

    def _bar(self, arrivals: list[Arrival]) -> Table:
        done, total = len(self._progress.done), len(self._progress.steps)
        verified = sum(arrival.heard is not None for arrival in arrivals)
        bar = Table.grid(expand=True, padding=(0, 1))
        bar.add_column(ratio=1)
        bar.add_column(justify="right", no_wrap=True)
        bar.add_row(ProgressBar(total, done), Text(f"{done}/{total} actions, {verified} requests verified"))
        return bar


def _line(
    step: Step, heard: dict[str, tuple[str, ...]], *, running: bool = False, failed: bool = False
) -> list[RenderableType]:
    style = "bold" if running else "red" if failed else ""
    ticks = [_tick(len(step.words[dialect]), len(heard[dialect])) for dialect in DIALECTS]
    return [Text(step.row, style="cyan"), Text(step.title, style=style), *ticks]


def _tick(due: int, heard: int) -> Text:
    """Show how many of the words due have come: a tick for one, a number beside it for more."""
    if due == heard == 0:
        return Text("·", style="dim")
    if heard == due:
        return Text("✓" if due == 1 else f"✓{due}", style="green")
    return Text(f"{heard}/{due}"[:2] if heard > due else "…", style="red" if heard > due else "yellow")


def _said(step: Step, arrivals: list[Arrival], dialect: str) -> Text:
    if not step.words[dialect]:
        return Text("says nothing", style="dim")
    left = Counter(words(arrivals, dialect))
    line = Text()
    for word in step.words[dialect]:
        came = left[word] > 0
        left[word] -= 1
        line.append(f"{'✓' if came else '…'} {word}  ", style="green" if came else "yellow")
    return line


def _endpoints(arrivals: list[Arrival], notes: Notes) -> Table:
    delivered = Counter(arrival.mailbox for arrival in arrivals if arrival.status == OK)
    failed = Counter(arrival.mailbox for arrival in arrivals if arrival.status != OK)
    table = Table.grid(expand=True, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", width=4)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_row(Text("endpoint", style="dim"), Text("got", style="dim"), "")
    for name in _ENDPOINTS:
        note = notes.get(name) or (f"{failed[name]} failed" if failed[name] else "")
        table.add_row(Text(name), Text(str(delivered[name]), style="green"), Text(note, style="yellow"))
    return table


def _feed(arrivals: list[Arrival]) -> Table:
    """Show the last requests, the newest first."""
    table = Table.grid(expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_row(Text("last requests", style="dim"))
    for arrival in reversed(arrivals):
        answer = "  … " if arrival.status == HANG else f"{arrival.status} "
        told = arrival.heard.word if arrival.heard else arrival.wrong
        style = "green" if arrival.status == OK else "yellow"
        table.add_row(Text.assemble((answer, style), (f"{arrival.mailbox} ", "bold"), told))
    return table
