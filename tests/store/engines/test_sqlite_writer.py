"""One commit for many, one refusal for one, and a fault for all who shared."""

import resource
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from affwire.errors import Busy, Conflict
from affwire.store.engines.base import Engine, Limits
from affwire.store.engines.sqlite import open_sqlite
from affwire.store.engines.sqlite_file import driver_of
from affwire.store.tx import Tx
from affwire.testing.store_suite import WAIT_S, Held, gather, insert, insert_then_refuse, make_tx, names


def pragma(statement: str) -> Callable[[Tx], Any]:
    return lambda tx: tx.connection.exec_driver_sql(f"PRAGMA {statement}").scalar()


def count_commits(engine: Engine) -> list[str]:
    seen: list[str] = []

    def trace(statement: str) -> None:
        if statement == "COMMIT":
            seen.append(statement)

    engine.submit(lambda tx: driver_of(tx.connection).set_trace_callback(trace)).result(WAIT_S)
    engine.submit(lambda _: None).result(WAIT_S)
    seen.clear()
    return seen


def test_waiting_works_share_one_commit(threaded):
    commits = count_commits(threaded)
    futures = gather(threaded, [insert(f"{n:03}") for n in range(100)])
    assert [future.result() for future in futures] == [f"{n:03}" for n in range(100)]
    assert len(commits) == 1


def test_one_refusal_undoes_only_itself(threaded):
    works = [insert("a"), insert_then_refuse("b"), insert("c"), insert_then_refuse("d"), insert("e")]
    futures = gather(threaded, works)
    assert [type(future.exception()) for future in futures] == [type(None), Conflict, type(None), Conflict, type(None)]
    assert threaded.read(names).result(WAIT_S) == ["a", "c", "e"]


def test_a_first_refusal_undoes_only_itself(threaded):
    held = Held()

    def held_then_refused(tx: Tx) -> None:
        insert("a")(tx)
        held(tx)
        raise Conflict("no", "No.")

    first = threaded.submit(held_then_refused)
    assert held.entered.wait(WAIT_S)
    second = threaded.submit(insert("b"))
    held.gone.set()
    assert second.result(WAIT_S) == "b"
    assert isinstance(first.exception(), Conflict)
    assert threaded.read(names).result(WAIT_S) == ["b"]


def test_a_work_sees_what_those_before_it_in_the_commit_wrote(threaded):
    _, seen = gather(threaded, [insert("a"), names])
    assert seen.result() == ["a"]


def test_no_more_works_share_a_commit_than_allowed(open_engine):
    engine = open_engine(works_per_commit=10)
    commits = count_commits(engine)
    gather(engine, [insert(f"{n:03}") for n in range(100)])
    assert len(commits) in {10, 11}


def test_an_old_transaction_takes_nobody_in(open_engine):
    engine = open_engine(commit_ms=0)
    commits = count_commits(engine)
    gather(engine, [insert(f"{n:03}") for n in range(5)])
    assert len(commits) == 6


def test_works_that_wake_in_one_commit_ring_once(threaded):
    rung: list[int] = []
    threaded.on_wake(lambda: rung.append(1))
    gather(threaded, [lambda tx: tx.wake() for _ in range(10)])
    threaded.submit(insert("a")).result(WAIT_S)
    assert rung == [1]


def limit_pages(tx: Tx) -> None:
    pages = pragma("page_count")(tx)
    pragma(f"max_page_count={pages + 2}")(tx)


def test_a_full_disk_fails_all_who_shared_and_is_survived(threaded):
    threaded.submit(insert("kept")).result(WAIT_S)
    threaded.submit(limit_pages).result(WAIT_S)
    futures = gather(threaded, [insert("a"), insert("big", "x" * 100_000), insert("b")])
    assert {future.exception().code for future in futures} == {"store_unavailable"}
    assert futures[0].exception() is not futures[1].exception()
    assert threaded.read(names).result(WAIT_S) == ["kept"]
    assert threaded.submit(insert("big", "x" * 100_000)).result(WAIT_S) == "big"


