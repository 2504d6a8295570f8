"""`affwire migrate`: the schema brought up to date, under the data directory's lock, before a server needs it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from affwire.cli.stopped import lock_alone
from affwire.cli.terminal import log_to_stderr
from affwire.settings import Settings
from affwire.store import schema
from affwire.store.datadir import DataDir
from affwire.store.opening import driver, open_engine
from affwire.store.vault import Vault
from affwire.world import World


@dataclass(frozen=True, slots=True)
class Migration:
    """What was done: the revision found (None: a new database), the one it has now, and those applied in between."""

    database: str
    before: str | None
    after: str
    applied: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What was done, for a person."""
        if not self.applied:
            return f"{self.database} has schema {self.after} already; nothing to do."
        if self.before is None:
            return f"{self.database} is made, with schema {self.after}."
        return f"{self.database} is brought up from schema {self.before} to {self.after}."

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def migrate(settings: Settings) -> Migration:
    """Apply what is missing, in one transaction. Raises Refused or Conflict: another affwire is there, a newer schema, ..."""
    data_dir = DataDir(settings.data_dir)
    if settings.postgres_url:
        log_to_stderr()
        data_dir.make()
        return _upgraded(settings, settings.postgres_url, data_dir)
    with lock_alone(data_dir, "affwire migrate"):
        return _upgraded(settings, settings.database_path or data_dir.database, data_dir)


def _upgraded(settings: Settings, database: Path | str, data_dir: DataDir) -> Migration:
    master_key, following = settings.master_keys
    vault = Vault.from_settings(master_key, data_dir.master_key, following)
    name = str(database) if isinstance(database, Path) else driver().place_of(database)
    done: list[Migration] = []

    def upgraded(found: str | None, applied: list[str]) -> None:
        done.append(Migration(name, found, schema.head(), tuple(applied)))

    open_engine(database, vault, World(), inline=True, upgraded=upgraded).close()
    return done[-1]
