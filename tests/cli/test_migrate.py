import json
import sqlite3

from typer.testing import CliRunner

from affwire.cli.main import app
from affwire.store import schema
from affwire.store.datadir import DataDir


def migrate(path, *arguments):
    return CliRunner().invoke(app, ["migrate", "--data-dir", str(path), *arguments])


def test_a_new_database_is_made_with_its_key(tmp_path):
    shown = migrate(tmp_path / "data")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert f"schema {schema.head()}" in shown.stderr
    assert (tmp_path / "data" / "affwire.db").exists()
    assert (tmp_path / "data" / "master-key").stat().st_mode & 0o777 == 0o600


def test_the_second_time_there_is_nothing_to_do(tmp_path):
    migrate(tmp_path)
    assert json.loads(migrate(tmp_path, "--json").stdout)["applied"] == []
    assert "nothing to do" in migrate(tmp_path).stderr


def test_a_directory_in_use_is_left_alone(tmp_path):
    with DataDir(tmp_path).lock():
        shown = migrate(tmp_path)
    assert shown.exit_code == 1
    assert "then type: affwire migrate" in shown.stderr
    assert not (tmp_path / "affwire.db").exists()


def test_the_schema_of_a_newer_version_is_refused(tmp_path):
    migrate(tmp_path)
    with sqlite3.connect(tmp_path / "affwire.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.execute("UPDATE meta SET value = '9999' WHERE name = 'schema_compatible_from'")
    database.close()
    shown = migrate(tmp_path)
    assert shown.exit_code == 1
    assert "newer affwire" in shown.stderr
