"""Works in line for the thread that writes: many of them share one commit.

Rule: in order of arrival; the line has an end, and beyond it callers hear at once that we are busy.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from affwire.errors import Busy
from affwire.store.engines.base import Job, Limits, refuse_if
from affwire.store.tx import Tx

T = TypeVar("T")


class Line:
    """Where any thread puts works, and one thread takes them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._door = threading.Lock()
        self._closed = False

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Put `work` in line for the next commit; see Engine."""
        future: Future[T] = Future()
        with self.open():
            if self._jobs.qsize() >= self._limits.works_waiting:
                raise Busy("too_many_writes", "Too many changes are waiting to be stored; try again shortly.")
            self._jobs.put(Job(work, future))
        return future

    @contextmanager
    def open(self) -> Iterator[None]:
        """Stay open until the block ends; errors.Busy once it is closed."""
        with self._door:
            refuse_if(self._closed)
            yield

    def close(self) -> bool:
        """Take nothing more; return whether this call was the first."""
        with self._door:
            first, self._closed = not self._closed, True
        return first

    def end(self) -> None:
        """Have the thread that takes stop behind what is in line by now."""
        self._jobs.put(None)

    def take(self, wait_s: float | None) -> Job | None:
        """Return the next job, or None at the end of all; raises queue.Empty if none comes in time."""
        return self._jobs.get(timeout=wait_s)

    def together(self, job: Job) -> Iterator[Job]:
        """Yield `job` and those in line behind it, up to the limits of one commit."""
        yield job
        end = time.monotonic() + self._limits.commit_ms / 1000
        for _ in range(1, self._limits.works_per_commit):
            if time.monotonic() > end or self._jobs.empty():
                return
            following = self._jobs.get_nowait()
            if following is None:
                self.end()
                return
            yield following
