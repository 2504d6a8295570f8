"""Copies: a whole snapshot under its name, or nothing at all."""

import shutil
import sqlite3
import stat

import pytest

from affwire.errors import Broken, Conflict, Refused
from affwire.store.engines import sqlite_backup
from affwire.store.engines.sqlite_backup import copy, copy_file, empty_log


@pytest.fixture
def source(tmp_path):
    connection = sqlite3.connect(tmp_path / "source.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE things (name TEXT)")
    connection.execute("INSERT INTO things VALUES ('one')")
    yield connection
    connection.close()


def names(path):
    connection = sqlite3.connect(path)
    try:
        return [name for (name,) in connection.execute("SELECT name FROM things")]
    finally:
        connection.close()


def test_a_copy_holds_what_is_committed_even_in_the_log(source, tmp_path):
    copy(source, tmp_path / "copy.db")
    source.execute("INSERT INTO things VALUES ('two')")
    assert names(tmp_path / "copy.db") == ["one"]
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


def test_a_copy_is_one_file(source, tmp_path):
    (tmp_path / "out").mkdir()
    copy(source, tmp_path / "out" / "copy.db")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["copy.db"]


def test_a_database_left_by_a_crash_is_copied_with_its_log(source, tmp_path):
    crashed = tmp_path / "crashed.db"
    for suffix in ("", "-wal"):
        shutil.copy(f"{tmp_path / 'source.db'}{suffix}", f"{crashed}{suffix}")
    copy_file(crashed, tmp_path / "copy.db")
    assert names(tmp_path / "copy.db") == ["one"]


def test_a_log_is_emptied_into_its_file(source, tmp_path):
    crashed = tmp_path / "crashed.db"
    for suffix in ("", "-wal"):
        shutil.copy(f"{tmp_path / 'source.db'}{suffix}", f"{crashed}{suffix}")
    empty_log(crashed)
    assert not (tmp_path / "crashed.db-wal").exists()
    assert names(crashed) == ["one"]
    (tmp_path / "words").write_text("no database")
    empty_log(tmp_path / "words")
    assert (tmp_path / "words").read_text() == "no database"


def test_nothing_is_overwritten(source, tmp_path):
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(Conflict, match="there already"):
        copy(source, target)
    assert target.read_text() == "precious"


def test_a_place_that_cannot_be_written_is_refused(source, tmp_path):
    with pytest.raises(Refused) as caught:
        copy(source, tmp_path / "nowhere" / "copy.db")
    assert caught.value.code == "backup_unwritable"


def test_nothing_half_stays_behind(source, tmp_path, monkeypatch):
    def fail(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sqlite_backup, "_flush", fail)
    with pytest.raises(Refused, match="No space left"):
        copy(source, tmp_path / "copy.db")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("copy")] == []


@pytest.mark.parametrize("content", [None, b"no database at all, but long enough to be looked at" * 40])
def test_a_file_that_is_no_database_is_refused(tmp_path, content):
    source = tmp_path / "source"
    if content:
        source.write_bytes(content)
    with pytest.raises(Refused) as caught:
        copy_file(source, tmp_path / "copy.db")
    assert caught.value.code == "backup_unreadable"
    assert not (tmp_path / "copy.db").exists()


def test_a_damaged_database_gives_no_copy(source, tmp_path):
    source.executemany("INSERT INTO things VALUES (?)", [("x" * 500,)] * 500)
    source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray((tmp_path / "source.db").read_bytes())
    content[4096 + 50 : 4096 * 3] = b"\xff" * (4096 * 2 - 50)
    (tmp_path / "damaged.db").write_bytes(content)
    with pytest.raises((Broken, Refused)):
        copy_file(tmp_path / "damaged.db", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
