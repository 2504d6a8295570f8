"""Puts a database in another's place: copied beside it, prepared, and only then exchanged; the former one is kept.

Rule: at every moment the place holds either the whole former database or the whole new one. The caller holds the lock.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text

from affwire.errors import Refused
from affwire.store import counting, schema
from affwire.store.datadir import sync_directory
from affwire.store.engines.base import MakeTx
from affwire.store.engines.sqlite import open_sqlite
from affwire.store.engines.sqlite_backup import SIDE_FILES, copy_file, discard, empty_log
from affwire.store.tx import Tx
from affwire.store.vault import Vault

POSITION_GAP: Final = 1_000_000_000
"""Positions left out: whoever follows a feed knows some that were given after the backup."""
NUMBER_GAP: Final = 100_000
"""Numbers of records, and of events about one, left out: more than are made between two backups."""
_NUMBERED: Final = ("affiliates", "programs")


def replace(database: Path, backup: Path, vault: Vault, make_tx: MakeTx, work: Callable[[Tx], None]) -> Path | None:
    """Have `backup` be `database`, once `work` has run in it; return where the former one is kept (None: there was none).

    Raises Refused: "backup_unreadable", "not_a_backup", and what schema and vault refuse. Nothing has changed then.
    """
    staged = database.with_name(f"{database.name}.restoring")
    discard(staged)
    try:
        copy_file(backup, staged)
        _prepare(staged, vault, make_tx, work)
        return _exchange(staged, database)
    finally:
        discard(staged)


def _prepare(staged: Path, vault: Vault, make_tx: MakeTx, work: Callable[[Tx], None]) -> None:
    def prepare(connection: Connection) -> None:
        if schema.current(connection) is None:
            raise Refused("not_a_backup", "The file is a database, but not one of affwire.")
        schema.upgrade(connection)
        vault.check(connection)
        _leave_gaps(connection)

    engine = open_sqlite(staged, make_tx, prepare=prepare, inline=True)
    try:
        engine.submit(work).result()
    finally:
        engine.close()


def _leave_gaps(connection: Connection) -> None:
    """Give nothing again that was given between the backup and now: neither places, nor numbers, nor sequences."""
    before = counting.events(connection)
    connection.execute(text("UPDATE sqlite_sequence SET seq = seq + :gap"), {"gap": POSITION_GAP})
    last = connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'events'")).scalar()
    if last is not None:
        counting.note_gap(connection, before, last)
    connection.execute(text("UPDATE counters SET value = value + :gap"), {"gap": NUMBER_GAP})
    for table in _NUMBERED:
        connection.execute(text(f"UPDATE {table} SET sequence = sequence + :gap"), {"gap": NUMBER_GAP})  # noqa: S608 -- constants


def _exchange(staged: Path, database: Path) -> Path | None:
    if database.exists():
        empty_log(database)
    aside = _aside(database) if database.exists() else None
    for suffix in SIDE_FILES:
        # A log of the former database must not be taken for one of the new; it is kept with the former.
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    staged.replace(database)
    sync_directory(database.parent)
    return aside


def _aside(database: Path) -> Path:
    """Keep the former database, log and all, under another name; it stays in its place, too."""
    number = 1
    while (aside := database.with_name(f"{database.name}.replaced-{number}")).exists():
        number += 1
    for suffix in (*SIDE_FILES, ""):
        with contextlib.suppress(FileNotFoundError):
            os.link(database.with_name(database.name + suffix), aside.with_name(aside.name + suffix))
    sync_directory(database.parent)
    return aside
