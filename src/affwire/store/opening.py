"""Which engine a database gets: PostgreSQL where a URL names one, else SQLite. The driver is imported only where needed.

Rule: schema and master key are brought in order before anything else is done, in one transaction.
"""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from sqlalchemy import Connection

from affwire.errors import Refused
from affwire.store import schema
from affwire.store.engines.base import Engine
from affwire.store.engines.sqlite import open_sqlite
from affwire.store.tx import Tx
from affwire.store.vault import Vault
from affwire.world import World


def open_engine(
    database: Path | str,
    vault: Vault,
    world: World,
    *,
    inline: bool = False,
    upgraded: Callable[[str | None, list[str]], object] = lambda _, __: None,
) -> Engine:
    """Open a file of SQLite (a path) or a PostgreSQL (a URL) with the schema this code needs, under its master key.

    `upgraded` is told the revision that was found and those that were applied. The caller holds the lock of a file.
    Times are the world's on SQLite, the database's own on PostgreSQL. Raises Refused, Conflict, Busy in a sentence.
    """

    def prepare(connection: Connection) -> None:
        found = schema.current(connection)
        applied = schema.upgrade(connection)
        vault.check(connection)
        upgraded(found, applied)

    if isinstance(database, Path):
        return open_sqlite(
            database, lambda connection: Tx(connection, world, vault, world.now()), prepare=prepare, inline=inline
        )
    postgres = driver()
    return postgres.open_postgres(  # type: ignore[no-any-return]  # a module by name is of any kind
        database,
        lambda connection: Tx(connection, world, vault, postgres.began_at(connection)),
        prepare=prepare,
        inline=inline,
        keys=vault.key_ids,
    )


def driver() -> ModuleType:
    """Return the engine for PostgreSQL. Raises Refused("driver_missing") where its driver is not installed."""
    try:
        from affwire.store.engines import postgres  # noqa: PLC0415 -- the driver is an extra
    except ImportError as error:
        raise Refused(
            "driver_missing", 'PostgreSQL needs its driver: run `pip install "affwire[postgres]"`.'
        ) from error
    return postgres
