"""Opens connections to one PostgreSQL and names its faults.

Rule: what makes a commit durable is set and then read back, never assumed.
SQLAlchemy only compiles SQL here: BEGIN, SAVEPOINT and COMMIT are sent to the driver by writer and readers alone.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

import msgspec
import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from affwire.errors import AffwireError, Broken, Busy, Refused
from affwire.store.engines.base import Limits

VERSION_MIN: Final = 150_000
"""PostgreSQL 15: the oldest release that the statements are tested with."""
CONNECT_S: Final = 5
LOCK_MS: Final = 5_000
"""How long a work that holds nothing yet waits for a row that another holds."""
IDLE_MS: Final = 10_000
"""A holder that falls silent in its transaction (stopped, cut off) is ended, so that its rows are free again."""
STATEMENT_MS: Final = 30_000
"""A write that takes longer is stopped; the largest ones take a tenth of that."""
_DEAD_PEER_MS: Final = 15_000
"""What was sent and not taken for so long ends the connection: the network is cut."""
_STRONG: Final = frozenset({"on", "remote_apply"})
_LOST_CLASSES: Final = frozenset({"08", "53", "57", "58"})
"""Connection, resources, intervention by an operator, system: nobody's own fault."""
_DATA_CLASS: Final = "22"
"""A value does not fit: the message repeats it."""
_LOST: Final = frozenset({"25P03", "25P04"})
"""The transaction was ended because nothing came for too long."""
_CORRUPT: Final = frozenset({"XX001", "XX002"})
_CONTENDED: Final = frozenset({"40001", "40P01", "55P03", "23505"})
FSYNC_OFF: Final = "PostgreSQL runs with fsync=off: a power loss may destroy the whole database. Turn it on."
NOW: Final = "affwire_now"
"""Under this name a connection remembers the database's time (ms) at the start of its transaction."""


@dataclass(frozen=True, slots=True)
class Server:
    """What an operator may want to know of a database. `place` never holds a password."""

    version: str
    place: str
    synchronous_commit: str
    fsync: bool


class PostgresServer:
    """A database on a PostgreSQL server. Raises errors.Refused where it cannot be used."""

    def __init__(self, url: str, limits: Limits, keys: Sequence[str] = ()) -> None:
        self.url = url
        self.name = " ".join(("affwire", *keys))
        self.place = place_of(url)
        self.limits = limits
        self._engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            poolclass=NullPool,
            hide_parameters=True,
            use_native_hstore=False,
            json_deserializer=msgspec.json.decode,
        )

    def open_writer(self) -> Connection:
        """Return a connection whose commits are durable. errors.Refused: it cannot promise that; Busy: not to be had."""
        connection = self._open()
        try:
            _set(connection, lock_timeout=LOCK_MS, statement_timeout=STATEMENT_MS)
            _make_durable(connection, self.place)
        except BaseException as error:
            connection.close()
            raise fault_of(error) or error from error
        return connection

    def open_reader(self) -> Connection:
        """Return a connection for snapshots, each of whose statements is stopped after Limits.read_ms."""
        connection = self._open()
        try:
            _set(connection, statement_timeout=self.limits.read_ms)
        except BaseException as error:
            connection.close()
            raise fault_of(error) or error from error
        return connection

    def dispose(self) -> None:
        """Forget everything; the connections must be closed already."""
        self._engine.dispose()

    def _open(self) -> Connection:
        try:
            return self._engine.connect()
        except (DBAPIError, psycopg.Error) as error:
            raise self._unreachable(error) from error

    def _connect(self) -> "psycopg.Connection[Any]":
        driver = psycopg.connect(
            self.url,
            autocommit=True,
            connect_timeout=CONNECT_S,
            application_name=self.name,  # by which a rotation finds who does not know its key (vault.py)
            tcp_user_timeout=_DEAD_PEER_MS,
            keepalives_idle=5,
            keepalives_interval=5,
            keepalives_count=3,
        )
        # One type for all numbers: every size of its own would have the server prepare each statement anew.
        driver.adapters.register_dumper(int, Int8BinaryDumper)
        driver.adapters.register_dumper(int, Int8Dumper)
        return driver

    def _unreachable(self, error: BaseException) -> AffwireError:
        told = str(error.orig if isinstance(error, DBAPIError) else error).splitlines()
        # libpq says of each address that it tried why it failed, and below it, behind a tab, what one may look at.
        reason = next((line.strip() for line in reversed(told) if not line.startswith("\t")), "no reason given")
        return Busy("store_unavailable", f"The database {self.place} cannot be reached ({reason}); try again shortly.")


