"""History on PostgreSQL: a table for each week, made ahead, dropped as a whole by the retention.

Rule: no partition is dropped that holds anything of a delivery that is not forgotten; what fits into none is in `_rest`
and goes row by row. On SQLite there are no partitions, and nothing here does anything.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, text

from affwire.store.tables import PARTITIONED, attempts, deliveries, endings

WEEK_MS: Final = 7 * 24 * 3_600_000
AHEAD: Final = 4
"""Weeks made ahead: whoever was stopped for less finds a place for what it writes first."""
BACK_MAX: Final = 60
"""Weeks that are made for what is there already: older rows, of which there are few, are in `_rest`."""
LOCK_MS: Final = 200
"""To make and to drop, the tables must be ours for a moment. Who waits for them has others wait: so not for long."""
_TABLES: Final = (deliveries, endings, attempts)
_PARTITIONS: Final = text("""
    SELECT inhrelid::regclass::text AS name FROM pg_inherits
    WHERE inhparent = to_regclass(:table) AND inhrelid::regclass::text LIKE '%\\_w_____'
    ORDER BY name
""")
_FILLED: Final = """
    SELECT EXISTS (SELECT 1 FROM {name}), COALESCE(MIN(position), 0), COALESCE(MAX(position), 0) FROM {name}
"""
_KEPT: Final = text("""
    SELECT EXISTS (SELECT 1 FROM queue WHERE position BETWEEN :first AND :last)
        OR EXISTS (SELECT 1 FROM endings WHERE position BETWEEN :first AND :last)
""")
_SWEEP: Final = text("""
    DELETE FROM deliveries WHERE (position, created_at) IN (
        SELECT position, created_at FROM deliveries WHERE created_at < :before
        AND NOT EXISTS (SELECT 1 FROM queue WHERE queue.position = deliveries.position)
        AND NOT EXISTS (SELECT 1 FROM endings WHERE endings.position = deliveries.position) LIMIT :limit
    )
""")
_SWEEP_ATTEMPTS: Final = text("""
    DELETE FROM attempts WHERE (position, ended_at) IN (
        SELECT position, ended_at FROM attempts WHERE ended_at < :before
        AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.position = attempts.delivery_position) LIMIT :limit
    )
""")


class Partition(Struct, frozen=True):
    """A table of one week: its name, and the time (ms) at which the week ends."""

    name: str
    until: int


def turn(connection: Connection, now: int, before: int) -> int:
    """Make the partitions of this week and of the weeks ahead, drop what is wholly older than `before`. Times in ms.

    Return how many were dropped.
    """
    if connection.dialect.name == "sqlite":
        return 0
    for table in _TABLES:
        _make(connection, table.name, table.info[PARTITIONED], _weeks(now, now))
    return len(drop(connection, before))


def cover(connection: Connection, table: str, by: str, since: int | None) -> None:
    """Make the partitions of a table whose rows begin at a time (ms), up to the weeks ahead of the database's clock."""
    now: int = connection.execute(text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")).scalar_one()
    _make(connection, table, by, _weeks(now if since is None else since, now))


def drop(connection: Connection, before: int) -> list[str]:
    """Drop the partitions all of whose deliveries ended before a time (ms); return their names."""
    dropped = [one.name for one in _over(connection, endings.name, before)]
    _drop(connection, dropped)  # with its ending, a delivery is forgotten: the rest of it goes behind
    facts = [one for one in _over(connection, deliveries.name, before) if not _holds_kept(connection, one)]
    _drop(connection, [one.name for one in facts])
    oldest = _oldest(connection)
    tried = [one for one in _over(connection, attempts.name, before) if oldest is None or one.until <= oldest]
    _drop(connection, [one.name for one in tried])
    return [*dropped, *(one.name for one in (*facts, *tried))]


def sweep(connection: Connection, before: int, *, limit: int) -> int:
    """Delete what is left of forgotten deliveries in weeks that one is kept of; return how many rows, at most, of a table.

    Of what began before a time (ms).
    """
    if connection.dialect.name == "sqlite":
        return 0
    values = {"before": before, "limit": limit}
    return max(connection.execute(statement, values).rowcount for statement in (_SWEEP, _SWEEP_ATTEMPTS))


def _weeks(since: int, now: int) -> range:
    current = now // WEEK_MS
    return range(max(since // WEEK_MS, current - BACK_MAX), current + AHEAD + 1)


def _make(connection: Connection, table: str, by: str, weeks: range) -> int:
    there = {one.name for one in _of(connection, table)}
    missing = [week for week in weeks if _name(table, week) not in there]
    if missing:
        connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_MS}"))
    made = 0
    for week in missing:
        first, end = week * WEEK_MS, (week + 1) * WEEK_MS
        taken = text(f"SELECT EXISTS (SELECT 1 FROM {table}_rest WHERE {by} >= :first AND {by} < :end)")  # noqa: S608 -- ours
        if not connection.execute(taken, {"first": first, "end": end}).scalar():
            span = f"FOR VALUES FROM ({first}) TO ({end})"
            connection.execute(text(f"CREATE TABLE {_name(table, week)} PARTITION OF {table} {span}"))
            made += 1
    return made


def _name(table: str, week: int) -> str:
    return f"{table}_w{week:05d}"


def _of(connection: Connection, table: str) -> Iterator[Partition]:
    for name in connection.execute(_PARTITIONS, {"table": table}).scalars().all():
        yield Partition(name, (int(name[-5:]) + 1) * WEEK_MS)


def _over(connection: Connection, table: str, before: int) -> list[Partition]:
    return [one for one in _of(connection, table) if one.until <= before]


def _holds_kept(connection: Connection, partition: Partition) -> bool:
    filled, first, last = connection.execute(text(_FILLED.format(name=partition.name))).one()
    return bool(filled) and bool(connection.execute(_KEPT, {"first": first, "last": last}).scalar())


def _oldest(connection: Connection) -> int | None:
    """Return a time (ms) before which no delivery on record was made, as near as whole weeks can tell."""
    rest: int | None = connection.execute(text("SELECT MIN(created_at) FROM deliveries_rest")).scalar()
    for one in _of(connection, deliveries.name):
        filled, *_ = connection.execute(text(_FILLED.format(name=one.name))).one()
        if filled:
            return min(one.until - WEEK_MS, one.until if rest is None else rest)
    return rest


def _drop(connection: Connection, names: list[str]) -> None:
    if names:
        connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_MS}"))
        connection.execute(text(f"DROP TABLE {', '.join(names)}"))
