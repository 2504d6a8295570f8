"""What each key does: how many requests in this minute, and when it was last used. Kept in memory, for this process.

The limit is against a runaway loop, not against use: it lies far above what one store commits.
"""

from dataclasses import dataclass
from typing import Final

from affwire.errors import TooMany

REQUESTS_PER_MINUTE: Final = 300_000
"""Requests of one key in one minute, 5,000 a second: several times what one writer commits. A batch is one request."""
WINDOW_MS: Final = 60_000
KEYS_MAX: Final = 10_000
"""Keys that are remembered; beyond, all are forgotten and counted anew."""


@dataclass(slots=True)
class _Tally:
    began_at: int
    count: int = 0
    noted_at: int | None = None


class Usage:
    """Counts requests by key in windows of a minute that begin with the key's first request. Used from one event loop."""

    def __init__(self, per_minute: int = REQUESTS_PER_MINUTE) -> None:
        self.per_minute = per_minute
        self._tallies: dict[str, _Tally] = {}

    def count(self, key_id: str, now: int) -> tuple[tuple[str, str], ...]:
        """Count a request at `now` (ms); return the headers that tell how many are left. Raises TooMany beyond them."""
        tally = self._tally(key_id, now)
        if not 0 <= now - tally.began_at < WINDOW_MS:
            tally.began_at, tally.count = now, 0
        tally.count += 1
        left = self.per_minute - tally.count
        wait_s = -(-(tally.began_at + WINDOW_MS - now) // 1000)
        if left < 0:
            raise TooMany("too_many_requests", retry_after=wait_s)
        window_s = WINDOW_MS // 1000
        return (
            ("RateLimit-Policy", f'"default";q={self.per_minute};w={window_s}'),
            ("RateLimit", f'"default";r={left};t={wait_s}'),
        )

    def notes(self, key_id: str, now: int) -> bool:
        """Whether this use of a key is to be written down: once a minute is enough."""
        tally = self._tally(key_id, now)
        if tally.noted_at is not None and 0 <= now - tally.noted_at < WINDOW_MS:
            return False
        tally.noted_at = now
        return True

    def _tally(self, key_id: str, now: int) -> _Tally:
        if key_id not in self._tallies and len(self._tallies) >= KEYS_MAX:
            self._tallies.clear()
        return self._tallies.setdefault(key_id, _Tally(now))
