"""The steps lead to tables.py, are taken at most once, and are taken whole or not at all."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from affwire.errors import Refused
from affwire.store import schema
from affwire.store.engines.base import Limits
from affwire.store.engines.sqlite_file import SqliteFile, driver_of
from affwire.store.tables import metadata


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    yield from _open(tmp_path / "a.db")


def _open(path: Path) -> Iterator[Connection]:
    file = SqliteFile(path, Limits())
    connection = file.open_writer()
    yield connection
    connection.close()
    file.dispose()


def _upgrade(connection: Connection) -> list[str]:
    driver_of(connection).execute("BEGIN IMMEDIATE")
    applied = schema.upgrade(connection)
    driver_of(connection).execute("COMMIT")
    return applied


def _set_version(connection: Connection, version: str, compatible_from: str = "9999") -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    noted = text("UPDATE meta SET value = :value WHERE name = 'schema_compatible_from'")
    connection.execute(noted, {"value": compatible_from})


def test_a_fresh_database_is_refused_until_it_is_upgraded(connection):
    with pytest.raises(Refused, match="schema_old"):
        schema.check(connection)
    assert schema.current(connection) is None
    assert _upgrade(connection)[-1] == schema.head()
    schema.check(connection)


def test_all_steps_together_make_the_tables_of_the_code(connection):
    _upgrade(connection)
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    assert compare_metadata(context, metadata) == []


def test_the_steps_make_the_very_statements_of_the_code(connection, tmp_path):
    # compare_metadata sees neither conditions of indexes nor AUTOINCREMENT nor WITHOUT ROWID; SQLite's own record does.
    _upgrade(connection)
    for fresh in _open(tmp_path / "b.db"):
        metadata.create_all(fresh)
        assert _statements(connection) == _statements(fresh)


def _statements(connection: Connection) -> dict[str, list[str]]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all()
    return {row.name: sorted(_lines(row.sql)) for row in rows if row.name != "alembic_version"}


def _lines(statement: str) -> list[str]:
    return [line.strip().rstrip(",") for line in statement.splitlines()]


def test_upgrading_twice_changes_nothing(connection):
    assert _upgrade(connection)
    assert _upgrade(connection) == []


def test_an_up_to_date_database_costs_no_import_of_alembic(connection, tmp_path):
    _upgrade(connection)
    code = (
        "import sys; from pathlib import Path; from affwire.store import schema\n"
        "from affwire.store.engines.base import Limits; from affwire.store.engines.sqlite_file import SqliteFile\n"
        "assert schema.upgrade(SqliteFile(Path(sys.argv[1]), Limits()).open_writer()) == []; assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, tmp_path / "a.db"], check=True)


def test_the_newest_file_is_the_head_of_the_steps(connection):
    scripts = ScriptDirectory.from_config(schema.alembic_config(connection))
    assert scripts.get_heads() == [schema.head()]


def test_a_newer_schema_is_refused_and_left_alone(connection):
    _upgrade(connection)
    _set_version(connection, "9999")
    for act in (schema.check, schema.upgrade):
        with pytest.raises(Refused, match="newer affwire") as caught:
            act(connection)
        assert caught.value.code == "schema_new"
    assert schema.current(connection) == "9999"


def test_a_newer_schema_that_only_adds_is_run_under_and_left_alone(connection):
    _upgrade(connection)
    _set_version(connection, "9999", compatible_from=schema.head())
    schema.check(connection)
    assert _upgrade(connection) == []
    assert schema.current(connection) == "9999"


def _next_version(tmp_path: Path, *, compatible: bool) -> Path:
    """Return the steps of a version with one step more than ours."""
    migrations = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, migrations)
    (migrations / "versions" / "9001_add_a_table.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        f"revision = '9001'\ndown_revision = '{schema.head()}'\nbranch_labels = None\ndepends_on = None\n"
        + "compatible = True\n" * compatible
        + "def upgrade():\n    op.create_table('news', sa.Column('id', sa.Text(), primary_key=True))\n"
    )
    return migrations


@pytest.mark.parametrize("compatible", [True, False])
def test_the_steps_say_which_code_may_run_under_the_next_schema(connection, tmp_path, compatible):
    _upgrade(connection)
    driver_of(connection).execute("BEGIN IMMEDIATE")
    assert schema.upgrade(connection, _next_version(tmp_path, compatible=compatible)) == ["9001"]
    driver_of(connection).execute("COMMIT")
    if compatible:
        schema.check(connection)
    else:
        with pytest.raises(Refused, match="schema_new"):
            schema.check(connection)


def test_an_older_schema_names_the_command_to_run(connection):
    _upgrade(connection)
    _set_version(connection, "0000")
    with pytest.raises(Refused, match="affwire migrate"):
        schema.check(connection)


def test_somebody_elses_database_is_refused(connection):
    connection.exec_driver_sql("CREATE TABLE wp_posts (id INTEGER)")
    with pytest.raises(Refused, match="wp_posts") as caught:
        schema.upgrade(connection)
    assert caught.value.code == "schema_foreign"


def test_an_upgrade_that_is_rolled_back_leaves_nothing(connection):
    driver_of(connection).execute("BEGIN IMMEDIATE")
    schema.upgrade(connection)
    driver_of(connection).execute("ROLLBACK")
    assert inspect(connection).get_table_names() == []


@pytest.mark.slow
def test_an_upgrade_killed_half_way_can_be_run_again(tmp_path):
    path = tmp_path / "a.db"
    code = (
        "import os, sys; from pathlib import Path; from alembic import op; from affwire.store import schema\n"
        "from affwire.store.engines.base import Limits; from affwire.store.engines.sqlite_file import SqliteFile, driver_of\n"
        "connection = SqliteFile(Path(sys.argv[1]), Limits()).open_writer(); driver = driver_of(connection)\n"
        "driver.execute('BEGIN IMMEDIATE'); seen = []\n"
        "driver.set_trace_callback(lambda sql: (seen.append(sql), len(seen) > 20 and os.kill(os.getpid(), 9)))\n"
        "schema.upgrade(connection)"
    )
    child = subprocess.run([sys.executable, "-c", code, path], check=False)
    assert child.returncode == -signal.SIGKILL
    for connection in _open(path):
        assert inspect(connection).get_table_names() == []
        assert _upgrade(connection)[-1] == schema.head()


def test_a_database_of_the_first_schema_keeps_what_it_holds(connection):
    driver_of(connection).execute("BEGIN IMMEDIATE")
    assert schema.current(connection) is None
    command.upgrade(schema.alembic_config(connection), "0001")
    connection.execute(text("INSERT INTO meta (name, value) VALUES ('mark', 'kept')"))
    driver_of(connection).execute("COMMIT")
    assert schema.current(connection) == "0001"
    assert "0002" in _upgrade(connection)
    assert connection.execute(text("SELECT value FROM meta WHERE name = 'mark'")).scalar() == "kept"
    context = MigrationContext.configure(connection)
    assert compare_metadata(context, metadata) == []
