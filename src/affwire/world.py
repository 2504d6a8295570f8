"""The world is given: clock and dice are arguments, so that a seed can replay a month in a second."""

import random
import secrets
import time
from typing import Protocol

from affwire.model import ids


class Clock(Protocol):
    """Tells the time in integer milliseconds since 1970, UTC."""

    def now(self) -> int: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000


class World:
    """A clock and dice. `rng` decides jitter and ids; secrets are drawn from the operating system unless told otherwise."""

    def __init__(self, clock: Clock | None = None, rng: random.Random | None = None) -> None:
        self._clock = clock or SystemClock()
        self._rng = rng or random.Random()
        self._given = rng is not None

    def now(self) -> int:
        """Return the time in ms."""
        return self._clock.now()

    def roll(self) -> float:
        """Return a number in [0, 1)."""
        return self._rng.random()

    def new_id(self, kind: str) -> str:
        """Return a new identifier of that kind."""
        return ids.make(kind, self.now(), self._rng.getrandbits(74))

    def secret_bytes(self, count: int) -> bytes:
        """Return `count` bytes fit for a secret."""
        return self._rng.randbytes(count) if self._given else secrets.token_bytes(count)
