"""A few threads, each with a connection that only reads: one consistent snapshot per call.

Rule: a snapshot is never kept: it would keep the server from clearing away what others have changed.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

import psycopg
from sqlalchemy import Connection

from affwire.errors import Busy
from affwire.store.engines.base import Limits, MakeTx
from affwire.store.engines.postgres_server import NOW, PostgresServer, driver_of, drop, fault_of
from affwire.store.engines.postgres_writer import SNAPSHOT, horizon_of
from affwire.store.horizon import HORIZON
from affwire.store.tx import Tx

T = TypeVar("T")
LOOK_S: Final = 0.005
"""How long a look at what is being written holds good: far less than a feed waits before it reads."""


class Readers:
    """Runs reads on threads of their own; connections are opened when first needed and used again."""

    def __init__(self, server: PostgresServer, make_tx: MakeTx, limits: Limits) -> None:
        self._server = server
        self._make_tx = make_tx
        self._room = threading.Semaphore(limits.readers + limits.reads_waiting)
        self._idle: deque[Connection] = deque()
        self._looked: tuple[float, int | None] = (0.0, None)
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
        connection = self._idle.pop() if self._idle else self._server.open_reader()
        try:
            result = self._snapshot(connection, work)
        except BaseException as error:
            fault = fault_of(error)
            if fault:
                drop(connection)
                raise fault from error
            self._idle.append(connection)
            raise
        self._idle.append(connection)
        return result

    def _horizon(self, driver: "psycopg.Connection[Any]") -> int | None:
        """Reads in quick succession share a look: an old one only hides what is new."""
        looked_at, horizon = self._looked
        now = time.monotonic()
        if now - looked_at >= LOOK_S:
            horizon = horizon_of(driver)
            self._looked = (now, horizon)
        return horizon

    def _snapshot(self, connection: Connection, work: Callable[[Tx], T]) -> T:
        driver = driver_of(connection)
        connection.info[HORIZON] = self._horizon(driver)
        cursor = driver.execute(SNAPSHOT)
        cursor.nextset()
        [connection.info[NOW]] = cursor.fetchone() or (0,)
        try:
            return work(self._make_tx(connection))
        finally:
            with contextlib.suppress(psycopg.Error):
                driver.execute("ROLLBACK")
