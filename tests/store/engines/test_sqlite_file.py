"""What is opened is durable, private, and ours."""

import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from affwire.errors import Broken, Refused
from affwire.store.engines.sqlite import has_wal_reset_bug, open_sqlite, sqlite_version
from affwire.store.tx import Tx
from affwire.testing.store_suite import WAIT_S, insert, make_tx, prepare


def pragma(statement: str) -> Callable[[Tx], Any]:
    return lambda tx: tx.connection.exec_driver_sql(f"PRAGMA {statement}").scalar()


def test_the_writer_is_durable_and_says_so(threaded):
    assert threaded.submit(pragma("journal_mode")).result(WAIT_S) == "wal"
    assert threaded.submit(pragma("synchronous")).result(WAIT_S) == 2
    assert threaded.read(pragma("query_only")).result(WAIT_S) == 1
    assert threaded.read(pragma("wal_autocheckpoint")).result(WAIT_S) == 0


def test_the_files_are_their_owners_alone(tmp_path, threaded):
    threaded.submit(insert("a")).result(WAIT_S)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_what_prepare_raises_undoes_it_and_closes(tmp_path):
    def refuse(connection: Connection) -> None:
        prepare(connection)
        raise Refused("wrong_master_key", "No.")

    threads = threading.active_count()
    with pytest.raises(Refused, match="wrong_master_key"):
        open_sqlite(tmp_path / "a.db", make_tx, prepare=refuse)
    assert threading.active_count() == threads
    with sqlite3.connect(tmp_path / "a.db") as other:
        assert other.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone() == (0,)
    other.close()


def test_a_file_that_is_no_database_is_refused(tmp_path, open_engine):
    path = tmp_path / "a.db"
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(Broken, match="store_corrupt"):
        open_engine()
    assert path.read_bytes().startswith(b"not a database")


def test_a_path_that_cannot_be_opened_is_refused_with_its_name(tmp_path):
    with pytest.raises(Refused, match="nowhere"):
        open_sqlite(tmp_path / "nowhere" / "a.db", make_tx)


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 54, 1), False),
    ],
)
def test_the_versions_with_the_wal_reset_bug_are_known(version, affected):
    assert has_wal_reset_bug(version) is affected


def test_the_version_is_told():
    assert sqlite_version() == sqlite3.sqlite_version
