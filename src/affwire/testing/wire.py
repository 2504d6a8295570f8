"""A wire without a network: every host follows a script, and what reached it is on record."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from affwire.model.wire import Limits, Outcome, Request, Response, Timings
from affwire.world import Clock

Answer = tuple[float, Outcome]
"""Seconds until it is there, and what it is."""
Script = Callable[[random.Random, int], Answer]
"""Given dice and how many requests came before, the host's answer."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that reached a host, when (seconds since 1970), and the answer it was given."""

    host: str
    request: Request
    at: float
    outcome: Outcome


@dataclass
class FakeWire:
    """Answers by script, host by host; a host without one says 200 at once. Deadlines hold as on a real wire."""

    rng: random.Random
    clock: Clock
    scripts: dict[str, Script] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)

    async def send(self, request: Request, limits: Limits) -> Outcome:
        """Deliver to the host's script."""
        host = urlsplit(request.url).hostname or ""
        script = self.scripts.get(host, always(200))
        seconds, outcome = script(self.rng, sum(arrival.host == host for arrival in self.arrivals))
        self.arrivals.append(Arrival(host, request, self.clock.now() / 1000, outcome))
        if seconds * 1000 >= limits.total_ms:
            await asyncio.sleep(limits.total_ms / 1000)
            return Outcome(error="timeout_total", detail="no answer in time", timings=Timings(total_ms=limits.total_ms))
        await asyncio.sleep(seconds)
        return outcome

    async def close(self) -> None:
        """Nothing is open."""


def answer(status: int, **headers: str) -> Outcome:
    """Return a response of this status as an outcome."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Outcome(response=Response(status, named, b"{}"))


def always(status: int, seconds: float = 0.01) -> Script:
    """Return the script of a host that always says the same."""
    return lambda _rng, _before: (seconds, answer(status))


def hangs(_rng: random.Random, _before: int) -> Answer:
    """The script of a host that never answers."""
    return 1e9, answer(200)


def heals_after(failures: int, status: int = 500) -> Script:
    """Return the script of a host that fails so often, then says 200."""
    return lambda _rng, before: (0.01, answer(status if before < failures else 200))
