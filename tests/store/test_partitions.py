"""History on PostgreSQL goes week by week, and the queue's rows change without touching an index."""

import pytest
from msgspec import structs
from sqlalchemy import literal_column, select, text
from test_outbox import attempt, row

from affwire.store import partitions, schema
from affwire.store.engines.postgres import open_postgres
from affwire.store.partitions import WEEK_MS
from affwire.store.queued import Lease, Settlement, Share
from affwire.store.tables import metadata
from affwire.testing.store_suite import make_tx

NOW = 3_000 * WEEK_MS + 5
WAIT_S = 30


@pytest.fixture
def engine(schemas):
    engine = open_postgres(schemas.new(), make_tx, prepare=schema.upgrade, inline=True)
    engine.submit(lambda tx: partitions.turn(tx.connection, NOW, NOW - WEEK_MS)).result(WAIT_S)
    yield engine
    engine.close()


@pytest.fixture
def run(engine):
    return lambda work: engine.submit(work).result(WAIT_S)


def end(tx, delivery, at):
    [leased] = tx.outbox.lease([Lease(delivery, at + 5, "att")], now=at, worker="w")
    assert tx.outbox.settle([Settlement(leased, "delivered", None, None, 0, attempt(leased, ended_at=at))], at) == [
        True
    ]


def shown(tx):
    return [one.id for one in tx.outbox.page("org_1", before=None, limit=99)]


def in_tables(tx, table):
    query = select(literal_column("tableoid::regclass::text")).select_from(metadata.tables[table])
    return sorted(tx.connection.execute(query).scalars())


def fill(run, *, weeks=3):
    """Make a delivery in each of so many weeks, which ends in the same week."""
    made = [row(nth, created_at=NOW + nth * WEEK_MS, due_at=1) for nth in range(weeks)]
    run(lambda tx: tx.outbox.add(made))
    for one in run(lambda tx: tx.outbox.page("org_1", before=None, limit=99)):
        run(lambda tx, one=one: end(tx, one, one.created_at))


def test_each_week_has_its_own_tables(run):
    fill(run)
    for table in ("deliveries", "endings", "attempts"):
        assert run(lambda tx, table=table: in_tables(tx, table)) == [f"{table}_w0{week}" for week in (3000, 3001, 3002)]


def test_the_weeks_that_are_over_are_dropped_as_a_whole(run):
    fill(run)
    assert run(lambda tx: partitions.drop(tx.connection, NOW + WEEK_MS)) == [
        "endings_w03000",
        "deliveries_w03000",
        "attempts_w03000",
    ]
    assert run(shown) == ["dlv_2", "dlv_1"]
    assert sorted(run(lambda tx: tx.outbox.attempts_of(["dlv_0", "dlv_1", "dlv_2"]))) == ["dlv_1", "dlv_2"]
    assert run(lambda tx: partitions.drop(tx.connection, NOW + WEEK_MS)) == []


@pytest.mark.parametrize("kept", ["waits", "ended late"])
def test_nothing_is_dropped_of_a_delivery_that_is_kept_and_what_was_beside_it_is_swept(run, kept):
    fill(run)
    run(lambda tx: tx.outbox.add([row(9, created_at=NOW, due_at=1)]))
    [late] = run(lambda tx: tx.outbox.due([Share("ep_1", 9)], now=10))
    if kept == "waits":
        [leased] = run(lambda tx: tx.outbox.lease([Lease(late, 5, "att")], now=1, worker="w"))
        settlement = Settlement(leased, "pending", None, 10**15, 1, attempt(leased, ended_at=NOW))
        run(lambda tx: tx.outbox.settle([settlement], NOW))
    else:
        run(lambda tx: end(tx, late, NOW + 2 * WEEK_MS))
    before = NOW + 2 * WEEK_MS
    assert run(lambda tx: partitions.drop(tx.connection, before)) == [
        "endings_w03000",
        "endings_w03001",
        "deliveries_w03001",
    ]
    assert run(shown) == ["dlv_9", "dlv_2"]
    assert run(lambda tx: partitions.sweep(tx.connection, before, limit=9)) == 2
    assert run(lambda tx: in_tables(tx, "deliveries")) == ["deliveries_w03000", "deliveries_w03002"]
    tried = run(lambda tx: tx.connection.execute(text("SELECT delivery_position FROM attempts")).scalars().all())
    assert sorted(tried) == [3, 4]
    assert run(lambda tx: tx.outbox.attempts_of(["dlv_9"]))


def test_a_replayed_delivery_outlives_its_first_ending(run):
    fill(run, weeks=1)
    [ended] = run(lambda tx: tx.outbox.page("org_1", before=None, limit=9))
    run(lambda tx: tx.outbox.put(structs.replace(ended, status="pending", due_at=1, settled_at=None)))
    assert run(lambda tx: partitions.drop(tx.connection, NOW + WEEK_MS)) == ["endings_w03000"]
    assert run(shown) == ["dlv_0"]
    assert "dlv_0" in run(lambda tx: tx.outbox.attempts_of(["dlv_0"]))


def test_weeks_are_made_ahead_once_and_never_over_rows_that_found_none(run):
    far = NOW + 20 * WEEK_MS
    run(lambda tx: tx.outbox.add([row(1, created_at=far)]))
    assert run(lambda tx: in_tables(tx, "deliveries")) == ["deliveries_rest"]
    run(lambda tx: partitions.turn(tx.connection, far, 0))
    run(lambda tx: partitions.turn(tx.connection, far, 0))
    run(lambda tx: tx.outbox.add([row(2, created_at=far), row(3, created_at=far + WEEK_MS)]))
    assert run(lambda tx: in_tables(tx, "deliveries")) == ["deliveries_rest", "deliveries_rest", "deliveries_w03021"]
    assert len(run(shown)) == 3


def test_what_is_in_no_week_goes_row_by_row(run):
    run(lambda tx: tx.outbox.add([row(1), row(2)]))
    for one in run(lambda tx: tx.outbox.due([Share("ep_1", 9)], now=10)):
        run(lambda tx, one=one: end(tx, one, 20))
    assert run(lambda tx: tx.outbox.forget(21, limit=1)) == 1
    assert run(lambda tx: tx.outbox.forget(21, limit=9)) == 1
    assert run(shown) == []


@pytest.mark.slow
def test_most_claims_and_no_ending_touch_an_index(run):
    """PostgreSQL counts itself how many new versions of rows stayed on their page and out of every index."""
    count = 4_000
    run(lambda tx: tx.outbox.add([row(nth, f"ep_{nth % 8}", created_at=NOW) for nth in range(count)]))
    done = 0
    while done < count:
        done += len(run(claim_and_settle))
    run(lambda tx: tx.connection.execute(text("SELECT pg_stat_force_next_flush()")))
    figures = "SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE schemaname = current_schema()"
    found = {name: (all_, hot) for name, all_, hot in run(lambda tx: tx.connection.execute(text(figures)).all())}
    claims, hot = found["queue"]
    assert claims == count
    assert hot > 0.8 * claims
    assert sum(all_ for name, (all_, _) in found.items() if name.startswith(("deliveries", "endings"))) == 0


def claim_and_settle(tx):
    due = [one for nth in range(8) for one in tx.outbox.due([Share(f"ep_{nth}", 25)], now=10)]
    leased = tx.outbox.lease([Lease(one, 10**15, f"att_{one.id}") for one in due], now=10, worker="w")
    tx.outbox.settle([Settlement(one, "delivered", None, None, 0, attempt(one)) for one in leased], NOW)
    return leased
