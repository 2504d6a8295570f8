"""`affwire secrets rotate-key`: everything sealed under a new master key.

SQLite, under the directory's lock: new key beside the old, flushed -> one transaction -> the new key takes its place.
    A crash before the commit leaves the old key in force, one after it the new: the next start looks which it is.
PostgreSQL, while processes run that know both keys: the database is put under the new one -> batch after batch.
    A crash leaves secrets under either key, which all of them can open; the next call goes on.
"""

import secrets
from pathlib import Path
from shlex import quote
from typing import Any

from sqlalchemy import Connection

from affwire.cli.stopped import check_there, lock_alone
from affwire.cli.terminal import log_to_stderr
from affwire.errors import Refused
from affwire.services import resealing
from affwire.settings import Settings
from affwire.store import schema
from affwire.store.datadir import DataDir
from affwire.store.engines.base import Engine
from affwire.store.engines.sqlite import open_sqlite
from affwire.store.opening import open_engine
from affwire.store.tx import Tx
from affwire.store.vault import KEY_BYTES, Vault, adopt_key, key_from_text, next_key_file, write_key
from affwire.world import World


def rotate_key(settings: Settings, to: Path | None) -> dict[str, Any]:
    """Seal everything anew. Raises Refused or Conflict: a server is running, a wrong key, no new key, no database."""
    data_dir = DataDir(settings.data_dir)
    given, following = settings.master_keys
    key = _key_in(to) if to else key_from_text(following) if following else None
    if settings.postgres_url:
        return _rotate_running(settings, data_dir, key)
    if key is None:
        if given:
            raise Refused("new_key_needed", "AFFWIRE_MASTER_KEY is set: name a file with the new key by --to.")
        key = secrets.token_bytes(KEY_BYTES)
    path = settings.database_path or data_dir.database
    check_there(path)
    with lock_alone(data_dir, f"affwire secrets rotate-key{f' --to {quote(str(to))}' if to else ''}"):
        return _rotate(path, given, data_dir, key)


def _rotate_running(settings: Settings, data_dir: DataDir, key: bytes | None) -> dict[str, Any]:
    """Seal everything anew while servers and workers go on. Raises Conflict("key_not_everywhere"): nothing has changed."""
    if key is None:
        raise Refused(
            "new_key_needed",
            "Let every process know the new key first: set AFFWIRE_NEXT_MASTER_KEY on each machine, here too, "
            "and start them again one after the other.",
        )
    log_to_stderr()
    given, following = settings.master_keys
    vault = Vault.from_settings(given, data_dir.master_key, following).rotated(key)
    engine = open_engine(settings.postgres_url or "", vault, World(), inline=True)
    try:
        engine.submit(resealing.begin).result()
        count = _in_batches(engine)
    finally:
        engine.close()
    return _told(
        vault,
        count,
        "Nothing is under the former key any more: set AFFWIRE_MASTER_KEY to the new one everywhere, "
        "remove AFFWIRE_NEXT_MASTER_KEY, and start the processes again one after the other.",
    )


def _in_batches(engine: Engine) -> int:
    """Seal until nothing is left: who had begun under the former key may have added to it meanwhile."""
    count = 0
    while places := engine.read(resealing.left).result():
        for batch in resealing.batches(places):
            engine.submit(lambda tx, batch=batch: resealing.reseal(tx, batch)).result()  # type: ignore[misc]  # mypy: a lambda's default
            count += sum(place.secrets for place in batch)
    return count


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
        return engine.submit(resealing.reseal_all).result()
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