def test_a_full_memory_database_is_rolled_back_and_goes_on(open_engine):
    engine = open_engine(memory=True)
    engine.submit(insert("kept")).result()
    engine.submit(limit_pages).result()
    with pytest.raises(Busy, match="SQLITE_FULL"):
        engine.submit(insert("big", "x" * 100_000)).result()
    assert engine.submit(insert("small")).result() == "small"
    assert engine.read(names).result() == ["kept", "small"]


@pytest.mark.parametrize("swallow", [False, True])
def test_an_io_error_fails_all_who_shared_and_is_survived(threaded, tmp_path, swallow):
    threaded.submit(insert("kept")).result(WAIT_S)
    size = (tmp_path / "a.db-wal").stat().st_size

    def big(tx: Tx) -> None:
        tx.connection.exec_driver_sql("PRAGMA cache_size=1")  # Pages go to the file before the commit.
        try:
            for n in range(50):
                insert(f"big{n}", "x" * 20_000)(tx)
        except DBAPIError:
            if not swallow:
                raise

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50_000, hard))
    try:
        futures = gather(threaded, [insert("a"), big])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {future.exception().code for future in futures} == {"store_unavailable"}
    assert threaded.read(names).result(WAIT_S) == ["kept"]
    assert threaded.submit(insert("b")).result(WAIT_S) == "b"


def test_a_commit_that_fails_fails_all_who_shared(threaded):
    threaded.submit(insert("kept")).result(WAIT_S)

    def deferred(tx: Tx) -> None:
        tx.connection.exec_driver_sql("CREATE TABLE one (id INTEGER PRIMARY KEY)")
        tx.connection.exec_driver_sql("CREATE TABLE many (of INTEGER REFERENCES one DEFERRABLE INITIALLY DEFERRED)")

    threaded.submit(deferred).result(WAIT_S)
    held = Held()

    def held_outside(tx: Tx) -> None:
        held(tx)
        # A refused first work ends its transaction: only then can the pragma for the next one be set.
        driver_of(tx.connection).execute("ROLLBACK")
        driver_of(tx.connection).execute("PRAGMA foreign_keys=1")
        driver_of(tx.connection).execute("BEGIN IMMEDIATE")
        raise Conflict("no", "No.")

    threaded.submit(held_outside)
    assert held.entered.wait(WAIT_S)
    works = [insert("a"), lambda tx: tx.connection.exec_driver_sql("INSERT INTO many VALUES (7)"), insert("b")]
    futures = [threaded.submit(work) for work in works]
    held.gone.set()
    assert {future.exception(WAIT_S).code for future in futures} == {"store_unavailable"}
    assert threaded.read(names).result(WAIT_S) == ["kept"]
    assert threaded.submit(insert("c")).result(WAIT_S) == "c"


def test_a_work_that_commits_by_itself_is_found_out(threaded):
    future = threaded.submit(lambda tx: driver_of(tx.connection).execute("COMMIT"))
    assert future.exception(WAIT_S).code == "store_unavailable"
    assert threaded.submit(insert("a")).result(WAIT_S) == "a"


def test_a_file_locked_by_another_process_is_waited_for_once(tmp_path, open_engine):
    engine = open_engine(busy_ms=20)
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    futures = [engine.submit(insert(str(n))) for n in range(20)]
    assert {future.exception(WAIT_S).code for future in futures} == {"store_unavailable"}
    assert time.monotonic() - started < 20 * 0.020
    # Even a work that only reads waits for the lock: one that wrote later could not wait any more.
    assert engine.submit(names).exception(WAIT_S).code == "store_unavailable"
    other.execute("ROLLBACK")
    other.close()
    assert engine.submit(insert("a")).result(WAIT_S) == "a"
    assert engine.read(names).result(WAIT_S) == ["a"]


def test_a_damaged_file_is_never_written_again(tmp_path, open_engine):
    path = tmp_path / "a.db"
    engine = open_engine()
    engine.submit(lambda tx: [insert(f"{n:04}", "x" * 500)(tx) for n in range(500)]).result(WAIT_S)
    engine.close()
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    engine = open_sqlite(path, make_tx, limits=Limits())
    for statement in ("DELETE FROM meta", "SELECT 1"):
        future = engine.submit(lambda tx, statement=statement: tx.connection.exec_driver_sql(statement))
        assert future.exception(WAIT_S).code == "store_corrupt"
    engine.close()
