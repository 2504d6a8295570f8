"""Who is told after a commit. A wake only saves waiting: whatever goes wrong with one, nothing is lost."""

from collections.abc import Callable

import structlog


class Wakes:
    """Callbacks, called one after the other on the thread that committed."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []

    def add(self, callback: Callable[[], None]) -> None:
        """Have `callback` called from now on."""
        self._callbacks.append(callback)

    def ring(self) -> None:
        """Call them all."""
        for callback in self._callbacks:
            try:
                callback()
            except Exception:  # noqa: BLE001 -- the commit it tells of has happened
                structlog.get_logger("affwire.store").exception("store.wake_failed")
