"""Opens connections to one SQLite database and names its faults.

Rule: what makes a commit durable (write-ahead log, synchronous=FULL) is set and then read back, never assumed.
SQLAlchemy only compiles SQL here: BEGIN, SAVEPOINT and COMMIT are sent to the driver by the writer alone.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from affwire.errors import AffwireError, Broken, Busy, Refused
from affwire.store.engines.base import Limits

CHECKPOINT_PAGES: Final = 4_000
"""Pages in the write-ahead log (16 MiB) after which a commit also moves them into the file.

An engine at work writes the same pages of its indexes again and again: four times SQLite's own default moves each of
them less often, which saved a seventh of what the engine's statements take.
"""
CACHE_KIB: Final = 6 * 1024
"""Pages the writer keeps in memory: the ends of the indexes, not the history. 16 MiB took 10 more and drained no faster."""
_SYNCHRONOUS_FULL: Final = 2

_FAULTS: Final = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_INTERRUPT,
}
_CORRUPT: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def sqlite_version() -> str:
    """Return the version of the SQLite library in use."""
    return sqlite3.sqlite_version


def has_wal_reset_bug(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> bool:
    """Tell whether this SQLite can lose commits when two connections write and checkpoint at once.

    Harmless here: one connection does all writes and all checkpoints. Fixed in 3.51.3, 3.50.7 and 3.44.6
    (sqlite.org/wal.html#walresetbug).
    """
    backported = version[:2] in {(3, 44), (3, 50)} and version >= {44: (3, 44, 6), 50: (3, 50, 7)}[version[1]]
    return (3, 7, 0) <= version < (3, 51, 3) and not backported


class SqliteFile:
    """A database file, or a private database in memory when `path` is None."""

    def __init__(self, path: Path | None, limits: Limits) -> None:
        self.path = path
        self.busy_ms = limits.busy_ms
        self.wal_bytes_max = limits.wal_bytes
        self._engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool, hide_parameters=True)

    def open_writer(self) -> Connection:
        """Return the one connection that writes; errors.Refused if it could not promise durability."""
        connection = self._open()
        driver = driver_of(connection)
        if self.path is not None:
            _make_durable(driver, self.path)
            driver.execute(f"PRAGMA journal_size_limit={self.wal_bytes_max}")
        driver.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        # What undoes half a statement: kept in a file, it was a third of what the engine's statements take.
        driver.execute("PRAGMA temp_store=MEMORY")
        return connection

    def open_reader(self) -> Connection:
        """Return a connection that can neither write nor checkpoint."""
        connection = self._open()
        driver_of(connection).execute("PRAGMA wal_autocheckpoint=0")
        driver_of(connection).execute("PRAGMA query_only=1")
        return connection

    def wal_is_long(self) -> bool:
        """Tell whether the write-ahead log has outgrown its limit."""
        try:
            return Path(f"{self.path}-wal").stat().st_size > self.wal_bytes_max
        except FileNotFoundError:
            return False

    def dispose(self) -> None:
        """Forget everything; the connections must be closed already."""
        self._engine.dispose()

    def _open(self) -> Connection:
        try:
            return self._engine.connect()
        except (DBAPIError, sqlite3.Error, OSError) as error:
            raise Refused(
                "database_unopenable", f"Cannot open the database {self.path}: {_text(error)}.", path=str(self.path)
            ) from error

    def _connect(self) -> sqlite3.Connection:
        if self.path is not None:
            _make_private(self.path)
        return sqlite3.connect(
            self.path or ":memory:",
            timeout=self.busy_ms / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return the driver's own connection under SQLAlchemy's."""
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


def fault_of(error: BaseException, *, reading: bool = False) -> AffwireError | None:
    """Return what to tell callers if `error` is the storage's fault, None if it is the work's own.

    A work that tries to write while `reading` has only itself to blame; for the writer it is a disk gone read-only.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code in _CORRUPT:
        return Broken("store_corrupt", f"The database is damaged ({_text(error)}): stop affwire and restore a backup.")
    if code not in _FAULTS or (reading and code == sqlite3.SQLITE_READONLY):
        return None
    return unavailable(error)


def unavailable(error: BaseException) -> Busy:
    """Return the error for everyone whose transaction ended with `error`: nothing of it was acknowledged."""
    return Busy("store_unavailable", f"The store could not keep this change ({_text(error)}); try again shortly.")


def _make_private(path: Path) -> None:
    """Make a file that is not there before SQLite does: it holds everything there is to know, so nobody else may read it.

    One that is there is never opened here. To close it would drop every lock that this process holds on it, and whoever
    then looks in from outside would take the write-ahead log away with what was committed (sqlite.org/howtocorrupt.html, 2.2).
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _make_durable(driver: sqlite3.Connection, path: Path) -> None:
    try:
        mode = driver.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        driver.execute("PRAGMA synchronous=FULL")
        level = driver.execute("PRAGMA synchronous").fetchone()[0]
        driver.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    except sqlite3.Error as error:
        driver.close()
        raise fault_of(error) or unavailable(error) from error
    if (mode, level) != ("wal", _SYNCHRONOUS_FULL):
        driver.close()
        raise Refused(
            "store_not_durable",
            f"{path} cannot be written durably (journal_mode={mode}, synchronous={level}): use a local disk.",
        )


def _text(error: BaseException) -> str:
    """Name a fault without the statement or the values it met."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(cause, "sqlite_errorname", type(cause).__name__)
    return f"{name}: {cause}"
