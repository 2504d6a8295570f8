"""`affwire backup` and `affwire restore`: the database copied whole, and put back without sending anything twice.

Rule: while a server has the data directory it makes the copy; without one the lock is held here.
"""

import os
import shutil
from pathlib import Path
from shlex import quote
from typing import Any

from affwire.cli.client import Unanswered, open_client, operator_key
from affwire.cli.nearby import reachable
from affwire.cli.stopped import TAKEN, check_there, lock_alone
from affwire.errors import Conflict, Refused
from affwire.services.restoration import Held, hold_all
from affwire.settings import Settings
from affwire.store import restore as restoring
from affwire.store.datadir import DataDir, read_private, sync_directory
from affwire.store.engines.sqlite_backup import copy_file
from affwire.store.tx import Tx
from affwire.store.vault import Vault
from affwire.world import World


def backup(settings: Settings, file: Path) -> dict[str, Any]:
    """Write a backup to `file`. Raises Refused or Conflict: the file is there, no database, the server refuses, ..."""
    data_dir = DataDir(settings.data_dir)
    if file.exists():
        raise Conflict("backup_exists", f"{file} is there already; name another file.", path=str(file))
    if not file.absolute().parent.is_dir():
        raise Refused("backup_unwritable", f"There is no directory {file.absolute().parent} for the backup.")
    database = settings.database_path or data_dir.database
    check_there(database)
    try:
        with data_dir.lock():
            copy_file(database, file)
    except Conflict as taken:
        if taken.code != TAKEN:
            raise
        _fetch(settings, data_dir, file, str(taken.facts["process"]))
    return {"path": str(file.resolve()), "bytes": file.stat().st_size}


def restore(settings: Settings, file: Path) -> dict[str, Any]:
    """Put a backup in the database's place; nothing that waits in it is sent until its endpoint is resumed.

    Raises Refused or Conflict: a server is running, the file is no backup, another master key, a newer schema.
    """
    data_dir, world = DataDir(settings.data_dir), World()
    master_key, following = settings.master_keys
    held: list[Held] = []
    with lock_alone(data_dir, f"affwire restore {quote(str(file))}"):
        vault = Vault.from_settings(master_key, data_dir.master_key, following)
        replaced = restoring.replace(
            settings.database_path or data_dir.database,
            file,
            vault,
            lambda connection: Tx(connection, world, vault, world.now()),
            lambda tx: held.append(hold_all(tx)),
        )
    return {
        "database": str(settings.database_path or data_dir.database),
        "replaced": str(replaced) if replaced else None,
        "held_deliveries": held[-1].deliveries,
        "paused_endpoints": held[-1].endpoints,
    }


def _fetch(settings: Settings, data_dir: DataDir, file: Path, process: str) -> None:
    """Have the running server write the copy, and move it from the data directory to where it is wanted."""
    own = read_private(data_dir.address) or f"http://{reachable(settings.host)}:{settings.port}"
    url = os.environ.get("AFFWIRE_URL") or own
    try:
        with open_client(url, operator_key() or read_private(data_dir.admin_key), operator=True) as client:
            made = Path(client.post("/v1/backups", timeout=None)["path"])
    except Unanswered as answer:
        if answer.code != "server_away":
            raise
        raise Unanswered(
            "server_away",
            f"A server (process {process}) runs on {data_dir.path}, but not at {url}: set AFFWIRE_URL to where it "
            f"listens, then type: affwire backup {quote(str(file))}",
        ) from answer
    if made.parent.resolve() != data_dir.backups.resolve():
        raise Refused(
            "other_server",
            f"The server at {url} made the backup {made}, which is not in {data_dir.backups}: set AFFWIRE_URL.",
        )
    _move(made, file)


def _move(made: Path, file: Path) -> None:
    try:
        shutil.move(made, file)
        handle = os.open(file, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        sync_directory(file.resolve().parent)
    except OSError as error:
        raise Refused(
            "backup_unwritable", f"The backup was made, but cannot be moved to {file} ({error}); it is {made}."
        ) from error
