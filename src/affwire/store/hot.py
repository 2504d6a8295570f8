"""Hot statements: compiled once per dialect of SQL, run on the driver's own cursor. For the outbox's inner loops only.

SQLAlchemy's way to the driver costs several times what the driver itself takes for a statement of one row.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.engine.interfaces import DBAPICursor


class Hot:
    """A statement with named parameters (`:name`). Runs in the connection's transaction, like any other."""

    def __init__(self, statement: str) -> None:
        self._statement = text(statement)
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
            compiled = self._statement.compile(dialect=connection.dialect)
            self._compiled[name] = (str(compiled), compiled.positiontup if compiled.positional else None)
        return self._compiled[name]


def _arranged(values: Mapping[str, Any], order: Sequence[str] | None) -> Any:
    return values if order is None else [values[name] for name in order]
