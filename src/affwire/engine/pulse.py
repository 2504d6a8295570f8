"""A pulse: the moment a loop should look again. Something woke it, or the time has come."""

import asyncio
import contextlib


class Pulse:
    """Set from any thread; waited for by one loop. Several wakes before a look are one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def beat(self) -> None:
        """Wake the waiting loop; from its own thread."""
        self._event.set()

    def beat_from_thread(self) -> None:
        """Wake the waiting loop from another thread; nothing if the loop has ended."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, timeout_ms: float) -> None:
        """Return at the next beat, or after `timeout_ms`."""
        if not self._event.is_set():
            handle = self._loop.call_later(max(timeout_ms, 0) / 1000, self._event.set)
            try:
                await self._event.wait()
            finally:
                handle.cancel()
        self._event.clear()
