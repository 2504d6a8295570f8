"""Plots as SVG text, drawn here: bars and lines, readable in light and dark, no script, nothing loaded."""

from collections.abc import Mapping, Sequence
from html import escape
from math import floor, log10

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 720, 64, 28, 58, 40
HEIGHT = 320
BAR, GAP, LABELS = 20, 12, 250
COLOURS = ("#2f6fde", "#d9822b", "#3a9b5c", "#9457c2", "#c2455f")
TICKS = 5
STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-size:14px;font-weight:600}.n{fill:#57606a}"
    "line{stroke:#d0d7de}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.n{fill:#9da7b3}line{stroke:#3d444d}}</style>"
)

Bars = Mapping[str, Mapping[str, float]]
"""label -> system -> value"""
Lines = Mapping[str, Sequence[tuple[float, float]]]
"""name -> points"""


def bars(title: str, unit: str, values: Bars) -> str:
    """Return horizontal bars, grouped by label, one colour a system, each with its number."""
    systems = list(dict.fromkeys(system for group in values.values() for system in group))
    most = max((value for group in values.values() for value in group.values()), default=0) or 1
    room, y, parts = WIDTH - LABELS - RIGHT - 70, float(TOP), []
    for label, group in values.items():
        parts.append(_text(LABELS - 8, y + BAR * len(group) / 2 + 4, label, "end"))
        for system, value in group.items():
            wide, colour = max(value / most * room, 1), COLOURS[systems.index(system) % len(COLOURS)]
            parts.append(f'<rect x="{LABELS}" y="{y:.0f}" width="{wide:.1f}" height="{BAR - 3}" fill="{colour}"/>')
            parts.append(_text(LABELS + wide + 6, y + 13, number(value), kind="n"))
            y += BAR
        y += GAP
    return _svg(y, [_title(title, unit), *_legend(systems), *parts])


def lines(title: str, across: str, up: str, values: Lines) -> str:
    """Return lines over a common, linear scale that begins at zero."""
    points = [point for line in values.values() for point in line]
    far = max((x for x, _ in points), default=0) or 1
    high = _round_up(max((y for _, y in points), default=0) or 1)
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    parts = []
    for tick in range(TICKS + 1):
        y = TOP + tall - tall * tick / TICKS
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(LEFT - 6, y + 4, number(high * tick / TICKS), "end", "n"))
        x = LEFT + wide * tick / TICKS
        parts.append(_text(x, HEIGHT - BOTTOM + 16, number(far * tick / TICKS), "middle", "n"))
    for index, line in enumerate(values.values()):
        path = " ".join(f"{LEFT + x / far * wide:.1f},{TOP + tall - y / high * tall:.1f}" for x, y in line)
        colour = COLOURS[index % len(COLOURS)]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    parts.append(_text(WIDTH - RIGHT, HEIGHT - 6, across, "end", "n"))
    return _svg(HEIGHT, [_title(title, up), *_legend(list(values)), *parts])


def number(value: float) -> str:
    """Return a number as people read it: three significant digits, thousands apart."""
    if value == 0:
        return "0"
    digits = max(2 - floor(log10(abs(value))), 0)
    text = f"{round(value, 2 - floor(log10(abs(value)))):,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _round_up(value: float) -> float:
    power = 10 ** floor(log10(value))
    return float(next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value))


def _title(title: str, unit: str) -> str:
    return (
        f'<text class="t" x="8" y="18">{escape(title)}<tspan class="n" font-weight="400"> {escape(unit)}</tspan></text>'
    )


def _legend(names: Sequence[str]) -> list[str]:
    parts, x = [], 8.0
    for index, name in enumerate(names):
        parts.append(f'<rect x="{x:.0f}" y="28" width="10" height="10" fill="{COLOURS[index % len(COLOURS)]}"/>')
        parts.append(_text(x + 14, 37, name))
        x += 30 + 7 * len(name)
    return parts


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(height: float, parts: Sequence[str]) -> str:
    size = f'width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}"'
    return "\n".join((f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>', STYLE, *parts, "</svg>", ""))
