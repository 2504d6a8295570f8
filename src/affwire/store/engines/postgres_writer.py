"""Group commit on one connection to PostgreSQL: several works, one flush, each undone alone.

    BEGIN work   SAVEPOINT work   SAVEPOINT work ROLLBACK TO   COMMIT   answers

Rule: a transaction waits long for another's rows only while it holds none of its own. A work that meets them later is
put off: the works before it are committed, and it begins the next transaction. So writers do not wait in circles.
"""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, LiteralString

import psycopg
from sqlalchemy import Connection

from affwire.errors import AffwireError, Broken, Busy
from affwire.store import horizon
from affwire.store.engines.base import Job, MakeTx, Prepare
from affwire.store.engines.postgres_server import (
    NOW,
    PostgresServer,
    driver_of,
    drop,
    fault_of,
    is_contended,
    is_taken,
    unavailable,
)
from affwire.store.horizon import HORIZON
from affwire.store.tx import Tx

TRIES_MAX: Final = 6
"""How often a work is carried out when others are in its way: with their pauses, some seconds."""
TAKEN_TRIES_MAX: Final = 2
"""After a broken unique constraint: the second time the work sees the row that it lost to."""
PAUSE_MS: Final = 20
"""The longest pause before the second try; it doubles with each."""
_NOW: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_BEGIN: Final = f"BEGIN ISOLATION LEVEL READ COMMITTED; {_NOW}"
SNAPSHOT: Final = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_NOW}"
_PREPARING: Final = (
    "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; "
    "SELECT pg_advisory_xact_lock(hashtextextended('affwire prepare', 0))"
)
"""A step of the schema takes as long as its tables are large, and whoever starts meanwhile waits for it."""
_NEXT: Final = "SET LOCAL lock_timeout = 10; SAVEPOINT work"
"""Who holds rows already waits 10 ms: longer than most transactions take, far shorter than PostgreSQL looks for circles."""


class _Lost(Exception):
    """The transaction is gone with everything in it."""

    def __init__(self, error: AffwireError) -> None:
        self.error = error
        super().__init__(error.sentence)


