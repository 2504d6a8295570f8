"""Attempts to sign in by password: few from one place, ever slower for an account that many places guess at.

Rule: whoever is elsewhere still gets in, so that nobody can lock another out by wrong passwords. Whether there is such an
account makes no difference. Counted in this process, from the moment an attempt begins, so that many at once count, too.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from affwire.errors import TooMany

WINDOW_MS: Final = 5 * 60_000
PAIR_MAX: Final = 5
"""Wrong passwords for one account from one place within WINDOW_MS: a person needs two or three, a guesser millions."""
PLACE_MAX: Final = 50
"""Wrong passwords from one place for all accounts together: an office behind one address mistypes less."""
FREE: Final = 20
"""Wrong passwords for one account from everywhere, before each further attempt waits."""
DELAY_MS: Final = 250
"""What each wrong password beyond FREE adds to that wait."""
DELAY_MAX_MS: Final = 4_000
"""A person waits so long without giving up; a thousand guessers get no more than their PAIR_MAX each, and these slowly."""
REMEMBERED_MAX: Final = 20_000
"""Places, accounts and pairs of them remembered; what failed longest ago is forgotten first."""
HASHES_AT_ONCE: Final = 2
"""Each takes 32 MiB and a processor for a tenth of a second."""
_NETWORK: Final = 64
"""An IPv6 customer has at least so many bits to choose from: all of them are one place."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that may go on, after `wait_ms`. `keys`: what it counts for, if the password is wrong."""

    wait_ms: int
    keys: tuple[str, ...]
    at: int


@dataclass(slots=True)
class Attempts:
    """Remembers when the last wrong passwords came, and from where."""

    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHES_AT_ONCE))
    _failed_at: OrderedDict[str, list[int]] = field(default_factory=OrderedDict)

    def begin(self, account: str, origin: str, now: int) -> Attempt:
        """Count an attempt as wrong until it turns out right. Raises TooMany for a place that has tried too often."""
        of_account, place = _key("account", account.casefold()), _place(origin)
        of_place, pair = _key("place", place), _key("pair", place, account.casefold())
        self._refuse(pair, PAIR_MAX, now)
        self._refuse(of_place, PLACE_MAX, now)
        over = len(self._recent(of_account, now)) - FREE + 1
        wait_ms = min(max(over, 0) * DELAY_MS, DELAY_MAX_MS)
        attempt = Attempt(wait_ms, (pair, of_place, of_account), now)
        for key in attempt.keys:
            self._count(key, now)
        return attempt

    def succeeded(self, attempt: Attempt) -> None:
        """Take an attempt back, and what failed for its account from its place before; others' failures stay."""
        pair, *shared = attempt.keys
        self._failed_at.pop(pair, None)
        for key in shared:
            if attempt.at in (failed := self._failed_at.get(key, [])):
                failed.remove(attempt.at)

    def _refuse(self, key: str, most: int, now: int) -> None:
        recent = self._recent(key, now)
        if len(recent) >= most:
            wait_s = (recent[-most] + WINDOW_MS - now) // 1000 + 1
            raise TooMany(
                "too_many_sign_ins", f"Too many wrong passwords from here; try again in {wait_s} s.", retry_after=wait_s
            )

    def _recent(self, key: str, now: int) -> list[int]:
        return [at for at in self._failed_at.get(key, ()) if at > now - WINDOW_MS]

    def _count(self, key: str, now: int) -> None:
        self._failed_at[key] = [*self._recent(key, now), now][-PLACE_MAX:]
        self._failed_at.move_to_end(key)
        while len(self._failed_at) > REMEMBERED_MAX:
            self._failed_at.popitem(last=False)


def _place(origin: str) -> str:
    """Return where somebody is: an IPv4 address, the network of an IPv6 one."""
    try:
        address = ip_address(origin)
    except ValueError:
        return origin
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((address, _NETWORK), strict=False))


def _key(*parts: str) -> str:
    """Return a short name of anything: what is typed into a form may be long, and is kept by nobody."""
    return sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()
