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
from typing import Final, TypeVar

from sqlalchemy import Connection

from affwire.errors import Busy, Refused
from affwire.store.engines.base import Engine, Job, Limits, MakeTx, Prepare, refuse_if
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

__all__ = ["InlinePostgres", "ThreadedPostgres", "began_at", "describe_at", "open_postgres", "place_of"]

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
        return InlinePostgres(writer, tuple(warnings))
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


class InlinePostgres:
    """Runs each work at once on the calling thread: no threads, no surprises."""

    inline = True

    def __init__(self, writer: Writer, warnings: tuple[str, ...] = ()) -> None:
        self._writer = writer
        self.warnings = warnings
        self._wakes = Wakes()
        self._lock = threading.RLock()
        self._closed = False

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Carry out `work` in a transaction of its own; see Engine."""
        future: Future[T] = Future()
        with self._lock:
            refuse_if(self._closed)
            woken, _ = self._writer.transact(iter([Job(work, future)]))
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
        """Refuse: see `no_backup`."""
        raise no_backup(target)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._writer.close()


class ThreadedPostgres:
    """Writes on one thread, reads on a few, listens on one; safe to call from any thread."""

    inline = False

    def __init__(
        self, server: PostgresServer, writer: Writer, make_tx: MakeTx, limits: Limits, warnings: tuple[str, ...]
    ) -> None:
        self.warnings = warnings
        self._writer = writer
        self._limits = limits
        self._wakes = Wakes()
        self._line: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._put_off: deque[Job] = deque()
        self._notify_at: float | None = None
        self._notified_at = 0.0
        self._door = threading.Lock()
        self._closed = False
        self._readers = Readers(server, make_tx, limits)
        self._listener = Listener(server, self._wakes.ring, lambda: writer.pid)
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
        """Call `callback` after each commit that asks for it, here or in another process; on a thread of this engine."""
        self._wakes.add(callback)

    def backup(self, target: Path) -> None:
        """Refuse: see `no_backup`."""
        raise no_backup(target)

    def close(self) -> None:
        """Finish what is in line, then close."""
        with self._door:
            last, self._closed = not self._closed, True
        if last:
            self._listener.close()
            self._readers.close()
            self._line.put(None)
        self._thread.join()

    def _write(self) -> None:
        """Commit after commit until told to stop; in between, tell the other processes."""
        while True:
            try:
                job = self._put_off.popleft() if self._put_off else self._line.get(timeout=self._pause())
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
        woken, put_off = self._writer.transact(self._together(job))
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


def no_backup(target: Path) -> Refused:
    """Return why there is no copy of such a database as a file."""
    return Refused(
        "backup_elsewhere",
        "The database is PostgreSQL, which has its own backups: use pg_dump or physical backups (see docs/operate.md).",
        path=str(target),
    )


_NOTHING: Final = Job(lambda _: None, Future())
