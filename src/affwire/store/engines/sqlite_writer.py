"""Group commit on the one connection that writes: several works, one flush, each undone alone.

    BEGIN IMMEDIATE   work   SAVEPOINT work RELEASE   SAVEPOINT work ROLLBACK TO   COMMIT   answers   wake

Rule: no result leaves before COMMIT has returned, and a transaction that may be lost fails everyone in it.
"""

import contextlib
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from affwire.errors import AffwireError, Broken
from affwire.store.engines.base import Job, MakeTx, Prepare
from affwire.store.engines.sqlite_backup import copy
from affwire.store.engines.sqlite_file import SqliteFile, driver_of, fault_of, unavailable
from affwire.store.tx import Tx

T = TypeVar("T")


class _Lost(Exception):
    """The transaction is gone with everything in it."""

    def __init__(self, error: AffwireError) -> None:
        self.error = error
        super().__init__(error.sentence)


class Writer:
    """Owns the writing connection; opened again after a fault. Not thread-safe: one thread at a time."""

    def __init__(self, file: SqliteFile, make_tx: MakeTx, prepare: Prepare | None) -> None:
        self._file = file
        self._make_tx = make_tx
        self._corrupt: AffwireError | None = None
        self._connection: Connection | None = file.open_writer()
        if prepare:
            self._prepare(prepare)

    def transact(self, jobs: Iterator[Job]) -> bool:
        """Carry out `jobs` in one commit and resolve their futures; tell whether somebody asked to wake the engine."""
        kept: list[tuple[Job, Any]] = []
        woken = False
        for job in jobs:
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                result, wakes = self._apply(job.work, first=not kept)
            except _Lost as lost:
                return self._fail([*(one for one, _ in kept), job], jobs, lost.error)
            except BaseException as error:  # noqa: BLE001 -- whatever a work raises belongs to its caller
                job.future.set_exception(error)
            else:
                kept.append((job, result))
                woken |= wakes
        return bool(kept) and self._commit(kept) and woken

    def look(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on this connection without letting it write."""
        try:
            driver = self._begin("BEGIN")
        except _Lost as lost:
            raise lost.error from lost
        driver.execute("PRAGMA query_only=1")
        try:
            return work(self._make_tx(self._open()))
        finally:
            driver.execute("ROLLBACK")
            driver.execute("PRAGMA query_only=0")

    def copy_to(self, target: Path) -> None:
        """Write a copy of what is committed to a new file."""
        copy(driver_of(self._open()), target)

    def checkpoint(self, wait_ms: int = 0) -> bool:
        """Empty the write-ahead log, waiting `wait_ms` at most for readers; False while one still needs it."""
        if self._connection is None or self._file.path is None:
            return True
        driver = driver_of(self._connection)
        try:
            driver.execute(f"PRAGMA busy_timeout={wait_ms}")
            busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            driver.execute(f"PRAGMA busy_timeout={self._file.busy_ms}")
        except sqlite3.Error:
            # What is committed stays in the log; a handle that failed to flush is not used again.
            self._discard()
            return False
        return not busy

    def close(self) -> None:
        """Empty the log and close."""
        self.checkpoint(wait_ms=self._file.busy_ms)
        self._discard(for_good=True)
        self._file.dispose()

    def _prepare(self, prepare: Prepare) -> None:
        """Run the start-up work in one transaction of its own, so that a crash in it leaves nothing behind."""
        try:
            driver = self._begin()
            prepare(self._open())
            driver.execute("COMMIT")
        except BaseException as error:
            self._discard(for_good=True)
            fault = error.error if isinstance(error, _Lost) else fault_of(error)
            if fault:
                raise fault from error
            raise

    def _apply(self, work: Callable[[Tx], Any], *, first: bool) -> tuple[Any, bool]:
        # The first work needs no savepoint: alone in the transaction, it is undone with it.
        if first:
            self._begin()
        else:
            self._send("SAVEPOINT work")
        try:
            tx = self._make_tx(self._open())
            result = work(tx)
        except BaseException as error:
            self._undo(error, first=first)
            if isinstance(error, StopIteration):
                raise Broken("work_stopped", "A work raised StopIteration, which no future can carry.") from error
            raise
        if not first:
            self._send("RELEASE work")
        return result, tx.woken

    def _undo(self, error: BaseException, *, first: bool) -> None:
        """Undo one work. Where SQLite has ended the whole transaction by itself, undoing fails: all of it is lost."""
        fault = fault_of(error)
        if fault:
            raise _Lost(fault) from error
        if first:
            self._send("ROLLBACK")
        else:
            self._send("ROLLBACK TO work")
            self._send("RELEASE work")

    def _commit(self, kept: list[tuple[Job, Any]]) -> bool:
        try:
            self._send("COMMIT")
        except _Lost as lost:
            return self._fail([job for job, _ in kept], iter(()), lost.error)
        for job, result in kept:
            job.future.set_result(result)
        return True

    def _fail(self, shared: list[Job], waiting: Iterator[Job], error: AffwireError) -> bool:
        """Fail all who shared the transaction, and all in line for it: one wait for a locked file is enough."""
        self._corrupt = error if isinstance(error, Broken) else None
        self._discard()
        running = (job for job in waiting if job.future.set_running_or_notify_cancel())
        for job in itertools.chain(shared, running):
            # One error object each: every caller raises its own, with its own traceback.
            job.future.set_exception(type(error)(error.code, error.sentence, **error.facts))
        return False

    def _begin(self, statement: str = "BEGIN IMMEDIATE") -> sqlite3.Connection:
        if self._corrupt:
            raise _Lost(self._corrupt)
        try:
            connection = self._open()
        except AffwireError as error:
            raise _Lost(unavailable(error)) from error
        if driver_of(connection).in_transaction:
            raise Broken("nested_transaction", "A work may not start another: pass its Tx on instead.")
        return self._send(statement)

    def _send(self, statement: str) -> sqlite3.Connection:
        driver = driver_of(self._open())
        try:
            driver.execute(statement)
        except sqlite3.Error as error:
            raise _Lost(fault_of(error) or unavailable(error)) from error
        return driver

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._file.open_writer()
        return self._connection

    def _discard(self, *, for_good: bool = False) -> None:
        """Give up the handle: after a failed flush it must not be tried again. Memory, which has no other, keeps it."""
        if self._connection is None:
            return
        driver = driver_of(self._connection)
        # A handle too broken to roll back is closed all the same, which undoes what was not committed.
        with contextlib.suppress(sqlite3.Error):
            if driver.in_transaction:
                driver.execute("ROLLBACK")
        if self._file.path is not None or for_good:
            self._connection.close()
            self._connection = None
