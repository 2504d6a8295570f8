"""How values are said to a person: times, durations, amounts, ids. Numbers stay numbers; each has its full form at hand."""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from affwire.model.times import moment, rfc3339

_SECOND: Final = 1_000
_UNITS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))
_ID_END: Final = 8
NOTHING: Final = "\u2013"
NONE: Final = Markup("\u2013")
SPACE: Final = "\u202f"
"""Between a number and its unit: narrow, and never broken."""


@dataclass(frozen=True, slots=True)
class Words:
    """Says times as of `now` (ms) in an organization's time zone."""

    now: int
    timezone: str = "UTC"

    def time(self, at: int | None) -> Markup:
        """Return a time of day, with its date if it is not today; its datetime is the full time in UTC."""
        if at is None:
            return NONE
        zone = ZoneInfo(self.timezone)
        then, today = moment(at).astimezone(zone), moment(self.now).astimezone(zone).date()
        said = f"{then:%H:%M:%S}" if then.date() == today else f"{then:%d %b %H:%M}"
        if then.year != today.year:
            said = f"{then:%d %b %Y}"
        return _timed(at, said)

    def ago(self, at: int | None) -> Markup:
        """Return how long ago a time was, or how long it is until then."""
        if at is None:
            return NONE
        away = self.span(abs(self.now - at))
        return _timed(at, f"in {away}" if at > self.now else f"{away} ago")

    def span(self, ms: float | None) -> str:
        """Return a duration in its two largest units: 2 h 14 min, 850 ms."""
        if ms is None:
            return NOTHING
        if ms < _SECOND:
            return f"{ms:.0f}{SPACE}ms"
        if ms < 10 * _SECOND:
            return f"{ms / _SECOND:.1f}{SPACE}s"
        rest, said = int(ms), list[str]()
        for size, unit in _UNITS:
            count, rest = divmod(rest, size)
            if count or said:
                said.append(f"{count}{SPACE}{unit}")
        return " ".join(one for one in said[:2] if not one.startswith("0"))

    def number(self, value: float | None) -> str:
        """Return a number with narrow spaces between thousands."""
        return NOTHING if value is None else f"{value:,}".replace(",", SPACE)

    def id(self, identifier: str) -> Markup:
        """Return an id's kind and end, which tell two of a day apart; the whole of it is its title."""
        kind, _, rest = identifier.rpartition("_")
        short = f"{kind}_\u2026{rest[-_ID_END:]}" if kind and len(rest) > _ID_END else identifier
        return Markup('<code class="id" title="{}">{}</code>').format(identifier, short)


def _timed(at: int, said: str) -> Markup:
    full = rfc3339(at)
    return Markup('<time datetime="{}">{}</time>').format(full, said)
