"""Attempts to sign in by password: counted per address in this process, and few hashed at once.

Nothing is locked for good, so that nobody can lock another out for longer than WINDOW_MS.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from affwire.errors import TooMany

FAILURES_MAX: Final = 5
"""Wrong passwords for one address within WINDOW_MS: a person needs two or three, a guesser millions."""
WINDOW_MS: Final = 5 * 60_000
ADDRESSES_MAX: Final = 10_000
"""Addresses remembered; the oldest is forgotten first."""
HASHES_AT_ONCE: Final = 2
"""Each takes 32 MiB and a processor for a tenth of a second."""


@dataclass(slots=True)
class Attempts:
    """Remembers when the last wrong passwords came."""

    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHES_AT_ONCE))
    _failed_at: OrderedDict[str, list[int]] = field(default_factory=OrderedDict)

    def check(self, address: str, now: int) -> None:
        """Raise TooMany where so many failed that no more are looked at for a while."""
        recent = [at for at in self._failed_at.get(address.casefold(), []) if at > now - WINDOW_MS]
        if len(recent) >= FAILURES_MAX:
            wait_s = (recent[0] + WINDOW_MS - now) // 1000 + 1
            raise TooMany(
                "too_many_sign_ins", f"Too many wrong passwords; try again in {wait_s} s.", retry_after=wait_s
            )

    def failed(self, address: str, now: int) -> None:
        """Count a wrong password."""
        key = address.casefold()
        self._failed_at[key] = [*self._failed_at.pop(key, []), now][-FAILURES_MAX:]
        while len(self._failed_at) > ADDRESSES_MAX:
            self._failed_at.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Forget an address's failures."""
        self._failed_at.pop(address.casefold(), None)
