"""Brings a database to the schema this code knows, and refuses one that it does not know.

Rule: an upgrade runs inside the caller's transaction, so a crash in the middle leaves the former schema whole.
A step whose module says `compatible = True` only adds what older code need not know: such code goes on under it. Which
code may is kept in the database, as the last step's revision that does not say so.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from affwire.errors import Refused

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSION_TABLE: Final = "alembic_version"
COMPATIBLE_FROM: Final = "schema_compatible_from"
"""Under this name `meta` holds the oldest revision whose code may run under this schema."""


def head(migrations: Path = MIGRATIONS) -> str:
    """Return the revision this code needs: the highest number in versions/NNNN_title.py ("0000": none)."""
    return max((path.name[:4] for path in (migrations / "versions").glob("[0-9]*.py")), default="0000")


def current(connection: Connection) -> str | None:
    """Return the database's revision, None if it has none."""
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()  # noqa: S608 -- a constant


def check(connection: Connection) -> None:
    """Raise errors.Refused ("schema_old", "schema_new") unless this code may run under the database's schema."""
    found, needed = current(connection), head()
    if found is None or found < needed:
        raise Refused(
            "schema_old",
            f"The database has schema {found or 'none'}, this affwire needs {needed}: run `affwire migrate`.",
            found=found,
            needed=needed,
        )
    _refuse_newer(connection, found, needed)


def upgrade(connection: Connection, migrations: Path = MIGRATIONS) -> list[str]:
    """Apply what is missing inside the caller's transaction and return the revisions applied, oldest first.

    Nothing is missing where a newer affwire left a schema that this code may run under. `migrations`: another folder
    of steps, in which a test has those of a next version, too: a copy of ours with a file more.
    Raises errors.Refused: "schema_new" (a newer affwire has been here), "schema_foreign" (somebody else's tables).
    """
    found, needed = current(connection), head(migrations)
    if found is None:
        _refuse_foreign(connection)
    else:
        _refuse_newer(connection, found, needed)
    return _apply(connection, found, migrations) if found is None or found < needed else []


def alembic_config(connection: Connection, migrations: Path = MIGRATIONS) -> "Config":
    """Return the configuration with which Alembic works on `connection`, without any file beside the package."""
    from alembic.config import Config  # noqa: PLC0415 -- a quarter of a second that most starts need not spend

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _refuse_newer(connection: Connection, found: str, needed: str) -> None:
    if found > needed and _compatible_from(connection) > needed:
        raise Refused(
            "schema_new",
            f"The database has schema {found}, made by a newer affwire; this one knows {needed}: "
            "install that version, or restore the backup made before it.",
            found=found,
            needed=needed,
        )


def _compatible_from(connection: Connection) -> str:
    """Return the oldest revision whose code may run here; where nothing is on record, none but the newest."""
    query = text("SELECT value FROM meta WHERE name = :name")
    noted: str | None = connection.execute(query, {"name": COMPATIBLE_FROM}).scalar()
    return noted or "9999"


def _refuse_foreign(connection: Connection) -> None:
    tables = inspect(connection).get_table_names()
    if tables:
        raise Refused(
            "schema_foreign",
            f"The database holds tables of something else ({', '.join(tables[:3])}): give affwire one of its own.",
        )


def _apply(connection: Connection, found: str | None, migrations: Path) -> list[str]:
    from alembic import command  # noqa: PLC0415 -- a quarter of a second that most starts need not spend
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = alembic_config(connection, migrations)
    command.upgrade(config, "head")
    steps = list(ScriptDirectory.from_config(config).iterate_revisions("head", found or "base"))[::-1]
    breaking = [step.revision for step in steps if not getattr(step.module, "compatible", False)]
    if breaking:
        note = text(
            "INSERT INTO meta (name, value) VALUES (:name, :value) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        )
        connection.execute(note, {"name": COMPATIBLE_FROM, "value": breaking[-1]})
    return [step.revision for step in steps]
