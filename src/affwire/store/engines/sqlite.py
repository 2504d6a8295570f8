"""SQLite: the embedded engine, and the store's test double when it lives in memory.

    submit -> line -> writer thread: one connection, one commit for many -> futures -> wake
    read   -> a few reader threads, query_only

Rule: one connection does all writes and all checkpoints.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Final, TypeVar

from affwire.errors import Busy
from affwire.store.engines.base import Engine, Job, Limits, MakeTx, Prepare, refuse_if
from affwire.store.engines.sqlite_backup import copy
from affwire.store.engines.sqlite_file import SqliteFile, driver_of, has_wal_reset_bug, sqlite_version
from affwire.store.engines.sqlite_readers import Readers
from affwire.store.engines.sqlite_writer import Writer
from affwire.store.engines.wakes import Wakes
from affwire.store.tx import Tx

__all__ = ["InlineSqlite", "ThreadedSqlite", "has_wal_reset_bug", "open_sqlite", "sqlite_version"]

T = TypeVar("T")
_COMMITS_BETWEEN_LOOKS: Final = 64
"""Commits between two looks at the length of the write-ahead log."""
_CHECKPOINT_WAIT_MS: Final = 250
"""How long writers stand still for readers when the log has grown too long."""


def open_sqlite(
    path: Path | None,
    make_tx: MakeTx,
    *,
    prepare: Prepare | None = None,
    inline: bool = False,
    limits: Limits | None = None,
) -> Engine:
    """Open the database at `path`; None is one in memory, which is always inline.

    `prepare` gets the connection once, before any work, in a transaction of its own: it checks schema and vault.
    Raises what `prepare` raises, or errors.Refused when the file cannot be opened or written durably.
    """
    limits = limits or Limits()
    file = SqliteFile(path, limits)
    writer = Writer(file, make_tx, prepare)
    return InlineSqlite(writer) if inline or path is None else ThreadedSqlite(file, writer, make_tx, limits)


class InlineSqlite:
    """Runs each work at once on the calling thread, for simulations and commands: no threads, no surprises."""

    inline = True
    warnings = ()

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
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
        """Close the database; one in memory is gone."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._writer.close()


class ThreadedSqlite:
    """Writes on one thread, reads on a few; safe to call from any thread."""

    inline = False
    warnings = ()

    def __init__(self, file: SqliteFile, writer: Writer, make_tx: MakeTx, limits: Limits) -> None:
        self._file = file
        self._writer = writer
        self._limits = limits
        self._wakes = Wakes()
        self._line: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._door = threading.Lock()
        self._closed = False
        self._readers = Readers(file, make_tx, limits)
        self._thread = threading.Thread(target=self._write, name="affwire-writer")
        self._thread.start()

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Put `work` in line for the next commit; see Engine."""
        future: Future[T] = Future()
        with self._door:
            refuse_if(self._closed)
            if self._line.qsize() >= self._limits.works_waiting:
                raise Busy("too_many_writes", "Too many changes are waiting to be stored; try again shortly.")
            self._line.put(Job(work, future))
        return future

    def read(self, work: Callable[[Tx], T]) -> Future[T]:
        """Run `work` on a snapshot; see Engine."""
        with self._door:
            refuse_if(self._closed)
            return self._readers.submit(work)

    def on_wake(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the writer thread after each commit that asks for it."""
        self._wakes.add(callback)

    def backup(self, target: Path) -> None:
        """Write a copy to `target` over a connection of its own; see Engine."""
        refuse_if(self._closed)
        reader = self._file.open_reader()
        try:
            copy(driver_of(reader), target)
        finally:
            reader.close()

    def close(self) -> None:
        """Finish what is in line, then close: readers first, so that they are not in the last checkpoint's way."""
        with self._door:
            last, self._closed = not self._closed, True
        if last:
            self._readers.close()
            self._line.put(None)
        self._thread.join()

    def _write(self) -> None:
        """Commit after commit until told to stop; when nothing comes, empty the write-ahead log."""
        commits = 0
        while True:
            try:
                job = self._line.get(timeout=self._limits.idle_ms / 1000 if commits else None)
            except queue.Empty:
                commits = 0 if self._writer.checkpoint() else commits
                continue
            if job is None:
                break
            if self._writer.transact(self._together(job)):
                self._wakes.ring()
            commits += 1
            if commits % _COMMITS_BETWEEN_LOOKS == 0 and self._file.wal_is_long():
                self._writer.checkpoint(_CHECKPOINT_WAIT_MS)
        self._writer.close()

    def _together(self, job: Job) -> Iterator[Job]:
        """Yield `job` and those in line behind it, up to the limits of one commit."""
        yield job
        end = time.monotonic() + self._limits.commit_ms / 1000
        for _ in range(1, self._limits.works_per_commit):
            if time.monotonic() > end or self._line.empty():
                return
            following = self._line.get_nowait()
            if following is None:
                self._line.put(None)
                return
            yield following
