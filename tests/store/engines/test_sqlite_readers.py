"""A read sees one moment, writes nothing and ends."""

import pytest

from affwire.errors import Busy
from affwire.store.tx import Tx
from affwire.testing.store_suite import WAIT_S, Held, insert, names


def test_a_read_stays_on_its_snapshot(threaded):
    threaded.submit(insert("a")).result(WAIT_S)

    def twice(tx: Tx) -> tuple[list[str], list[str]]:
        before = names(tx)
        threaded.submit(insert("b")).result(WAIT_S)
        return before, names(tx)

    assert threaded.read(twice).result(WAIT_S) == (["a"], ["a"])
    assert threaded.read(names).result(WAIT_S) == ["a", "b"]


def test_a_failing_read_leaves_no_snapshot_behind(threaded):
    def fail(tx: Tx) -> None:
        names(tx)
        raise ValueError("no")

    for _ in range(10):
        with pytest.raises(ValueError, match="no"):
            threaded.read(fail).result(WAIT_S)
    threaded.submit(insert("a")).result(WAIT_S)
    assert threaded.read(names).result(WAIT_S) == ["a"]


def test_too_many_reads_are_refused_at_once(open_engine):
    engine = open_engine(readers=1, reads_waiting=1)
    held = Held()
    engine.read(held)
    assert held.entered.wait(WAIT_S)
    second = engine.read(names)
    with pytest.raises(Busy, match="too_many_reads"):
        engine.read(names)
    held.gone.set()
    assert second.result(WAIT_S) == []


def test_an_endless_read_is_stopped(open_engine):
    engine = open_engine(read_ms=20)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"
    with pytest.raises(Busy, match="SQLITE_INTERRUPT"):
        engine.read(lambda tx: tx.connection.exec_driver_sql(endless).scalar()).result(WAIT_S)
    assert engine.read(names).result(WAIT_S) == []
