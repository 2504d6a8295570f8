"""A world whose clock stands still until it is told to move, and whose dice follow a seed."""

import random
from typing import Final

from affwire.world import World

START: Final = 1_772_000_000_000
"""2026-02-25T06:13:20Z, the hour at which tests begin."""


class FakeClock:
    """A clock that moves when it is told to."""

    def __init__(self, now: int = START) -> None:
        self._now = now

    def now(self) -> int:
        """Return the time in ms."""
        return self._now

    def advance(self, by_ms: int) -> None:
        """Let `by_ms` pass (negative: a clock that is set back)."""
        self._now += by_ms


def fake_world(seed: int = 0, clock: FakeClock | None = None) -> World:
    """Return a world that does the same for the same seed."""
    return World(clock or FakeClock(), random.Random(seed))
