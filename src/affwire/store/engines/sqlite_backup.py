"""Copies of a SQLite database: one consistent snapshot, whole or not there at all.

Rule: a copy has its name only after it was checked and flushed; whatever goes wrong, nothing half stays behind.
"""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from affwire.errors import Broken, Conflict, Refused
from affwire.store.datadir import sync_directory

SIDE_FILES = ("-wal", "-shm", "-journal")


def copy(source: sqlite3.Connection, target: Path) -> None:
    """Write what `source` sees at this moment to `target`, a file for its owner alone; others go on writing meanwhile.

    Raises Conflict ("backup_exists"), Refused ("backup_unwritable"), Broken ("backup_damaged").
    """
    partial = target.with_name(f"{target.name}.partial")
    if target.exists():
        raise Conflict("backup_exists", f"{target} is there already; name another file.", path=str(target))
    try:
        os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
        _written(source, partial)
        _flush(partial)
        partial.replace(target)
        sync_directory(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise Refused("backup_unwritable", f"Cannot write the backup {target}: {error}.", path=str(target)) from error
    finally:
        discard(partial)


def copy_file(source: Path, target: Path) -> None:
    """As `copy`, of a database file that no affwire is using. Raises Refused ("backup_unreadable") if it is none."""
    if not source.is_file():
        raise Refused("backup_unreadable", f"There is no database at {source}.", path=str(source))
    connection = sqlite3.connect(f"file:{quote(str(source.resolve()))}?mode=ro", uri=True)
    try:
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        copy(connection, target)
    except sqlite3.Error as error:
        raise Refused(
            "backup_unreadable", f"{source} cannot be read as a database: {error}.", path=str(source)
        ) from error
    finally:
        connection.close()


def empty_log(path: Path) -> None:
    """Move what stands in a database's write-ahead log into its file. One too damaged for that stays as it is."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        return
    finally:
        connection.close()


def discard(path: Path) -> None:
    """Remove a database file and what SQLite keeps beside it."""
    for suffix in ("", *SIDE_FILES):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _written(source: sqlite3.Connection, path: Path) -> None:
    copied = sqlite3.connect(path)
    try:
        source.backup(copied)
        copied.execute("PRAGMA journal_mode=DELETE")  # one file, readable where nothing may be written beside it
        found = copied.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise Broken("backup_damaged", f"The copy of the database is damaged ({found}); check the disk.")
    finally:
        copied.close()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
