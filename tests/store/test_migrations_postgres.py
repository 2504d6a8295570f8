"""The steps on PostgreSQL: they lead to tables.py, once, whoever begins them at the same time."""

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from affwire.errors import Refused
from affwire.store import schema
from affwire.store.engines.postgres import open_postgres
from affwire.store.tables import PARTITIONED, metadata
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
        opts = {"compare_type": True, "include_object": is_declared}
        context = MigrationContext.configure(tx.connection, opts=opts)
        return compare_metadata(context, metadata)

    assert upgraded[0].submit(differences).result(WAIT_S) == []


def is_declared(one, name, kind, reflected, compared_to):
    """Leave out the partitions, SQLite's own indexes, and keys that are longer here by the column of partitioning."""
    table = one if kind == "table" else one.table
    if kind == "unique_constraint" and PARTITIONED in metadata.tables[table.name].info:
        return False
    if kind == "index" and not reflected:
        return one._ddl_if is None
    return table.name in metadata.tables


def test_what_changes_all_the_time_has_room_to_change_and_is_tidied_early(upgraded):
    query = text(
        "SELECT reloptions FROM pg_class WHERE relname = 'queue' AND relnamespace = current_schema()::regnamespace"
    )
    [options] = upgraded[0].submit(lambda tx: tx.connection.execute(query).scalars().all()).result(WAIT_S)
    assert {"fillfactor=40", "autovacuum_vacuum_scale_factor=0.01"} <= set(options)


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

    def make_newer(tx):
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        tx.connection.execute(text("UPDATE meta SET value = '9999' WHERE name = 'schema_compatible_from'"))

    engine.submit(make_newer).result()
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
