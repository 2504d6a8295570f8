"""`affwire secrets rotate-key`: everything sealed under a new master key, in one transaction, under the directory's lock.

    new key beside the old, flushed -> one transaction seals everything anew -> the new key takes the old one's place

A crash before the commit leaves the old key in force, one after it the new: the next start looks which it is.
"""

import secrets
from pathlib import Path
from shlex import quote
from typing import Any

from sqlalchemy import Connection

from affwire.cli.stopped import check_there, lock_alone
from affwire.errors import Refused
from affwire.services.resealing import reseal_all
from affwire.settings import Settings
from affwire.store import schema
from affwire.store.datadir import DataDir
from affwire.store.engines.sqlite import open_sqlite
from affwire.store.tx import Tx
from affwire.store.vault import KEY_BYTES, Vault, adopt_key, key_from_text, next_key_file, write_key
from affwire.world import World


def rotate_key(settings: Settings, to: Path | None) -> dict[str, Any]:
    """Seal everything anew. Raises Refused or Conflict: a server is running, a wrong key, no new key, no database."""
    data_dir = DataDir(settings.data_dir)
    given = settings.master_key.get_secret_value() if settings.master_key else None
    if given and to is None:
        raise Refused("new_key_needed", "AFFWIRE_MASTER_KEY is set: name a file with the new key by --to.")
    key = _key_in(to) if to else secrets.token_bytes(KEY_BYTES)
    path = settings.database_path or data_dir.database
    check_there(path)
    with lock_alone(data_dir, f"affwire secrets rotate-key{f' --to {quote(str(to))}' if to else ''}"):
        return _rotate(path, given, data_dir, key)


def _rotate(path: Path, given: str | None, data_dir: DataDir, key: bytes) -> dict[str, Any]:
    vault = Vault.from_settings(given, data_dir.master_key).rotated(key) if given else _prepared(path, data_dir, key)
    count = _in_one_transaction(path, vault)
    if given:
        return _told(vault, count, "Set AFFWIRE_MASTER_KEY to the new key before the next start.")
    adopt_key(data_dir.master_key)
    return _told(vault, count, f"It is in {data_dir.master_key}; the former is kept beside it, for older backups.")


def _prepared(path: Path, data_dir: DataDir, key: bytes) -> Vault:
    """End what an earlier rotation left, and put the new key where a start would look for it."""
    former = Vault.from_settings(None, data_dir.master_key)
    open_sqlite(path, _maker(former), prepare=_checked(former), inline=True).close()
    write_key(next_key_file(data_dir.master_key), key)
    return former.rotated(key)


def _in_one_transaction(path: Path, vault: Vault) -> int:
    engine = open_sqlite(path, _maker(vault), prepare=_checked(vault), inline=True)
    try:
        return engine.submit(reseal_all).result()
    finally:
        engine.close()


def _maker(vault: Vault) -> Any:
    world = World()
    return lambda connection: Tx(connection, world, vault, world.now())


def _checked(vault: Vault) -> Any:
    def prepare(connection: Connection) -> None:
        schema.upgrade(connection)
        vault.check(connection)

    return prepare


def _key_in(file: Path) -> bytes:
    try:
        return key_from_text(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Refused("new_key_unreadable", f"There is no key in {file}: {error}.") from error


def _told(vault: Vault, count: int, following: str) -> dict[str, Any]:
    return {"secrets": count, "key_id": vault.key_id, "next": following}
