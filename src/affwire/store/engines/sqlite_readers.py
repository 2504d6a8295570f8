"""A few threads, each with a connection that can only read: one consistent snapshot per call.

Rule: a snapshot is never kept: it would stop the write-ahead log from being emptied.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from sqlalchemy import Connection

from affwire.errors import Busy
from affwire.store.engines.base import Limits, MakeTx
from affwire.store.engines.sqlite_file import SqliteFile, driver_of, fault_of
from affwire.store.tx import Tx

T = TypeVar("T")
_STEPS_BETWEEN_LOOKS: Final = 100_000
"""Steps of SQLite's machine between two looks at the clock: about a millisecond."""


class Readers:
    """Runs reads on threads of their own; connections are opened when first needed and used again."""

    def __init__(self, file: SqliteFile, make_tx: MakeTx, limits: Limits) -> None:
        self._file = file
        self._make_tx = make_tx
        self._read_ms = limits.read_ms
        self._room = threading.Semaphore(limits.readers + limits.reads_waiting)
        self._idle: deque[Connection] = deque()
        self._threads = ThreadPoolExecutor(limits.readers, thread_name_prefix="affwire-reader")

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Put `work` in line; errors.Busy when the line is full."""
        if not self._room.acquire(blocking=False):
            raise Busy("too_many_reads", "Too many reads are waiting; try again shortly.")
        future = self._threads.submit(self._read, work)
        future.add_done_callback(lambda _: self._room.release())
        return future

    def close(self) -> None:
        """Finish what is in line and close."""
        self._threads.shutdown()
        while self._idle:
            self._idle.pop().close()

    def _read(self, work: Callable[[Tx], T]) -> T:
        connection = self._idle.pop() if self._idle else self._file.open_reader()
        try:
            result = self._snapshot(connection, work)
        except BaseException as error:
            fault = fault_of(error, reading=True)
            if not fault:
                self._idle.append(connection)
                raise
            connection.close()
            raise fault from error
        self._idle.append(connection)
        return result

    def _snapshot(self, connection: Connection, work: Callable[[Tx], T]) -> T:
        driver = driver_of(connection)
        _stop_after(driver, self._read_ms)
        driver.execute("BEGIN")
        try:
            return work(self._make_tx(connection))
        finally:
            if driver.in_transaction:
                driver.execute("ROLLBACK")


def _stop_after(driver: sqlite3.Connection, limit_ms: int) -> None:
    end = time.monotonic() + limit_ms / 1000
    driver.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_LOOKS)
