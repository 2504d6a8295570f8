"""The SQLite engine: promises, order, and no answer that a crash can take back."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from affwire.errors import Broken, Busy
from affwire.store.engines.sqlite import ThreadedSqlite, open_sqlite
from affwire.testing import store_suite
from affwire.testing.store_suite import WAIT_S, Held, insert, names


def tables_and_rows(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name FROM meta ORDER BY name").fetchall()
    connection.close()
    return [name for (name,) in rows]


@pytest.mark.parametrize("kind", ["threads", "inline", "memory"])
@pytest.mark.parametrize("check", store_suite.CHECKS, ids=store_suite.name)
def test_the_engine_keeps_the_promises_of_every_engine(check, kind, tmp_path):
    def opener(make_tx, prepare):
        return open_sqlite(
            None if kind == "memory" else tmp_path / "a.db", make_tx, prepare=prepare, inline=kind == "inline"
        )

    check(opener)


def test_a_work_that_starts_another_inline_is_told_so(open_engine):
    engine = open_engine(memory=True)
    with pytest.raises(Broken, match="nested_transaction"):
        engine.submit(lambda _: engine.submit(insert("a")).result()).result()
    assert engine.submit(insert("b")).result() == "b"
    assert engine.read(names).result() == ["b"]


def test_only_a_file_gets_threads(open_engine):
    engine = open_engine()
    assert isinstance(engine, ThreadedSqlite)
    assert not engine.inline
    engine.close()
    memory = open_engine(memory=True)
    assert memory.inline


LOOK = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM meta').fetchone()[0])"


def looked_from_outside(path):
    """What another process counts that opens the database, looks and ends, as a shell or a backup of somebody's would."""
    done = subprocess.run([sys.executable, "-c", LOOK, path], capture_output=True, text=True, timeout=60, check=True)
    return int(done.stdout)


def test_who_looks_into_the_database_from_outside_takes_nothing_away(open_engine, tmp_path):
    engine = open_engine()
    engine.submit(insert("before")).result()
    engine.read(names).result()  # a reader's connection was opened after the writer's
    path = next(tmp_path.glob("*.db"))
    for number in range(5):
        assert looked_from_outside(path) == number + 1
        engine.submit(insert(f"after-{number}")).result()
    engine.close()
    assert len(tables_and_rows(path)) == 6


def test_a_full_line_is_refused_at_once(open_engine):
    engine = open_engine(works_waiting=3)
    held = Held()
    engine.submit(held)
    assert held.entered.wait(WAIT_S)
    futures = [engine.submit(insert(str(n))) for n in range(3)]
    with pytest.raises(Busy, match="too_many_writes"):
        engine.submit(insert("one too many"))
    held.gone.set()
    assert [future.result(WAIT_S) for future in futures] == ["0", "1", "2"]


def test_closing_leaves_one_file_and_no_threads(tmp_path, open_engine):
    before = threading.active_count()
    engine = open_engine()
    engine.submit(insert("a")).result(WAIT_S)
    engine.read(names).result(WAIT_S)
    engine.close()
    assert threading.active_count() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def test_closing_finishes_what_is_in_line(tmp_path, open_engine):
    engine = open_engine()
    held = Held()
    engine.submit(held)
    future = engine.submit(insert("a"))
    closing = threading.Thread(target=engine.close)
    closing.start()
    held.gone.set()
    closing.join(WAIT_S)
    assert future.result(0) == "a"
    assert tables_and_rows(tmp_path / "a.db") == ["a"]


def test_a_work_cancelled_in_line_is_dropped(threaded):
    held = Held()
    threaded.submit(held)
    future = threaded.submit(insert("a"))
    assert future.cancel()
    held.gone.set()
    threaded.submit(insert("b")).result(WAIT_S)
    assert threaded.read(names).result(WAIT_S) == ["b"]


def test_an_idle_writer_empties_the_log(tmp_path, open_engine):
    engine = open_engine(idle_ms=5)
    engine.submit(insert("a")).result(WAIT_S)
    assert is_emptied(tmp_path / "a.db-wal")


def is_emptied(log: Path) -> bool:
    ticks = threading.Event()
    return any(log.stat().st_size == 0 or ticks.wait(0.005) for _ in range(200))


def test_a_busy_writer_empties_a_log_grown_too_long(tmp_path, open_engine):
    engine = open_engine(wal_bytes=1)
    lengths = []
    for n in range(70):
        engine.submit(insert(str(n))).result(WAIT_S)
        lengths.append((tmp_path / "a.db-wal").stat().st_size)
    assert lengths[60] > lengths[-1]


def test_a_reader_in_the_way_only_puts_off_the_emptying(tmp_path, open_engine):
    engine = open_engine(idle_ms=5)
    engine.submit(insert("a")).result(WAIT_S)

    held = Held()
    reading = engine.read(lambda tx: (names(tx), held(tx))[0])
    assert held.entered.wait(WAIT_S)
    engine.submit(insert("b")).result(WAIT_S)
    time.sleep(0.02)  # Long enough for the writer to find itself idle, and the log in use.
    assert (tmp_path / "a.db-wal").stat().st_size > 0
    held.gone.set()
    assert reading.result(WAIT_S) == ["a"]
    assert is_emptied(tmp_path / "a.db-wal")
    engine.close()
    assert tables_and_rows(tmp_path / "a.db") == ["a", "b"]


@pytest.mark.slow
def test_kill_9_loses_no_acknowledged_row(tmp_path):
    child = Path(__file__).with_name("writing_child.py")
    path, acknowledged = tmp_path / "a.db", 0
    for cycle in range(5):
        command = [sys.executable, child, path, str(cycle)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            said = [process.stdout.readline() for _ in range(50 + 37 * cycle)]
            process.send_signal(signal.SIGKILL)
            said += process.stdout.readlines()
        told = {line.decode().strip() for line in said if line.endswith(b"\n")}
        acknowledged += len(told)
        assert told <= set(tables_and_rows(path))
    assert acknowledged >= 50
