"""The steps on PostgreSQL: they lead to tables.py, once, whoever begins them at the same time."""

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from affwire.errors import Refused
from affwire.store import schema
from affwire.store.engines.postgres import open_postgres
from affwire.store.tables import metadata
from affwire.testing.store_suite import make_tx

WAIT_S = 30


@pytest.fixture
def upgraded(schemas):
    url, applied = schemas.new(), []

    def open_one():
        return open_postgres(
            url, make_tx, prepare=lambda connection: applied.append(schema.upgrade(connection)), inline=True
        )

    engine = open_one()
    yield engine, open_one, applied
    engine.close()


def test_all_steps_together_make_the_tables_of_the_code(upgraded):
    def differences(tx):
        context = MigrationContext.configure(tx.connection, opts={"compare_type": True})
        return compare_metadata(context, metadata)

    assert upgraded[0].submit(differences).result(WAIT_S) == []


def test_what_changes_all_the_time_has_room_to_change_and_is_tidied_early(upgraded):
    query = text(
        "SELECT reloptions FROM pg_class WHERE relname = 'deliveries' AND relnamespace = current_schema()::regnamespace"
    )
    [options] = upgraded[0].submit(lambda tx: tx.connection.execute(query).scalars().all()).result(WAIT_S)
    assert {"fillfactor=80", "autovacuum_vacuum_scale_factor=0.01"} <= set(options)


def test_the_second_start_does_nothing(upgraded):
    _, again, applied = upgraded
    again().close()
    assert [bool(steps) for steps in applied] == [True, False]


def test_two_starts_at_once_do_it_once(schemas):
    url, applied = schemas.new(), []

    def start():
        open_postgres(url, make_tx, prepare=lambda one: applied.append(schema.upgrade(one)), inline=True).close()

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert sorted(map(bool, applied)) == [False, False, True]


def test_a_newer_schema_is_refused_and_left_alone(upgraded):
    engine, again, _ = upgraded
    engine.submit(lambda tx: tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))).result()
    with pytest.raises(Refused, match="schema_new"):
        again()


def test_a_step_that_fails_leaves_nothing_behind(schemas):
    url = schemas.new()

    def half(connection):
        schema.upgrade(connection)
        raise Refused("no", "No.")

    with pytest.raises(Refused, match="no"):
        open_postgres(url, make_tx, prepare=half)
    engine = open_postgres(url, make_tx, inline=True)
    assert engine.submit(lambda tx: schema.current(tx.connection)).result(WAIT_S) is None
    engine.close()
