"""A database of schema 0003 comes through the split of queue and history whole, on both engines."""

import signal
import subprocess
import sys

import pytest
from alembic import command
from sqlalchemy import text

from affwire.model.deliveries import REPLAY
from affwire.store import schema
from affwire.store.engines.base import Limits
from affwire.store.engines.postgres import open_postgres
from affwire.store.engines.sqlite import open_sqlite
from affwire.store.engines.sqlite_file import SqliteFile, driver_of
from affwire.store.outbox import Outbox
from affwire.store.queued import Share
from affwire.testing.store_suite import make_tx

STATUSES = ("pending", "held", "leased", "delivered", "exhausted", "cancelled")
ENDED = STATUSES[3:]
NOW = 1_790_000_000_000
WAIT_S = 30


def fill(connection):
    """Bring an empty database to 0003 and write a delivery of each status, with attempts, as code of then did."""
    assert schema.current(connection) is None  # which begins a transaction that Alembic then leaves to us
    command.upgrade(schema.alembic_config(connection), "0003")
    for nth, status in enumerate(STATUSES, start=1):
        row = {
            "id": f"dlv_{nth}", "organization_id": "org_1", "endpoint_id": "ep_1", "event_id": f"evt_{nth}", "word": "w",
            "subject_id": "s", "status": status, "reason": "why" if status in {"held", "exhausted", "cancelled"} else None,
            "lane": "l" if nth == 1 else None, "due_at": NOW if nth < 4 else None, "attempts": nth, "steps": 1,
            "priority": 1, "fence": nth, "created_at": NOW - nth, "settled_at": NOW if status in ENDED else None,
            "lease_until": NOW + 9 if status == "leased" else None, "leased_by": "w" if status == "leased" else None,
        }  # fmt: skip
        write(connection, "deliveries", row)
        attempt = {
            "delivery_id": row["id"], "number": 1, "id": f"att_{nth}", "organization_id": "org_1", "started_at": NOW,
            "ended_at": NOW, "outcome": "failed", "request": b"{}",
        }  # fmt: skip
        write(connection, "attempts", attempt)
    connection.execute(text("DELETE FROM attempts WHERE position = 6"))
    job = {
        "id": "job_1",
        "organization_id": "org_1",
        "kind": "replay",
        "status": "running",
        "request": "{}",
        "cursor": 3,
    }
    write(connection, "jobs", {**job, "total": 5, "done": 1, "skipped": 0, "created_at": NOW, "updated_at": NOW})


def write(connection, table, row):
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)  # noqa: S608 -- our own names


def assert_all_there(connection):
    outbox = Outbox(connection)
    rows = outbox.page("org_1", before=None, limit=9)[::-1]
    assert [(one.id, one.status, one.position) for one in rows] == [
        (f"dlv_{nth}", status, nth) for nth, status in enumerate(STATUSES, start=1)
    ]
    for nth, one in enumerate(rows, start=1):
        assert (one.attempts, one.fence, one.steps, one.created_at) == (nth, nth, 1, NOW - nth)
        assert one.settled_at == (NOW if one.status in ENDED else None)
        assert (one.event_id, one.endpoint_id, one.due_at) == (f"evt_{nth}", "ep_1", NOW if nth < 4 else None)
    assert [one.reason for one in rows] == [None, "why", None, None, "why", "why"]
    assert {one.priority for one in rows[:3]} == {REPLAY}  # 0 and 1 were all there was
    assert (rows[0].lane, rows[2].leased_by, rows[2].lease_until) == ("l", "w", NOW + 9)
    assert [one.id for one in outbox.leases()] == ["dlv_3"]
    assert outbox.leased() == {"ep_1": 1}
    assert [one.id for one in outbox.due([Share("ep_1", 9)], now=NOW)] == ["dlv_1"]
    tried = outbox.attempts_of([one.id for one in rows])
    assert {name: (one.position, one.request) for name, [one] in tried.items()} == {
        f"dlv_{nth}": (nth, b"{}") for nth in range(1, 6)
    }
    job = connection.execute(text("SELECT status, cursor, total, done, due_at FROM jobs")).one()
    assert tuple(job) == ("running", 3, 5, 1, None)


def assert_counts_on(connection):
    """No position is given twice, not even that of a row that is gone."""
    write(connection, "attempts", {
        "delivery_position": 6, "number": 2, "id": "a", "organization_id": "org_1", "started_at": 1, "ended_at": NOW,
        "outcome": "ok",
    })  # fmt: skip
    assert connection.execute(text("SELECT MAX(position) FROM attempts")).scalar() == 7


def split(connection):
    assert schema.upgrade(connection)[0] == "0004"
    assert_all_there(connection)
    assert_counts_on(connection)


def test_every_status_comes_through_on_sqlite(tmp_path):
    def prepare(connection):
        fill(connection)
        split(connection)

    open_sqlite(tmp_path / "a.db", make_tx, prepare=prepare, inline=True).close()


def test_every_status_comes_through_on_postgresql(schemas):
    def prepare(connection):
        fill(connection)
        split(connection)
        partitions = (
            "SELECT tableoid::regclass::text FROM deliveries UNION SELECT tableoid::regclass::text FROM endings"
        )
        weeks = connection.execute(text(partitions)).scalars().all()
        assert weeks
        assert not [name for name in weeks if name.endswith("_rest")]

    open_postgres(schemas.new(), make_tx, prepare=prepare, inline=True).close()


def test_nothing_is_left_of_what_was_there_before(schemas, tmp_path):
    def names(tx):
        kind = tx.connection.dialect.name
        query = "SELECT name FROM sqlite_schema" if kind == "sqlite" else "SELECT relname FROM pg_class"
        return [name for name in tx.connection.execute(text(query)).scalars() if name.startswith("former_")]

    def prepare(connection):
        fill(connection)
        schema.upgrade(connection)

    for engine in (
        open_sqlite(tmp_path / "a.db", make_tx, prepare=prepare, inline=True),
        open_postgres(schemas.new(), make_tx, prepare=prepare, inline=True),
    ):
        assert engine.read(names).result(WAIT_S) == []
        engine.close()


@pytest.mark.slow
@pytest.mark.parametrize("statements", [5, 25, 45])
def test_a_split_killed_half_way_leaves_the_former_schema_and_can_be_run_again(tmp_path, statements):
    path = tmp_path / "a.db"
    open_sqlite(path, make_tx, prepare=fill, inline=True).close()
    code = (
        "import os, sys; from pathlib import Path; from alembic import op; from affwire.store import schema\n"
        "from affwire.store.engines.base import Limits; from affwire.store.engines.sqlite_file import SqliteFile, driver_of\n"
        "connection = SqliteFile(Path(sys.argv[1]), Limits()).open_writer(); driver = driver_of(connection)\n"
        "driver.execute('BEGIN IMMEDIATE'); seen = []\n"
        "driver.set_trace_callback(lambda sql: (seen.append(sql), len(seen) > int(sys.argv[2]) and os.kill(os.getpid(), 9)))\n"
        "schema.upgrade(connection)"
    )
    child = subprocess.run([sys.executable, "-W", "ignore", "-c", code, path, str(statements)], check=False)
    assert child.returncode == -signal.SIGKILL
    file = SqliteFile(path, Limits())
    connection = file.open_writer()
    assert schema.current(connection) == "0003"
    driver_of(connection).execute("BEGIN IMMEDIATE")
    split(connection)
    driver_of(connection).execute("COMMIT")
    connection.close()
    file.dispose()
