"""The store seen from an event loop."""

import asyncio
import threading

import pytest
from structlog.testing import capture_logs

from affwire.errors import Conflict, Refused
from affwire.store import schema
from affwire.store.engines.sqlite import open_sqlite
from affwire.store.store import Store
from affwire.store.tables import meta, metadata
from affwire.store.tx import Tx
from affwire.store.vault import Vault
from affwire.testing.house import MemoryHouse
from affwire.world import World


def make_tx(connection):
    return Tx(connection, World(), Vault(b"k" * 32), 1)


@pytest.fixture(params=["threads", "memory"])
def store(request, tmp_path):
    path = tmp_path / "a.db" if request.param == "threads" else None
    engine = open_sqlite(path, make_tx, prepare=lambda c: metadata.create_all(c, tables=[meta]))
    yield Store(engine)
    engine.close()


def insert(name):
    return lambda tx: tx.connection.execute(meta.insert().values(name=name, value="")).rowcount


def names(tx):
    return sorted(tx.connection.execute(meta.select()).scalars())


def test_many_callers_each_get_their_own_result(store):
    async def main():
        return await asyncio.gather(*(store.run(lambda tx, n=n: (insert(str(n))(tx), n)[1]) for n in range(100)))

    assert asyncio.run(main()) == list(range(100))


def test_a_read_sees_every_finished_run(store):
    async def main():
        for n in range(20):
            await store.run(insert(f"{n:02}"))
            assert len(await store.read(names)) == n + 1

    asyncio.run(main())


def test_what_a_work_raises_is_raised_where_it_is_awaited(store):
    def refuse(tx):
        insert("a")(tx)
        raise Conflict("no", "No.", field="slug")

    async def main():
        with pytest.raises(Conflict) as caught:
            await store.run(refuse)
        assert caught.value.facts == {"field": "slug"}
        assert await store.read(names) == []

    asyncio.run(main())


def test_a_wake_reaches_the_loop(store):
    async def main():
        rung = asyncio.Event()
        loop = asyncio.get_running_loop()
        store.on_wake(lambda: loop.call_soon_threadsafe(rung.set))
        await store.run(lambda tx: tx.wake())
        await asyncio.wait_for(rung.wait(), 10)

    asyncio.run(main())


def test_a_cancelled_caller_harms_nobody(store):
    async def main():
        tasks = [asyncio.create_task(store.run(insert(str(n)))) for n in range(50)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        kept = await store.read(names)
        assert {str(n) for n in range(1, 50, 2)} <= set(kept)

    asyncio.run(main())


def test_submit_needs_no_loop(store):
    assert store.submit(insert("a")).result(10) == 1


def test_a_start_brings_schema_and_key_together_or_not_at_all(tmp_path):
    def start(key):
        def prepare(connection):
            schema.upgrade(connection)
            Vault(key).check(connection)

        return open_sqlite(tmp_path / "a.db", make_tx, prepare=prepare)

    start(b"k" * 32).close()
    start(b"k" * 32).close()
    with pytest.raises(Refused, match="wrong_master_key"):
        start(b"o" * 32)


@pytest.fixture
def threads_of_others():
    return set(threading.enumerate())


def test_closing_frees_every_thread(threads_of_others, store):
    async def main():
        await store.run(insert("a"))
        await store.read(names)
        await store.close()
        await store.close()

    asyncio.run(main())
    assert set(threading.enumerate()) <= threads_of_others


def test_news_is_logged_when_it_is_committed_and_never_when_it_is_undone():
    house = MemoryHouse()

    def told(tx):
        tx.by = "key_1"
        tx.tell("key.revoked", id="key_2")

    def undone(tx):
        told(tx)
        raise Refused("no", "No.")

    with capture_logs() as lines:
        with pytest.raises(Refused):
            house.run(undone)
        house.run(told)
    assert lines == [{"event": "key.revoked", "id": "key_2", "by": "key_1", "log_level": "info"}]
