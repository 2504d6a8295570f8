"""Hot statements: compiled once per dialect of SQL, run on the driver's own cursor. For the outbox's inner loops only.

SQLAlchemy's way to the driver costs several times what the driver itself takes for a statement of one row.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, Self

from sqlalchemy import JSON, BigInteger, Boolean, Connection, Float, Integer, LargeBinary, Table, Text, text
from sqlalchemy.engine.interfaces import DBAPICursor

ROWS_MAX: Final = 64
"""Rows of values in one statement: a power of two, and a text of a few KiB."""
EACH_MAX: Final = 16
"""Queries in one statement: each has its own cursors."""

_TYPES: Final[dict[type, str]] = {
    BigInteger: "bigint",
    Integer: "integer",
    Text: "text",
    Boolean: "boolean",
    Float: "float8",
    JSON: "json",
    LargeBinary: "bytea",
}


class Hot:
    """A statement with named parameters (`:name`). Runs in the connection's transaction, like any other."""

    def __init__(self, statement: str, *, shared: str = "", postgres: str | None = None) -> None:
        """`shared` is what comes behind it where others write at the same time: FOR UPDATE, SKIP LOCKED.

        `postgres` is what PostgreSQL gets in its place.
        """
        self.text = statement
        self._postgres = postgres or f"{statement} {shared}"
        self._compiled: dict[str, tuple[str, Sequence[str] | None]] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> DBAPICursor:
        """Run it once; the cursor has the rows or the row count."""
        statement, order = self._for(connection)
        cursor = connection.connection.cursor()
        cursor.execute(statement, _arranged(values, order))
        return cursor

    def run_many(self, connection: Connection, many: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of the values."""
        statement, order = self._for(connection)
        cursor = connection.connection.cursor()
        cursor.executemany(statement, [_arranged(values, order) for values in many])
        cursor.close()

    def _for(self, connection: Connection) -> tuple[str, Sequence[str] | None]:
        name = connection.dialect.name
        if name not in self._compiled:
            statement = self.text if name == "sqlite" else self._postgres
            compiled = text(statement).compile(dialect=connection.dialect)
            self._compiled[name] = (str(compiled), compiled.positiontup if compiled.positional else None)
        return self._compiled[name]


class HotRows:
    """A statement over many rows of values at once, which stand in it as `VALUES {rows}`: (?, ?), (?, ?), ...

    SQLite's driver gives up the interpreter's lock once per row that it runs or returns. Where the event loop waits for
    it, each time may be a change of threads (decisions/0014). PostgreSQL gets the columns as arrays of these `types`:
    one statement, prepared once, however many rows there are.
    """

    def __init__(self, statement: str, types: Sequence[str], *, postgres: str | None = None) -> None:
        """`postgres` is what PostgreSQL gets in its place."""
        before, self._after = statement.split("VALUES {rows}")
        self._before = f"{before}VALUES "
        self._row = f"({', '.join('?' * len(types))})"
        self._joint = ", "
        self._rows_max = ROWS_MAX
        self._texts: dict[int, str] = {}
        arrays = ", ".join("%b::text[]::json[]" if name == "json" else f"%b::{name}[]" for name in types)
        self._unnested = (postgres or statement).replace("VALUES {rows}", f"SELECT * FROM unnest({arrays})")  # noqa: S608 -- our own names

    @classmethod
    def of_each(cls, query: str, types: Sequence[str], *, postgres: str) -> Self:
        """Return a query that is asked for each row of values (`?`, in order); what all find comes row after row."""
        made = cls("VALUES {rows}", types, postgres=postgres)
        made._before, made._row, made._joint = "", f"SELECT * FROM ({query})", " UNION ALL "  # noqa: S608 -- our own names
        made._rows_max = EACH_MAX
        return made

    def run(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """Run it over all rows, in as few statements as their number has binary digits; return what it returns."""
        found: list[Any] = []
        for cursor in self._executed(connection, rows):
            if cursor.description:
                found += cursor.fetchall()
        return found

    def change(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> int:
        """Run it over all rows as `run` does; return how many rows of the table it changed, for one that returns none."""
        return sum(cursor.rowcount for cursor in self._executed(connection, rows))

    def _executed(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> Iterator[DBAPICursor]:
        """Yield the cursor after each statement."""
        cursor = connection.connection.cursor()
        arrays = connection.dialect.name != "sqlite"
        for some in [rows] if arrays and rows else _cut(rows, self._rows_max):
            if arrays:
                cursor.execute(self._unnested, [list(column) for column in zip(*some, strict=True)])
            else:
                cursor.execute(self._text(len(some)), tuple(chain.from_iterable(some)))
            yield cursor
        cursor.close()

    def _text(self, count: int) -> str:
        if count not in self._texts:
            self._texts[count] = f"{self._before}{self._joint.join([self._row] * count)}{self._after}"
        return self._texts[count]


def types_of(table: Table, names: Iterable[str]) -> tuple[str, ...]:
    """Return what PostgreSQL calls the types of a table's columns."""
    return tuple(next(name for kind, name in _TYPES.items() if isinstance(table.c[one].type, kind)) for one in names)


def _cut(rows: Sequence[Sequence[Any]], most: int) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield the rows in pieces whose sizes are powers of two, so that the driver keeps few statements prepared."""
    start, size = 0, most
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        yield rows[start : start + size]
        start += size


def _arranged(values: Mapping[str, Any], order: Sequence[str] | None) -> Any:
    return values if order is None else [values[name] for name in order]
