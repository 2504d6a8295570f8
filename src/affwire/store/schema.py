"""Brings a database to the schema this code knows, and refuses one that it does not know.

Rule: an upgrade runs inside the caller's transaction, so a crash in the middle leaves the former schema whole.
Alembic is imported only when there is something to do.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from affwire.errors import Refused

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSION_TABLE: Final = "alembic_version"


def head() -> str:
    """Return the revision this code needs: the highest number in migrations/versions/NNNN_title.py ("0000": none)."""
    return max((path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")), default="0000")


def current(connection: Connection) -> str | None:
    """Return the database's revision, None if it has none."""
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()  # noqa: S608 -- a constant


def check(connection: Connection) -> None:
    """Raise errors.Refused ("schema_old", "schema_new") unless the database has the schema this code knows."""
    found, needed = current(connection), head()
    if found is None or found < needed:
        raise Refused(
            "schema_old",
            f"The database has schema {found or 'none'}, this affwire needs {needed}: run `affwire migrate`.",
            found=found,
            needed=needed,
        )
    _refuse_newer(found, needed)


def upgrade(connection: Connection) -> list[str]:
    """Apply what is missing inside the caller's transaction and return the revisions applied, oldest first.

    Raises errors.Refused: "schema_new" (a newer affwire has been here), "schema_foreign" (somebody else's tables).
    """
    found, needed = current(connection), head()
    if found == needed:
        return []
    if found is None:
        _refuse_foreign(connection)
    else:
        _refuse_newer(found, needed)
    return _apply(connection, found)


def alembic_config(connection: Connection) -> "Config":
    """Return the configuration with which Alembic works on `connection`, without any file beside the package."""
    from alembic.config import Config  # noqa: PLC0415 -- a quarter of a second that most starts need not spend

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _refuse_newer(found: str, needed: str) -> None:
    if found > needed:
        raise Refused(
            "schema_new",
            f"The database has schema {found}, made by a newer affwire; this one knows {needed}: "
            "install that version, or restore the backup made before it.",
            found=found,
            needed=needed,
        )


def _refuse_foreign(connection: Connection) -> None:
    tables = inspect(connection).get_table_names()
    if tables:
        raise Refused(
            "schema_foreign",
            f"The database holds tables of something else ({', '.join(tables[:3])}): give affwire one of its own.",
        )


def _apply(connection: Connection, found: str | None) -> list[str]:
    from alembic import command  # noqa: PLC0415 -- a quarter of a second that most starts need not spend
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = alembic_config(connection)
    command.upgrade(config, "head")
    steps = ScriptDirectory.from_config(config).iterate_revisions("head", found or "base")
    return [step.revision for step in steps][::-1]
