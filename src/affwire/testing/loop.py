"""An event loop on virtual time: waiting costs nothing, what is ready runs in an order the seed decides, and it can crash.

Nothing outside it happens: no sockets, no threads. If everything waits for ever, it says so instead of hanging.
"""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Coroutine
from typing import Any, TypeVar

from affwire.testing.world import FakeClock

T = TypeVar("T")


class Crash(BaseException):
    """The process died here."""


class SimLoop(asyncio.BaseEventLoop):
    """`clock` is the world's: both show one time. `crash_after` steps the loop raises Crash, in the middle of anything."""

    def __init__(self, clock: FakeClock, rng: random.Random, crash_after: int | None = None) -> None:
        super().__init__()
        self._sim_clock = clock
        self._origin = clock.now()
        self._rng = rng
        self._steps_left = crash_after
        self._fraction_ms = 0.0
        self._selector = self
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Return the virtual time in seconds since this loop began: small numbers keep their microseconds."""
        return (self._sim_clock.now() - self._origin + self._fraction_ms) / 1000

    def select(self, timeout: float | None) -> list[Any]:
        """Let `timeout` seconds pass at once (the part of a selector)."""
        if timeout is None:
            raise RuntimeError("everything waits, and nothing will ever come")
        passed = self._fraction_ms + timeout * 1000 + 1e-6
        self._fraction_ms = passed % 1
        self._sim_clock.advance(int(passed))
        return []

    def close(self) -> None:
        """Close without a selector to free."""
        super().close()

    def _run_once(self) -> None:
        if self._steps_left is not None:
            self._steps_left -= 1
            if self._steps_left < 0:
                raise Crash
        ready: deque[asyncio.Handle] = self._ready  # type: ignore[attr-defined]
        if len(ready) > 1:
            shuffled = list(ready)
            self._rng.shuffle(shuffled)
            ready.clear()
            ready.extend(shuffled)
        super()._run_once()  # type: ignore[misc]

    def _process_events(self, event_list: list[Any]) -> None:
        """Nothing ever comes from outside."""

    def _write_to_self(self) -> None:
        """There is no other thread to wake us from."""


def run_simulated(loop: SimLoop, main: Coroutine[Any, Any, T]) -> T | None:
    """Run `main` to its end and return its result; None if the loop crashed on the way: then every task is just gone."""
    loop.set_exception_handler(lambda _loop, _context: None)
    try:
        return loop.run_until_complete(main)
    except Crash:
        return None
    finally:
        for task in sorted(asyncio.all_tasks(loop), key=asyncio.Task.get_name):
            _bury(task)
        loop.close()


def _bury(task: "asyncio.Task[Any]") -> None:
    """Take a dead process's task apart quietly: what it still tries to do reaches nobody."""
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 -- asyncio offers no public word for it
    coroutine = task.get_coro()
    if coroutine is not None:
        with contextlib.suppress(RuntimeError):
            coroutine.close()
