"""How values are said to a person: times, durations, amounts, ids. Numbers stay numbers; each has its full form at hand."""

import unicodedata
from dataclasses import dataclass
from itertools import accumulate
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from affwire.model.times import moment, rfc3339

_SECOND: Final = 1_000
_DAY_MS: Final = 86_400_000
_UNITS: Final = ((86_400_000, "days"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))
_EXACT_MS: Final = 10
"""Below it, and below as many seconds, a duration has one decimal place."""
_ID_END: Final = 8
_TURNS: Final = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI"})
"""Letters and marks after which what follows may be drawn on the other side (Unicode annex 9)."""
_BRIEF: Final = 28
"""Characters of a name in a list: what a column has room for."""
_BRIEF_BYTES: Final = 48
_TITLE_BYTES: Final = 64
"""Bytes of a name, and of its title, as the page has them, escaped: a page of names as awful as can be stays small."""
_MORE: Final = "\u2026"
NOTHING: Final = "\u2013"
NONE: Final = Markup("\u2013")
SPACE: Final = "\u202f"
"""Between a number and its unit: narrow, and never broken."""


@dataclass(frozen=True, slots=True)
class Words:
    """Says times as of `now` (ms) in an organization's time zone; each time's title is the whole of it, with its offset."""

    now: int
    timezone: str = "UTC"

    @property
    def zone(self) -> str:
        """The time zone that all times of a page are in, and how far it is from UTC now."""
        there = moment(self.now).astimezone(ZoneInfo(self.timezone)).isoformat(timespec="seconds")
        return self.timezone if self.timezone == "UTC" else f"{self.timezone} (UTC{there[-len('+00:00') :]})"

    def time(self, at: int | None) -> Markup:
        """Return a time of day, with its date if it is not today; its datetime is the full time in UTC."""
        return NONE if at is None else self._timed(at, self._said(at))

    def _said(self, at: int) -> str:
        zone = ZoneInfo(self.timezone)
        then, today = moment(at).astimezone(zone), moment(self.now).astimezone(zone).date()
        said = f"{then:%H:%M:%S}" if then.date() == today else f"{then:%d %b %H:%M}"
        if then.year != today.year:
            said = f"{then:%d %b %Y}"
        return said

    def ago(self, at: int | None) -> Markup:
        """Return how long ago a time was, or how long it is until then."""
        return NONE if at is None else self._timed(at, self._away(at))

    def _away(self, at: int) -> str:
        away = self.span(abs(self.now - at))
        return f"in {away}" if at > self.now else f"{away} ago"

    def tick(self, at: int, span_ms: int) -> str:
        """Return a time as the axis of a span has it: 17:05 on one of a day, 19 Nov on a longer one."""
        there = moment(at).astimezone(ZoneInfo(self.timezone))
        return f"{there:%H:%M}" if span_ms <= _DAY_MS else f"{there:%d %b}"

    def span(self, ms: float | None) -> str:
        """Return a duration as `span` says it."""
        return span(ms)

    def pace(self, gap_ms: float | None) -> str:
        """Return how often something comes that comes every `gap_ms`: 38 a second, one every 2 h."""
        if gap_ms is None:
            return NOTHING
        if gap_ms >= _SECOND:
            return f"one every {span(gap_ms)}"
        return f"{self.number(round(_SECOND / max(gap_ms, 1)))} a second"

    def number(self, value: float | None) -> str:
        """Return a number with narrow spaces between thousands."""
        return NOTHING if value is None else f"{value:,}".replace(",", SPACE)

    def count(self, value: int, one: str, many: str | None = None) -> str:
        """Return so many of something: 1 delivery, 2 deliveries."""
        return f"{self.number(value)} {one if value == 1 else many or one + 's'}"

    def brief(self, text: str) -> Markup:
        """Return a name as a list has it: what is long ends in an ellipsis, with the whole of it, or its beginning, as title."""
        name = Markup("{}") if text.isascii() else Markup("<bdi>{}</bdi>")
        if len(text) <= _BRIEF and len(escape(text).encode()) <= _BRIEF_BYTES:
            return name.format(text)
        shown, title = _fitting(text[:_BRIEF], _BRIEF_BYTES), _fitting(text, _TITLE_BYTES)
        return Markup('<bdi title="{}">{}</bdi>').format(title, shown.removesuffix(_MORE) + _MORE)

    def at(self, at: int | None) -> Markup:
        """Return a time as `time` says it, for a list: its datetime, with its offset, is all that stands beside it."""
        return NONE if at is None else self._dated(at, self._said(at))

    def away(self, at: int | None) -> Markup:
        """Return how long ago a time was, as `ago` says it, for a list."""
        return NONE if at is None else self._dated(at, self._away(at))

    def id(self, identifier: str, *, titled: bool = True) -> Markup:
        """Return an id's kind and end, which tell two of a day apart; the whole of it is its title, if it is `titled`."""
        kind, _, rest = identifier.rpartition("_")
        short = f"{kind}_\u2026{rest[-_ID_END:]}" if kind and len(rest) > _ID_END else identifier
        title = Markup(' title="{}"').format(identifier) if titled else Markup()
        return Markup('<code class="id"{}>{}</code>').format(title, short)

    def _dated(self, at: int, said: str) -> Markup:
        there = moment(at).astimezone(ZoneInfo(self.timezone)).isoformat(timespec="milliseconds")
        return Markup('<time datetime="{}">{}</time>').format(there, said)

    def _timed(self, at: int, said: str) -> Markup:
        there = moment(at).astimezone(ZoneInfo(self.timezone)).isoformat(" ", "milliseconds")
        return Markup('<time datetime="{}" title="{}">{}</time>').format(rfc3339(at), there, said)


def apart(name: str) -> str:
    """Return a name that may stand in a sentence: one that runs from right to left is kept from turning the rest round."""
    turns = any(unicodedata.bidirectional(letter) in _TURNS for letter in name)
    return f"\u2068{name}\u2069" if turns else name


def span(ms: float | None) -> str:
    """Return a duration in its two largest units: 3 days, 2 h 14 min, 850 ms, 1.5 s."""
    if ms is None:
        return NOTHING
    if round(ms) < _SECOND:
        return _counted(ms, "ms")
    if ms < _EXACT_MS * _SECOND:
        return _counted(ms / _SECOND, "s")
    rest, said = int(ms), list[str]()
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count or said:
            said.append(f"{count}{SPACE}{'day' if (count, unit) == (1, 'days') else unit}")
    return " ".join(one for one in said[:2] if not one.startswith("0"))


def _counted(value: float, unit: str) -> str:
    digits = 1 if value < _EXACT_MS else 0
    return f"{value:.{digits}f}".removesuffix(".0") + f"{SPACE}{unit}"


def _fitting(text: str, most: int) -> str:
    """Return a text, cut where it would be more than `most` bytes of a page."""
    room = most - len(_MORE.encode())
    ends = accumulate(len(escape(one).encode()) for one in text)
    fits = sum(1 for end in ends if end <= room)
    return text if len(escape(text).encode()) <= most else text[:fits] + _MORE
