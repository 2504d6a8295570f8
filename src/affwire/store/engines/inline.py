"""An engine without threads, for simulations and commands: each work runs at once on the calling thread."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, TypeVar

from affwire.store.engines.base import Job, refuse_if
from affwire.store.engines.wakes import Wakes
from affwire.store.tx import Tx

T = TypeVar("T")


class Writer(Protocol):
    """One connection, and what a database makes of a job, a look and a copy."""

    def transact(self, jobs: Iterator[Job]) -> bool: ...

    def look(self, work: Callable[[Tx], Any]) -> Any: ...

    def copy_to(self, target: Path) -> None: ...

    def close(self) -> None: ...


class Inline:
    """One work at a time, however many threads call."""

    inline = True

    def __init__(self, writer: Writer, warnings: tuple[str, ...] = ()) -> None:
        self._writer = writer
        self.warnings = warnings
        self._wakes = Wakes()
        self._lock = threading.RLock()
        self._closed = False

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Carry out `work` in a transaction of its own; see Engine."""
        future: Future[T] = Future()
        with self._lock:
            refuse_if(self._closed)
            woken = self._writer.transact(iter([Job(work, future)]))
        if woken:
            self._wakes.ring()
        return future

    def read(self, work: Callable[[Tx], T]) -> Future[T]:
        """Run `work` without letting it write; see Engine."""
        future: Future[T] = Future()
        with self._lock:
            refuse_if(self._closed)
            try:
                future.set_result(self._writer.look(work))
            except BaseException as error:  # noqa: BLE001 -- whatever a work raises belongs to its caller
                future.set_exception(error)
        return future

    def on_wake(self, callback: Callable[[], None]) -> None:
        """Call `callback` after each commit that asks for it."""
        self._wakes.add(callback)

    def backup(self, target: Path) -> None:
        """Write a copy to `target`; see Engine."""
        with self._lock:
            refuse_if(self._closed)
            self._writer.copy_to(target)

    def close(self) -> None:
        """Close the connection; a database in memory is gone."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._writer.close()