class Writer:
    """Owns a writing connection; opened again after a fault. Not thread-safe: one thread at a time."""

    def __init__(self, server: PostgresServer, make_tx: MakeTx, prepare: Prepare | None) -> None:
        self._server = server
        self._make_tx = make_tx
        self._connection: Connection | None = None
        self._pid = 0
        self._open()
        if prepare:
            self._prepare(prepare)

    @property
    def pid(self) -> int:
        """The server's process behind the connection, or the last one."""
        return self._pid

    def transact(self, jobs: Iterator[Job]) -> tuple[bool, Job | None]:
        """Carry out `jobs` in one commit and resolve their futures.

        Return whether somebody asked to wake the engine, and the job that was put off: it comes first the next time.
        """
        kept: list[tuple[Job, Any]] = []
        woken = False
        for job in jobs:
            if not (job.future.running() or job.future.set_running_or_notify_cancel()):
                continue
            try:
                result, wakes = self._apply(job.work, first=not kept)
            except _Lost as lost:
                _fail([*(one for one, _ in kept), job], lost.error)
                return False, None
            except BaseException as error:  # noqa: BLE001 -- whatever a work raises belongs to its caller
                if kept and is_contended(error):
                    return self._commit(kept) and woken, job
                job.future.set_exception(error)
            else:
                kept.append((job, result))
                woken |= wakes
        return bool(kept) and self._commit(kept) and woken, None

    def look(self, work: Callable[[Tx], Any]) -> Any:
        """Run `work` on a snapshot of this connection, in which nothing can be written."""
        try:
            seen = horizon_of(driver_of(self._opened()))
            connection = self._begin(SNAPSHOT)
        except _Lost as lost:
            raise lost.error from lost
        connection.info[HORIZON] = seen
        try:
            return work(self._make_tx(connection))
        except BaseException as error:
            fault = fault_of(error)
            if fault:
                self._discard()
                raise fault from error
            raise
        finally:
            self._roll_back()

    def notify(self, channel: LiteralString) -> None:
        """Tell every process that listens. A hint: whatever goes wrong, the next transaction will notice."""
        with contextlib.suppress(psycopg.Error, AffwireError):
            driver_of(self._open()).execute(f"NOTIFY {channel}")

    def close(self) -> None:
        """Close the connection."""
        self._discard()
        self._server.dispose()

    def _prepare(self, prepare: Prepare) -> None:
        """Run the start-up work in one transaction, while no other process runs its own."""
        try:
            connection = self._begin(_BEGIN)
            driver_of(connection).execute(_PREPARING)
            prepare(connection)
            self._send("COMMIT")
        except BaseException as error:
            self._discard()
            fault = error.error if isinstance(error, _Lost) else fault_of(error)
            if fault:
                raise fault from error
            raise

    def _apply(self, work: Callable[[Tx], Any], *, first: bool) -> tuple[Any, bool]:
        tries = 0
        while True:
            tries += 1
            try:
                return self._try(work, first=first)
            except BaseException as error:
                # Later works of a transaction are not tried again in it, but put off.
                if not (first and is_contended(error)):
                    raise
                if is_taken(error) and tries >= TAKEN_TRIES_MAX:
                    raise
                if tries == TRIES_MAX:
                    raise Busy("store_contended", "Others are changing the same; try again shortly.") from error
            time.sleep(random.random() * PAUSE_MS * 2 ** (tries - 1) / 1000)

    def _try(self, work: Callable[[Tx], Any], *, first: bool) -> tuple[Any, bool]:
        # The first work needs no savepoint: alone in the transaction, it is undone with it.
        if first:
            self._begin(_BEGIN)
        else:
            self._send(_NEXT)
        try:
            tx = self._make_tx(self._open())
            result = work(tx)
        except BaseException as error:
            fault = fault_of(error)
            if fault:
                self._discard()
                raise _Lost(fault) from error
            self._send("ROLLBACK" if first else "ROLLBACK TO work; RELEASE work")
            if isinstance(error, StopIteration):
                raise Broken("work_stopped", "A work raised StopIteration, which no future can carry.") from error
            raise
        if not first:
            self._send("RELEASE work")
        return result, tx.woken

    def _commit(self, kept: list[tuple[Job, Any]]) -> bool:
        try:
            self._send("COMMIT")
        except _Lost as lost:
            _fail([job for job, _ in kept], lost.error)
            return False
        for job, result in kept:
            job.future.set_result(result)
        return True

    def _begin(self, statement: LiteralString) -> Connection:
        """Begin, and remember the database's time."""
        connection = self._opened()
        if driver_of(connection).info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            raise Broken("nested_transaction", "A work may not start another: pass its Tx on instead.")
        connection.info.pop(HORIZON, None)
        cursor = self._send(statement)
        cursor.nextset()
        [connection.info[NOW]] = cursor.fetchone() or (0,)
        return connection

    def _send(self, statement: LiteralString) -> "psycopg.Cursor[Any]":
        try:
            return driver_of(self._opened()).execute(statement)
        except psycopg.Error as error:
            self._discard()
            raise _Lost(fault_of(error) or unavailable(error)) from error

    def _opened(self) -> Connection:
        try:
            return self._open()
        except AffwireError as error:
            raise _Lost(error) from error

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._server.open_writer()
            self._pid = driver_of(self._connection).info.backend_pid
        return self._connection

    def _roll_back(self) -> None:
        if self._connection is not None and not self._connection.invalidated:
            with contextlib.suppress(psycopg.Error):
                driver_of(self._connection).execute("ROLLBACK")

    def _discard(self) -> None:
        """Give up the connection: the server undoes what was not committed."""
        if self._connection is not None:
            drop(self._connection)
            self._connection = None


def horizon_of(driver: "psycopg.Connection[Any]") -> int | None:
    """Return how far a snapshot that begins now can be followed; None where there are no tables yet."""
    try:
        return horizon.look(driver)
    except psycopg.errors.UndefinedTable:
        return None


def _fail(jobs: list[Job], error: AffwireError) -> None:
    """Fail all who shared a transaction; one error object each, since every caller raises its own."""
    for job in jobs:
        job.future.set_exception(type(error)(error.code, error.sentence, **error.facts))
