"""PostgreSQL: the engine for many machines. Every process writes over one connection and reads over a few.

    submit -> line -> writer thread: one connection, one commit for many -> futures -> wake here, NOTIFY for the others
    read   -> a few reader threads, REPEATABLE READ, READ ONLY

Rule: works are carried out in the order of their line, as on SQLite; what runs at the same time are processes.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from affwire.errors import Refused
from affwire.store.engines.base import Engine, Job, Limits, MakeTx, Prepare
from affwire.store.engines.inline import Inline
from affwire.store.engines.line import Line
from affwire.store.engines.postgres_listener import CHANNEL, Listener
from affwire.store.engines.postgres_readers import Readers
from affwire.store.engines.postgres_server import (
    NOW,
    PostgresServer,
    Server,
    describe,
    driver_of,
    drop,
    place_of,
    unsafe,
)
from affwire.store.engines.postgres_writer import Writer
from affwire.store.engines.wakes import Wakes
from affwire.store.tx import Tx

__all__ = ["Alone", "ThreadedPostgres", "began_at", "describe_at", "open_postgres", "place_of"]

T = TypeVar("T")
NOTIFY_MS: Final = 20
"""Other processes are told at most so often: each time takes a lock on the whole server, and a flush."""


def open_postgres(
    url: str,
    make_tx: MakeTx,
    *,
    prepare: Prepare | None = None,
    inline: bool = False,
    limits: Limits | None = None,
    keys: Sequence[str] = (),
) -> Engine:
    """Open the database at `url` (postgresql://...). `keys`: names of the master keys that this process knows.

    `prepare` gets the connection once, before any work, in a transaction of its own and of one process at a time.
    Raises what `prepare` raises, errors.Busy where the server cannot be reached, errors.Refused where it is not fit.
    """
    limits = limits or Limits()
    server = PostgresServer(url, limits, keys)
    warnings: list[str] = []

    def prepared(connection: Connection) -> None:
        warnings.extend(unsafe(connection, server.place))
        if prepare:
            prepare(connection)

    writer = Writer(server, make_tx, prepared)
    if inline:
        return Inline(Alone(writer), tuple(warnings))
    return ThreadedPostgres(server, writer, make_tx, limits, tuple(warnings))


def describe_at(url: str, look: Callable[[Connection], T]) -> tuple[Server, T]:
    """Return what a database says of itself, and what `look` finds in it. Nothing can be written. Raises as open_postgres."""
    server = PostgresServer(url, Limits())
    connection = server.open_reader()
    try:
        driver_of(connection).execute("SET default_transaction_read_only = on")
        return describe(connection, server.place), look(connection)
    finally:
        drop(connection)
        server.dispose()


def began_at(connection: Connection) -> int:
    """Return the database's time (ms) when the transaction at hand began."""
    return int(connection.info[NOW])


class Alone:
    """The writer of an engine without threads: one job at a time, so that none is ever put off."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def transact(self, jobs: Iterator[Job]) -> bool:
        """Carry out the one job, and tell whether it asked to wake the engine."""
        woken, _ = self._writer.transact(jobs)
        return woken

    def look(self, work: Callable[[Tx], Any]) -> Any:
        """Run `work` on a snapshot, in which nothing can be written."""
        return self._writer.look(work)

    def copy_to(self, target: Path) -> None:
        """Refuse: see `no_backup`."""
        raise no_backup(target)

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


class ThreadedPostgres:
    """Writes on one thread, reads on a few, listens on one; safe to call from any thread."""

    inline = False

    def __init__(
        self, server: PostgresServer, writer: Writer, make_tx: MakeTx, limits: Limits, warnings: tuple[str, ...]
    ) -> None:
        self.warnings = warnings
        self._writer = writer
        self._wakes = Wakes()
        self._line = Line(limits)
        self._put_off: deque[Job] = deque()
        self._notify_at: float | None = None
        self._notified_at = 0.0
        self._readers = Readers(server, make_tx, limits)
        self._listener = Listener(server, self._wakes.ring, lambda: writer.pid)
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
        """Call `callback` after each commit that asks for it, here or in another process; on a thread of this engine."""
        self._wakes.add(callback)

    def backup(self, target: Path) -> None:
        """Refuse: see `no_backup`."""
        raise no_backup(target)

    def close(self) -> None:
        """Finish what is in line, then close."""
        if self._line.close():
            self._listener.close()
            self._readers.close()
            self._line.end()
        self._thread.join()

    def _write(self) -> None:
        """Commit after commit until told to stop; in between, tell the other processes."""
        while True:
            try:
                job = self._put_off.popleft() if self._put_off else self._line.take(self._pause())
            except queue.Empty:
                job = _NOTHING
            if job is None:
                break
            if job is not _NOTHING:
                self._commit(job)
            if self._notify_at is not None and time.monotonic() >= self._notify_at:
                self._notify()
        if self._notify_at is not None:
            self._notify()
        self._writer.close()

    def _commit(self, job: Job) -> None:
        woken, put_off = self._writer.transact(self._line.together(job))
        if put_off:
            self._put_off.appendleft(put_off)
        if woken:
            self._wakes.ring()
            if self._notify_at is None:
                self._notify_at = max(time.monotonic(), self._notified_at + NOTIFY_MS / 1000)

    def _notify(self) -> None:
        self._notify_at, self._notified_at = None, time.monotonic()
        self._writer.notify(CHANNEL)

    def _pause(self) -> float | None:
        return None if self._notify_at is None else max(0.0, self._notify_at - time.monotonic())


def no_backup(target: Path) -> Refused:
    """Return why there is no copy of such a database as a file."""
    return Refused(
        "backup_elsewhere",
        "The database is PostgreSQL, which has its own backups: use pg_dump or physical backups (see docs/operate.md).",
        path=str(target),
    )


_NOTHING: Final = Job(lambda _: None, Future())
