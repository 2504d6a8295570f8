"""Brings everything from a file of SQLite into an empty PostgreSQL: one transaction, counted and compared at its end.

Rule: the file is only read; what differs in any row is found before the commit, and then nothing has happened.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
from msgspec import Struct
from psycopg import sql
from sqlalchemy import JSON, Boolean, Connection, Table

from affwire.errors import Conflict, Refused
from affwire.store import partitions, schema
from affwire.store.engines.base import Limits
from affwire.store.engines.postgres import open_postgres
from affwire.store.engines.postgres_server import driver_of
from affwire.store.engines.sqlite_file import SqliteFile
from affwire.store.engines.sqlite_file import driver_of as file_of
from affwire.store.tables import PARTITIONED, metadata
from affwire.store.tx import Tx
from affwire.store.vault import Vault
from affwire.world import World

ROWS: Final = 2_000
"""Rows between two steps of whoever watches, and rows fetched at a time to be compared."""
_TABLES: Final = tuple(metadata.sorted_tables)
_COUNT_UNDER_WAY: Final = (
    "INSERT INTO under_way (endpoint_id, leased_by, priority, leases) SELECT endpoint_id, leased_by, priority, COUNT(*) "
    "FROM queue WHERE leased_by IS NOT NULL GROUP BY endpoint_id, leased_by, priority"
)
"""SQLite counts these in an index, so that the table is empty there."""

Watch = Callable[[str, int, int], object]
"""Is told a table's name, how many of its rows are done, and how many there are to do: each is copied, and then compared."""


class Moved(Struct, frozen=True):
    """A table that was moved: its rows, and the sum over their digests, which both databases had."""

    table: str
    rows: int
    checksum: str


def move(path: Path, url: str, vault: Vault, watch: Watch = lambda *_: None) -> list[Moved]:
    """Copy all tables of the file at `path` into the database at `url`, and compare them. The caller holds the file's lock.

    Raises Conflict("target_not_empty"), and Refused: "move_differs", "not_movable", what schema and vault refuse.
    """
    file, world = SqliteFile(path, Limits()), World()
    moved: list[Moved] = []

    def prepare(target: Connection) -> None:
        moved.extend(_moved(source, target, vault, watch))

    source = file.open_reader()
    try:
        file_of(source).execute("BEGIN")
        schema.check(source)
        vault.check(source)
        open_postgres(url, lambda one: Tx(one, world, vault, world.now()), prepare=prepare, inline=True).close()
    except psycopg.DataError as error:
        reason = error.diag.message_primary or type(error).__name__
        raise Refused("not_movable", f"PostgreSQL does not take a row ({reason}); nothing was moved.") from error
    finally:
        source.close()
        file.dispose()
    return moved


def _moved(source: Connection, target: Connection, vault: Vault, watch: Watch) -> Iterable[Moved]:
    to = driver_of(target)
    to.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
    schema.upgrade(target)
    to.execute("DELETE FROM meta WHERE name = %s", [schema.COMPATIBLE_FROM])  # the file's own comes with its rows
    for table in _TABLES:
        if to.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table.name))).fetchone():
            raise Conflict("target_not_empty", f"The database holds rows in {table.name} already: give one of its own.")
    for table in _TABLES:
        if PARTITIONED in table.info:
            by = table.info[PARTITIONED]
            [earliest] = file_of(source).execute(f"SELECT MIN({by}) FROM {table.name}").fetchone()  # noqa: S608 -- ours
            partitions.cover(target, table.name, by, earliest)
    found = [_table(file_of(source), to, table, watch) for table in _TABLES]
    to.execute(_COUNT_UNDER_WAY)
    vault.check(target)
    return found


def _table(source: sqlite3.Connection, to: "psycopg.Connection[Any]", table: Table, watch: Watch) -> Moved:
    [[rows]] = source.execute(f"SELECT COUNT(*) FROM {table.name}")  # noqa: S608 -- our own names
    before = _Sum(table, 2 * rows, watch)
    names = [column.name for column in table.columns]
    listed = ", ".join(names)
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with to.cursor() as cursor, cursor.copy(into) as copy:
        for row in source.execute(f"SELECT {listed} FROM {table.name}"):  # noqa: S608 -- our own names
            before.add(row)
            copy.write_row(row)
    after = _Sum(table, 2 * rows, watch, done=rows)
    shown = [
        sql.SQL("{}::text").format(sql.Identifier(column.name))
        if isinstance(column.type, JSON)
        else sql.Identifier(column.name)
        for column in table.columns
    ]
    with to.cursor(name="affwire_move") as cursor:
        cursor.itersize = ROWS
        cursor.execute(sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(shown), sql.Identifier(table.name)))
        for row in cursor:
            after.add(row)
    if before.value != after.value:
        raise Refused(
            "move_differs",
            f"{table.name} is not in PostgreSQL what it is in the file; nothing was moved.",
            table=table.name,
        )
    _go_on_counting(source, to, table)
    watch(table.name, 2 * rows, 2 * rows)
    return Moved(table.name, rows, f"{before.value[1]:016x}")


class _Sum:
    """How many rows a table has, and a sum over all of them that tells any difference, in whatever order they come."""

    def __init__(self, table: Table, total: int, watch: Watch, done: int = 0) -> None:
        self._flags = [at for at, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
        self._name, self._total, self._watch, self._done = table.name, total, watch, done
        self.value = (0, 0)
        watch(table.name, done, total)

    def add(self, row: Sequence[Any]) -> None:
        values = list(row)
        for at in self._flags:
            values[at] = bool(values[at])
        count, total = self.value
        digest = hashlib.blake2b(repr(values).encode(), digest_size=8).digest()
        self.value = (count + 1, (total + int.from_bytes(digest)) % 2**64)
        if self.value[0] % ROWS == 0:
            self._watch(self._name, self._done + self.value[0], self._total)


def _go_on_counting(source: sqlite3.Connection, to: "psycopg.Connection[Any]", table: Table) -> None:
    """A position that was ever given is never given again."""
    if "position" in table.c:
        last = source.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [table.name]).fetchone()
        if last:
            to.execute("SELECT setval(%s::regclass, %s)", [f"{table.name}_position_seq", last[0]])
