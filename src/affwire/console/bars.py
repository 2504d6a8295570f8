"""A chart of attempts over time: bars by outcome, an axis of counts, an axis of times, and the same in numbers.

The picture is SVG made on the server; what stands around it is text, which `ui.chart` writes: it is never stretched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from affwire.console.words import Words

WIDTH: Final = 720
HEIGHT: Final = 120
QUARTERS: Final = 4
_GAP: Final = 2
LEAST: Final = 3
"""How high anything above zero is drawn: one failure among thousands is seen."""
_ROUND: Final = (1, 2, 4, 6, 8, 10)
"""First digits of the number at the top: each but 1 has a whole half."""
_STRIPES: Final = Markup(
    '<defs><pattern id="stripes" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<rect class="fill-failed" width="5" height="5"/><rect class="fill-gap" width="5" height="1.6"/></pattern></defs>'
)
"""Failures are told by their stripes, what is unknown by being hollow: not by colour alone."""


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart: its picture, the counts and times at its axes, and its numbers. Times in ms.

    `counts`: from the top of the picture to its bottom. `begins`: when each quarter begins. `numbers`: the pieces that
    have any, the newest first.
    """

    title: str
    picture: Markup
    counts: tuple[int, ...]
    begins: tuple[str, ...]
    piece_ms: int
    totals: Mapping[str, int]
    numbers: Sequence[tuple[int, Mapping[str, int]]]


def bars(series: Mapping[str, Sequence[int]], *, title: str, since: int, span_ms: int, words: Words) -> Bars:
    """Return the chart of counts by outcome, drawn from the bottom up in their order; `since` is where it begins."""
    pieces = [dict(zip(series, counts, strict=True)) for counts in zip(*series.values(), strict=True)]
    top, piece_ms = rounded(max((sum(one.values()) for one in pieces), default=0)), span_ms // max(len(pieces), 1)
    numbers = [(since + nth * piece_ms, one) for nth, one in enumerate(pieces) if any(one.values())]
    stacks = (_stack(one, (at - since) // piece_ms, WIDTH / len(pieces), top, words.time(at)) for at, one in numbers)
    totals = {name: sum(values) for name, values in series.items()}
    return Bars(
        title=title,
        picture=_picture(Markup().join(stacks), title, told(totals)),
        counts=(top, top // 2, 0) if top > 1 else (top, 0),
        begins=tuple(words.tick(since + nth * span_ms // QUARTERS, span_ms) for nth in range(QUARTERS)),
        piece_ms=piece_ms,
        totals=totals,
        numbers=numbers[::-1],
    )


def rounded(highest: int) -> int:
    """Return the round number that an axis reaches for a highest value: at least that, and at least 1."""
    size = int("1".ljust(len(str(max(highest, 1))), "0"))
    return next(digit * size for digit in _ROUND if digit * size >= max(highest, 1))


def told(counts: Mapping[str, int]) -> str:
    """Return counts by outcome as a part of a sentence: 316 succeeded, 3 failed."""
    said = [f"{count:,} {'succeeded' if name == 'ok' else name}" for name, count in counts.items() if count]
    return ", ".join(said) or "none"


def heights(counts: Sequence[int], top: int) -> list[float]:
    """Return how high each count of a stack is drawn: to scale, but never out of sight and never above the picture."""
    drawn = [max(count / top * HEIGHT, LEAST) if count else 0.0 for count in counts]
    over = sum(drawn) - HEIGHT
    highest = drawn.index(max(drawn))
    return [height - over if over > 0 and nth == highest else height for nth, height in enumerate(drawn)]


def _picture(stacks: Markup, title: str, said: str) -> Markup:
    quarters = [WIDTH * nth // QUARTERS for nth in range(1, QUARTERS)]
    lines = [f"M0 0H{WIDTH}M0 {HEIGHT // 2}H{WIDTH}", *(f"M{x} 0V{HEIGHT}" for x in quarters)]
    return Markup(
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"><title>{}</title><desc>{}</desc>{}'
        '<path class="grid" d="{}"/>{}<path class="axis" d="M0 {}H{}"/></svg>'
    ).format(WIDTH, HEIGHT, title, said, _STRIPES, "".join(lines), stacks, HEIGHT, WIDTH)


def _stack(counts: Mapping[str, int], nth: int, width: float, top: int, when: Markup) -> Markup:
    bottom, drawn = float(HEIGHT), Markup()
    for name, height in zip(counts, heights(list(counts.values()), top), strict=True):
        bottom -= height
        drawn += _bar(name, nth * width + _GAP / 2, bottom, width - _GAP, height) if height else Markup()
    return Markup("<g><title>{}: {}</title>{}</g>").format(when.striptags(), told(counts), drawn)


def _bar(name: str, left: float, top: float, width: float, height: float) -> Markup:
    fill = Markup(' fill="url(#stripes)"') if name == "failed" else ""
    return Markup('<rect class="bar bar-{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"{}/>').format(
        name, left, top, width, height, fill
    )
