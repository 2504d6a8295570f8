"""SQLite: the embedded engine, and the store's test double when it lives in memory.

    submit -> line -> writer thread: one connection, one commit for many -> futures -> wake
    read   -> a few reader threads, query_only

Rule: one connection does all writes and all checkpoints.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final, TypeVar

from affwire.store.engines.base import Engine, Limits, MakeTx, Prepare
from affwire.store.engines.inline import Inline
from affwire.store.engines.line import Line
from affwire.store.engines.sqlite_backup import copy
from affwire.store.engines.sqlite_file import SqliteFile, driver_of, has_wal_reset_bug, sqlite_version
from affwire.store.engines.sqlite_readers import Readers
from affwire.store.engines.sqlite_writer import Writer
from affwire.store.engines.wakes import Wakes
from affwire.store.tx import Tx

__all__ = ["ThreadedSqlite", "has_wal_reset_bug", "open_sqlite", "sqlite_version"]

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
    return Inline(writer) if inline or path is None else ThreadedSqlite(file, writer, make_tx, limits)


class ThreadedSqlite:
    """Writes on one thread, reads on a few; safe to call from any thread."""

    inline = False
    warnings = ()

    def __init__(self, file: SqliteFile, writer: Writer, make_tx: MakeTx, limits: Limits) -> None:
        self._file = file
        self._writer = writer
        self._limits = limits
        self._wakes = Wakes()
        self._line = Line(limits)
        self._readers = Readers(file, make_tx, limits)
        self._thread = threading.Thread(target=self._write, name="affwire-writer")
        self._thread.start()

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Put `work` in line for the next commit; see Engine."""
        return self._line.submit(work)

    def read(self, work: Callable[[Tx], T]) -> Future[T]:
        """Run `work` on a snapshot; see Engine."""
        with self._line.open():
            return self._readers.submit(work)

    def on_wake(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the writer thread after each commit that asks for it."""
        self._wakes.add(callback)

    def backup(self, target: Path) -> None:
        """Write a copy to `target` over a connection of its own; see Engine."""
        with self._line.open():
            reader = self._file.open_reader()
        try:
            copy(driver_of(reader), target)
        finally:
            reader.close()

    def close(self) -> None:
        """Finish what is in line, then close: readers first, so that they are not in the last checkpoint's way."""
        if self._line.close():
            self._readers.close()
            self._line.end()
        self._thread.join()

    def _write(self) -> None:
        """Commit after commit until told to stop; when nothing comes, empty the write-ahead log."""
        commits = 0
        while True:
            try:
                job = self._line.take(self._limits.idle_ms / 1000 if commits else None)
            except queue.Empty:
                commits = 0 if self._writer.checkpoint() else commits
                continue
            if job is None:
                break
            if self._writer.transact(self._line.together(job)):
                self._wakes.ring()
            commits += 1
            if commits % _COMMITS_BETWEEN_LOOKS == 0 and self._file.wal_is_long():
                self._writer.checkpoint(_CHECKPOINT_WAIT_MS)
        self._writer.close()
