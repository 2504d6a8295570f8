"""How far attempts can be followed: the last position before which nothing is still to be committed.

On PostgreSQL several processes write attempts at once, and a later position may be committed before an earlier one.
Whoever writes them says first, by a shared lock that ends with the transaction, behind which position it will do so.
Rule: a look at the locks comes before the snapshot it is for; an old look only hides what is new.
"""

from typing import Any, Final, LiteralString, Protocol

from sqlalchemy import Connection

from affwire.store.hot import Hot

HORIZON: Final = "affwire_horizon"
"""Under this name a connection remembers how far its snapshot can be followed."""
_PLACE: Final = "(hashtext(current_schema())::bigint & 32767) << 48"
"""Locks are the whole database's: an installation is told from its neighbours in other schemas by fifteen bits."""
_MARK: Final = Hot(f"SELECT pg_advisory_xact_lock_shared(({_PLACE}) | last_value) FROM attempts_position_seq")  # noqa: S608 -- constants
_LAST: Final[LiteralString] = "SELECT last_value FROM attempts_position_seq"
_MARKS: Final[LiteralString] = f"""
    SELECT min(((classid::bigint << 32) | objid::bigint) & ((1::bigint << 48) - 1)) FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ShareLock'
    AND ((classid::bigint << 32) | objid::bigint) >> 48 = ({_PLACE}) >> 48
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 -- constants


class _Driver(Protocol):
    def execute(self, query: LiteralString) -> Any: ...


def mark(connection: Connection) -> None:
    """Say that this transaction writes attempts from here on; where whoever writes is alone, nothing need be said."""
    if connection.dialect.name != "sqlite":
        _MARK.run(connection, {})


def look(driver: _Driver) -> int:
    """Return how far a snapshot that begins after this can be followed. Outside of any transaction."""
    # In this order: who marks after the first look writes behind what it saw.
    [last] = driver.execute(_LAST).fetchone()
    [marked] = driver.execute(_MARKS).fetchone()
    return int(last if marked is None else min(last, marked))


def of(connection: Connection) -> int | None:
    """Return how far this connection's snapshot can be followed; None: to its end."""
    return connection.info.get(HORIZON) if connection.dialect.name != "sqlite" else None
