"""The store as the rooms above see it: send a function in, get its result once it is durable.

Rule: what you send runs inside one transaction, is given a Tx, and never awaits.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from affwire.store.engines.base import Engine
from affwire.store.tx import Tx

T = TypeVar("T")


class Store:
    """A front over an engine. Used from one event loop; `submit` from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def run(self, work: Callable[[Tx], T]) -> T:
        """Carry out `work` in one write transaction and return its result after the commit has been flushed.

        - What `work` raises is raised here, with its own writes undone and nobody else's.
        - errors.Busy: the line is full (nothing was tried), or the transaction failed (nothing was acknowledged).
        - Cancelled while in line, the work is dropped; once it runs it may still be committed.
        """
        return await _result(self.submit(work))

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on one consistent snapshot that sees every finished `run`; it cannot write.

        A statement that runs past Limits.read_ms (10 s) after the snapshot began is stopped with errors.Busy.
        """
        return await _result(self._engine.read(work))

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Put `work` in line and return at once; as `run`, for callers without an event loop."""
        return self._engine.submit(work)

    def on_wake(self, callback: Callable[[], None]) -> None:
        """Have `callback` called once after each commit in which a Tx was asked to wake, on the writing thread."""
        self._engine.on_wake(callback)

    async def backup(self, target: Path) -> None:
        """Write a copy of everything committed to a new file while works go on. Raises Conflict, Refused, Broken."""
        await asyncio.to_thread(self._engine.backup, target)

    async def close(self) -> None:
        """Finish what is in line, then free files and threads. Idempotent."""
        if self._engine.inline:
            self._engine.close()
        else:
            await asyncio.to_thread(self._engine.close)


async def _result(future: Future[T]) -> T:
    # Inline engines have answered already: no loop is needed, which keeps simulations in step.
    return future.result() if future.done() else await asyncio.wrap_future(future)
