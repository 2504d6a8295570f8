"""The live panel of `affwire stats --watch`: rates, times, the queue, and the endpoints in most trouble.

Rule: it only draws intervals as they come, and at 60 columns nothing that matters is cut.
"""

from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from affwire.cli.readings import sparkline
from affwire.cli.terminal import visible

HISTORY: Final = 200
"""Intervals remembered: as many as the widest screen can show."""
WIDTH_MAX: Final = 90
"""On a wider screen a number would stand too far from its name."""
LATE_MS: Final = 60_000
"""What is due for so long is told in colour."""
_FRAME: Final = 4
"""Columns of a panel's borders and padding."""
_LABEL: Final = 12
_COLOURS: Final = {"healthy": "green", "failing": "yellow", "tripped": "red", "paused": "cyan", "disabled": "dim"}

Interval = dict[str, Any]


async def live(intervals: AsyncIterator[Interval], address: str) -> None:
    """Draw intervals as they come, in place."""
    console, history = Console(), deque[float](maxlen=HISTORY)
    with Live(Text("The first interval is being measured ..."), console=console, auto_refresh=False) as screen:
        async for interval in intervals:
            history.append(interval["attempts_per_second"])
            screen.update(frame(interval, list(history), address, console.width), refresh=True)


def frame(interval: Interval, history: list[float], address: str, columns: int) -> RenderableType:
    """Return an interval as it looks on a screen of so many columns."""
    width = min(columns, WIDTH_MAX)
    spark = Text(sparkline(history, width - _FRAME), style="cyan", no_wrap=True, overflow="crop")
    body = Group(_rates(interval), spark, _facts(interval))
    title = Text(f"affwire  {address.partition('://')[2]}  {interval['at'][11:19]} UTC")
    panels = [Panel(body, title=title, border_style="dim", width=width)]
    if interval["worst_endpoints"]:
        trouble = Group(*(line for one in interval["worst_endpoints"] for line in _trouble(one)))
        panels.append(Panel(trouble, title="in most trouble", border_style="dim", width=width))
    return Group(*panels)


def _rates(interval: Interval) -> Table:
    rates = (
        ("events", "events_per_second", ""),
        ("attempts", "attempts_per_second", ""),
        ("delivered", "delivered_per_second", "green"),
        ("failed", "failed_per_second", "red"),
        ("messages in", "messages_per_second", ""),
    )
    cells = [
        (name, Text(f"{interval[key]:,.1f}/s", style=style if interval[key] else "")) for name, key, style in rates
    ]
    cells.append(("in flight", Text(f"{interval['in_flight']:,}")))
    table = Table.grid(expand=True)
    table.add_column(width=_LABEL)
    table.add_column(ratio=1, justify="right", no_wrap=True)
    table.add_column(width=_LABEL + 2)
    table.add_column(ratio=1, justify="right", no_wrap=True)
    for left, right in zip(cells[::2], cells[1::2], strict=True):
        table.add_row(Text(left[0], style="dim"), left[1], Text(f"  {right[0]}", style="dim"), right[1])
    return table


def _facts(interval: Interval) -> Table:
    queue, messages, silent = interval["queue"], interval["messages"], interval["sources"]["silent"]
    late = interval["oldest_due_ms"]
    waits = ", ".join(f"{queue[name]:,} {name}" for name in ("pending", "behind", "held", "leased") if queue[name])
    times = {"commit": "durable", "wait": "lag", "attempt": "attempt", "arrival": "arrival"}
    rows = {
        "queue": Text(waits or "empty"),
        "late": Text(f"the longest by {_duration(late)}", style="yellow" if late > LATE_MS else "")
        if late
        else Text("nothing"),
        "95 % in": Text(", ".join(f"{name} {_duration(interval[f'{key}_p95_ms'])}" for name, key in times.items())),
        "inbox": Text(f"{messages['waiting']:,} waiting, {messages['parked']:,} parked"),
        "endpoints": _states(interval["endpoints"]),
        **({"sources": Text(f"{silent:,} silent", style="yellow")} if silent else {}),
    }
    table = Table.grid(expand=True)
    table.add_column(width=_LABEL)
    table.add_column(ratio=1)
    for name, fact in rows.items():
        table.add_row(Text(name, style="dim"), fact)
    return table


def _states(counts: dict[str, int]) -> Text:
    parts = [Text(f"{count:,} {state}", style=_COLOURS[state]) for state, count in counts.items() if count]
    return Text(", ").join(parts) if parts else Text("none")


def _trouble(one: dict[str, Any]) -> tuple[Text, Text]:
    head = Text(one["endpoint_id"], style="bold", no_wrap=True, overflow="ellipsis")
    head.append(f"  {one['state']}", style=_COLOURS[one["state"]])
    facts = [f"{sum(one['backlog'].values()):,} wait"]
    if one["oldest_due_ms"]:
        facts.append(f"{_duration(one['oldest_due_ms'])} late")
    if one["failures_in_row"]:
        facts.append(f"{one['failures_in_row']:,} failures: {visible(one['last_error'] or '')}")
    return head, Text(f"  {', '.join(facts)}  {visible(one['host'])}", style="dim", no_wrap=True, overflow="ellipsis")


def _duration(ms: float | None) -> str:
    if ms is None:
        return "-"
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if ms >= size:
            return f"{ms / size:.1f} {unit}"
    return f"{ms:.1f} ms"
