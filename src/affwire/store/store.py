"""The store as the rooms above see it: send a function in, get its result once it is durable.

Rule: what you send runs inside one transaction, is given a Tx, and never awaits.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import structlog

from affwire.store.engines.base import Engine
from affwire.store.tx import News, Tx

T = TypeVar("T")

_log = structlog.get_logger("affwire.store")


class Store:
    """A front over an engine. Used from one event loop; `submit` from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._timed: Callable[[float], None] | None = None
        self.revocations = 0
        """Works of this process that revoked a key, each counted before its result is told: who remembers keys looks."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator must know of the database, each a sentence."""
        return self._engine.warnings

    async def run(self, work: Callable[[Tx], T]) -> T:
        """Carry out `work` in one write transaction and return its result after the commit has been flushed.

        - What `work` raises is raised here, with its own writes undone and nobody else's.
        - errors.Busy: the line is full (nothing was tried), or the transaction failed (nothing was acknowledged).
        - Cancelled while in line, the work is dropped; once it runs it may still be committed.
        """
        return await answer(self.submit(work))

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on one consistent snapshot that sees every finished `run`; it cannot write.

        A statement that runs past Limits.read_ms (10 s) after the snapshot began is stopped with errors.Busy.
        """
        return await answer(self._engine.read(work))

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Put `work` in line and return at once; as `run`, for callers without an event loop."""
        news: list[News] = []
        revoked = [False]
        began = perf_counter() if self._timed else 0.0

        def listened(tx: Tx) -> T:
            result = work(tx)
            news[:] = tx.news  # not more: an engine may carry a work out again, after undoing it
            revoked[0] = tx.keys.revoked
            return result

        future = self._engine.submit(listened)
        future.add_done_callback(lambda done: self._hear(done, news, revoked=revoked[0]))
        if self._timed:
            future.add_done_callback(partial(_time, self._timed, began))
        return future

    def _hear(self, done: "Future[Any]", news: Sequence[News], *, revoked: bool) -> None:
        """Once it is committed; what was undone is no news."""
        self.revocations += revoked  # not sooner: whoever looks a key up before the commit still finds it good
        if done.cancelled() or done.exception() is not None:
            return
        for one in news:
            (_log.warning if one.warns else _log.info)(one.name, **one.facts)

    def on_wake(self, callback: Callable[[], None]) -> None:
        """Have `callback` called once after each commit in which a Tx was asked to wake, on the writing thread."""
        self._engine.on_wake(callback)

    def on_durable(self, callback: Callable[[float], None]) -> None:
        """Have `callback` told of every write how many seconds it took from its place in line to its flushed commit.

        On the writing threads. What was refused, dropped or not committed is not told of.
        """
        self._timed = callback

    async def backup(self, target: Path) -> None:
        """Write a copy of everything committed to a new file while works go on. Raises Conflict, Refused, Broken."""
        await asyncio.to_thread(self._engine.backup, target)

    async def close(self) -> None:
        """Finish what is in line, then free files and threads. Idempotent."""
        if self._engine.inline:
            self._engine.close()
        else:
            await asyncio.to_thread(self._engine.close)


def _time(told: Callable[[float], None], began: float, done: "Future[Any]") -> None:
    if not done.cancelled() and done.exception() is None:
        told(perf_counter() - began)


async def answer(future: Future[T]) -> T:
    """Wait for what was submitted, and return its result or raise what it raised."""
    # Inline engines have answered already: no loop is needed, which keeps simulations in step.
    if not future.done():
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        future.add_done_callback(lambda _: _wake(loop, done))
        try:
            await done  # asyncio.wrap_future does the same in four times as many steps
        except asyncio.CancelledError:
            future.cancel()
            raise
    return future.result()


def _wake(loop: asyncio.AbstractEventLoop, waiting: "asyncio.Future[None]") -> None:
    """Have who waits go on. On the thread that answered, or where the waiting one was cancelled."""
    with contextlib.suppress(RuntimeError):  # the loop has closed meanwhile: nobody waits
        loop.call_soon_threadsafe(_end, waiting)


def _end(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)
