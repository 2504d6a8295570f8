"""PostgreSQL as an engine: the suite of all engines, and what only a server can do to us."""

import threading
import time
import traceback

import psycopg
import pytest
from servers import SAFE, Cluster
from structlog.testing import capture_logs

from affwire.errors import Busy, Conflict, Refused
from affwire.store.engines.base import Limits
from affwire.store.engines.postgres import began_at, open_postgres
from affwire.store.engines.postgres_server import driver_of, place_of
from affwire.store.tables import meta
from affwire.store.tx import Tx
from affwire.store.vault import Vault
from affwire.testing import store_suite
from affwire.testing.store_suite import Held, gather, insert, insert_then_refuse, make_tx, names, prepare
from affwire.world import World

WAIT_S = 20


@pytest.fixture
def url(schemas):
    return schemas.new()


@pytest.fixture
def open_engine(url):
    """Open an engine on the test's own schema, closed whatever becomes of it."""
    opened = []

    def open_one(*, inline=False, tx=make_tx, **limits):
        engine = open_postgres(url, tx, prepare=prepare, inline=inline, limits=Limits(**limits))
        opened.append(engine)
        return engine

    yield open_one
    for engine in opened:
        engine.close()


@pytest.mark.parametrize("inline", [True, False], ids=["inline", "threads"])
@pytest.mark.parametrize("check", store_suite.CHECKS, ids=store_suite.name)
def test_the_suite_of_all_engines(check, inline, url):
    check(lambda make_tx, prepare: open_postgres(url, make_tx, prepare=prepare, inline=inline))


def test_works_that_meet_share_a_commit(open_engine):
    engine = open_engine(commit_ms=60_000)

    def transaction(tx):
        return tx.connection.exec_driver_sql("SELECT pg_current_xact_id()::text").scalar()

    assert len({future.result() for future in gather(engine, [transaction] * 20)}) == 1


def test_a_work_is_told_the_databases_time(open_engine):
    engine = open_engine(tx=lambda connection: Tx(connection, World(), Vault(b"k" * 32), began_at(connection)))
    before = engine.submit(lambda tx: tx.now).result(WAIT_S)
    assert abs(before - time.time() * 1000) < 60_000
    assert engine.read(lambda tx: tx.now).result(WAIT_S) >= before


def test_a_work_whose_rows_another_holds_waits_for_them_and_keeps_its_place(open_engine):
    one, other = open_engine(), open_engine()
    one.submit(insert("shared")).result(WAIT_S)
    held = Held()

    def keep(tx):
        tx.connection.execute(meta.update().where(meta.c.name == "shared").values(value="one"))
        held(tx)

    def read_then_change(tx):
        seen = tx.connection.execute(meta.select().where(meta.c.name == "shared").with_for_update()).one().value
        tx.connection.execute(meta.update().where(meta.c.name == "shared").values(value=f"{seen}, other"))

    kept = one.submit(keep)
    held.entered.wait(WAIT_S)
    works = [insert("first"), read_then_change, lambda tx: [*names(tx), read(tx)]]
    line = threading.Thread(target=lambda: results.extend(gather(other, works)))
    results = []
    line.start()
    end = time.monotonic() + WAIT_S
    while "first" not in one.read(names).result(WAIT_S):  # committed, while what comes behind it waits
        assert time.monotonic() < end
    held.gone.set()
    line.join(WAIT_S)
    kept.result(WAIT_S)
    assert results[-1].result(WAIT_S) == ["first", "shared", "one, other"]


def read(tx):
    return tx.connection.execute(meta.select().where(meta.c.name == "shared")).one().value


def test_of_two_who_wait_in_a_circle_both_end_well(open_engine):
    engines = [open_engine(), open_engine()]
    for name in ("a", "b"):
        engines[0].submit(insert(name)).result(WAIT_S)
    meeting = threading.Barrier(2)

    def change(*rows):
        def work(tx):
            for name in rows:
                tx.connection.execute(meta.update().where(meta.c.name == name).values(value=meta.c.value + "x"))
                if meeting.n_waiting or not meeting.broken:
                    try:
                        meeting.wait(0.5)
                    except threading.BrokenBarrierError:
                        continue

        return work

    futures = [engines[0].submit(change("a", "b")), engines[1].submit(change("b", "a"))]
    for future in futures:
        future.result(WAIT_S)
    values = engines[0].read(lambda tx: [row.value for row in tx.connection.execute(meta.select())]).result(WAIT_S)
    assert values == ["xx", "xx"]


def test_who_loses_a_race_for_a_name_sees_the_winner_when_carried_out_again(open_engine):
    one, other = open_engine(), open_engine()
    looked = threading.Event()

    def claim(tx):
        if "name" in names(tx):
            raise Conflict("taken", "It is taken.")
        if not looked.is_set():
            looked.set()
            other.submit(insert("name")).result(WAIT_S)
        insert("name")(tx)

    with pytest.raises(Conflict, match="taken"):
        one.submit(claim).result(WAIT_S)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO meta (name, value) VALUES ('kim@example.org', 'a'), ('kim@example.org', 'b')",
        "INSERT INTO meta (name, value) VALUES ('kim@example.org', NULL)",
        "SELECT CAST('kim@example.org'::text AS integer)",
    ],
)
def test_an_error_of_ours_never_shows_the_values_it_met(open_engine, statement):
    engine = open_engine()
    begins = (engine.submit,) if statement.startswith("INSERT") else (engine.submit, engine.read)
    for begin in begins:
        error = begin(lambda tx: driver_of(tx.connection).execute(statement).fetchall()).exception(WAIT_S)
        said = "".join(traceback.format_exception(error))
        assert type(error).__module__ == "psycopg.errors"
        assert "kim@" not in said.replace(statement, "")