def place_of(url: str) -> str:
    """Return a database's address without user and password. Raises Refused("unknown_database") for one that is none."""
    try:
        conninfo_to_dict(url)
        parts = urlsplit(url)
    except (psycopg.Error, ValueError) as error:  # whose words hold the password
        raise Refused(
            "unknown_database",
            "AFFWIRE_DATABASE_URL cannot be read: it is postgresql://user:password@host:port/database, "
            "with what is no letter or digit in user and password as %XX.",
        ) from error
    host = parts.netloc.rpartition("@")[2]
    return f"postgresql://{host}{parts.path}"


def describe(connection: Connection, place: str) -> Server:
    """Return what a database says of itself."""
    cursor = driver_of(connection).execute(
        "SELECT current_setting('server_version'), current_setting('synchronous_commit'), current_setting('fsync')"
    )
    version, commit, fsync = cursor.fetchone() or ("", "", "")
    return Server(version, place, commit, fsync == "on")


def driver_of(connection: Connection) -> "psycopg.Connection[Any]":
    """Return the driver's own connection under SQLAlchemy's."""
    return cast("psycopg.Connection[Any]", connection.connection.dbapi_connection)


def drop(connection: Connection) -> None:
    """Close a connection for good, whatever state it is in: the server undoes what was not committed."""
    if not connection.invalidated:  # else SQLAlchemy has seen that it is cut, and closed it
        with contextlib.suppress(psycopg.Error):
            driver_of(connection).close()
        connection.invalidate()
    connection.close()


def unsafe(connection: Connection, place: str) -> tuple[str, ...]:
    """Return why the server may lose what it acknowledged, and say it aloud: fsync is off."""
    if describe(connection, place).fsync:
        return ()
    structlog.get_logger("affwire.store").error("store.not_durable", database=place, sentence=FSYNC_OFF)
    return (FSYNC_OFF,)


def is_contended(error: BaseException) -> bool:
    """Whether another transaction was in the way: carried out again, the work finds what that one left.

    A broken unique constraint is one, too: whoever looked first saw no such row yet.
    """
    return _state(error) in _CONTENDED


def is_taken(error: BaseException) -> bool:
    """Whether a unique constraint was broken."""
    return _state(error) == "23505"


def fault_of(error: BaseException) -> AffwireError | None:
    """Return what to tell callers if `error` is the storage's fault, None if it is the work's own.

    Either way the error loses what it says of the row it met: whoever logs it shows no e-mail address.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return None
    state = _state(error)
    if state:
        error.args = cause.args = (_text(cause),)  # whose further lines repeat the row
    if state in _CORRUPT:
        return Broken("store_corrupt", f"The database is damaged ({_text(cause)}): stop affwire and restore a backup.")
    cut = state is None and isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError))
    if cut or state in _LOST or (state or "")[:2] in _LOST_CLASSES:
        return unavailable(cause)
    return None


def unavailable(error: BaseException) -> Busy:
    """Return the error for everyone whose transaction ended with `error`: nothing of it was acknowledged."""
    return Busy("store_unavailable", f"The store could not keep this change ({_text(error)}); try again shortly.")


def _make_durable(connection: Connection, place: str) -> None:
    if describe(connection, place).synchronous_commit not in _STRONG:
        driver_of(connection).execute("SET synchronous_commit = on")
    found = describe(connection, place).synchronous_commit
    if found not in _STRONG:
        raise Refused(
            "store_not_durable",
            f"{place} acknowledges before it has written (synchronous_commit={found}): set it to on.",
        )


def _set(connection: Connection, **limits_ms: int) -> None:
    """Set limits for everything that this connection does."""
    driver = driver_of(connection)
    if driver.info.server_version < VERSION_MIN:
        raise Refused("database_too_old", "affwire needs PostgreSQL 15 or newer.")
    settings = {**limits_ms, "idle_in_transaction_session_timeout": IDLE_MS, "jit": "off"}
    driver.execute("; ".join(f"SET {name} = '{value}'" for name, value in settings.items()).encode())


def _state(error: BaseException) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def _text(error: BaseException) -> str:
    """Name a fault without the statement, or the values it met."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if (_state(error) or "").startswith(_DATA_CLASS):
        return type(cause).__name__
    told = cause.diag.message_primary if isinstance(cause, psycopg.Error) else None
    return f"{type(cause).__name__}: {told or str(cause).strip()}"