def test_a_refusal_between_others_leaves_their_locks_in_peace(open_engine):
    engine = open_engine(commit_ms=60_000)
    futures = gather(engine, [insert("a"), insert_then_refuse("b"), insert("c")])
    assert [future.exception() is None for future in futures] == [True, False, True]
    assert engine.read(names).result(WAIT_S) == ["a", "c"]


def test_another_process_hears_of_a_commit_that_asked_for_it(open_engine):
    speaker, hearer = open_engine(), open_engine()
    heard = threading.Event()
    hearer.on_wake(heard.set)
    end = time.monotonic() + WAIT_S
    while not heard.is_set():  # the listener may not have begun yet
        speaker.submit(lambda tx: tx.wake()).result(WAIT_S)
        heard.wait(0.1)
        assert time.monotonic() < end


def test_an_engine_that_is_silent_in_its_transaction_loses_it_and_its_works_are_told(open_engine, url):
    engine = open_engine()

    def cut_off(tx):
        insert("a")(tx)
        pid = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with psycopg.connect(url, autocommit=True) as operator:
            operator.execute("SELECT pg_terminate_backend(%s)", [pid])

    with pytest.raises(Busy, match="store_unavailable"):
        engine.submit(lambda tx: (cut_off(tx), insert("b")(tx))).result(WAIT_S)
    assert engine.submit(insert("c")).result(WAIT_S) == "c"
    assert engine.read(names).result(WAIT_S) == ["c"]


def test_a_read_that_takes_too_long_is_stopped(open_engine):
    engine = open_engine(read_ms=50)
    with pytest.raises(Busy):
        engine.read(lambda tx: tx.connection.exec_driver_sql("SELECT pg_sleep(5)")).result(WAIT_S)
    assert engine.read(names).result(WAIT_S) == []


def test_a_commit_is_durable_even_where_the_server_would_not_have_it_so(url):
    def level(tx):
        return tx.connection.exec_driver_sql("SHOW synchronous_commit").scalar()

    engine = open_postgres(f"{url}%20-csynchronous_commit%3Doff", make_tx, inline=True)
    try:
        assert engine.submit(level).result(WAIT_S) == "on"
    finally:
        engine.close()


def test_a_server_that_may_lose_everything_is_complained_about(open_engine):
    with capture_logs() as lines:
        engine = open_engine(inline=True)
    told = [line for line in lines if line["event"] == "store.not_durable"]
    assert [line["log_level"] for line in told] == ["error"]
    assert engine.warnings == (told[0]["sentence"],)
    assert "fsync=off" in told[0]["sentence"]


def test_an_address_never_shows_a_password():
    assert place_of("postgresql://me:secret@db:5432/shop?sslmode=require") == "postgresql://db:5432/shop"


def test_a_server_that_is_not_there_is_said_in_a_sentence():
    with pytest.raises(Busy, match=r"cannot be reached .*Connection refused") as error:
        open_postgres("postgresql://me:secret@127.0.0.1:1/shop", make_tx)
    assert "secret" not in str(error.value)
    assert "\t" not in error.value.sentence


@pytest.mark.parametrize(
    "url", ["postgresql://me:secret@[::1/shop", "postgresql://me:secret@db/shop?port", "postgresql://%zz"]
)
def test_an_address_that_cannot_be_read_is_refused_without_its_password(url):
    with pytest.raises(Refused) as refusal:
        open_postgres(url, make_tx)
    assert refusal.value.code == "unknown_database"
    assert "secret" not in refusal.value.sentence


def test_there_is_no_copy_as_a_file(open_engine, tmp_path):
    for inline in (True, False):
        with pytest.raises(Refused, match="pg_dump"):
            open_engine(inline=inline).backup(tmp_path / "copy")


@pytest.mark.slow
def test_a_server_that_is_killed_loses_nothing_it_acknowledged():
    cluster = Cluster(SAFE)
    try:
        engine = open_postgres(cluster.url, make_tx, prepare=prepare)
        kept, number = [], 0
        for _ in range(3):
            killer = threading.Timer(0.15, cluster.kill)
            killer.start()
            cut = False
            while not cut:
                futures = [(f"{number + n:06}", engine.submit(insert(f"{number + n:06}"))) for n in range(50)]
                number += 50
                for name, future in futures:
                    error = future.exception(WAIT_S)
                    kept += [name] if error is None else []
                    cut |= isinstance(error, Busy)
            killer.join()
            cluster.start()
        found = set(engine.read(names).result(WAIT_S))
        engine.close()
        assert set(kept) <= found
        assert len(kept) > 50
    finally:
        cluster.close()
