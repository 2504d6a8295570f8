"""Messages share commits, genuine ones first; what one trips the store up with is nobody else's affair."""

import asyncio

import pytest
from gate import Gate

from affwire.errors import Busy
from affwire.ingest import keeper as module
from affwire.ingest.keeper import Keeper
from affwire.model import ids
from affwire.model.inbound import Kept
from affwire.services import inbox
from affwire.services.inbox import Arrival


def arrival(source, nth, status="received", body=b"{}"):
    return Arrival(
        source,
        Kept(
            id=ids.make("message", nth, nth),
            organization_id=source.organization_id,
            source_id=source.id,
            dialect=source.dialect,
            dedupe_key=None if status == "rejected" else f"k{nth}",
            status=status,
            body=body,
            size=len(body),
            received_at=nth,
        ),
    )


class Slow:
    """A store whose commits take a moment and are counted."""

    def __init__(self, store):
        self.store, self.commits = store, 0

    async def run(self, work):
        self.commits += 1
        await asyncio.sleep(0.005)
        return await self.store.run(work)


@pytest.fixture
def gate():
    return Gate()


def kept_all(gate, arrivals, store=None):
    async def all_of_them():
        keeper = Keeper(store or gate.house.store)
        fates = await asyncio.gather(*(keeper.keep(one) for one in arrivals), return_exceptions=True)
        await keeper.close()
        return fates

    return asyncio.run(all_of_them())


def test_messages_that_wait_share_a_commit(gate):
    source, store = gate.source("growi"), Slow(gate.house.store)
    assert kept_all(gate, [arrival(source, nth) for nth in range(100)], store) == ["kept"] * 100
    assert store.commits <= 2
    assert [one.received_at for one in gate.kept()] == list(range(100))


def test_a_commit_takes_a_bounded_number_and_of_what_is_not_genuine_a_few(gate, monkeypatch):
    source, groups = gate.source(), []
    original = inbox.keep
    monkeypatch.setattr(
        inbox, "keep", lambda tx, group: groups.append([one.message.status for one in group]) or original(tx, group)
    )
    arrivals = [arrival(source, nth, "rejected") for nth in range(40)]
    arrivals += [arrival(source, nth) for nth in range(100, 400)]
    assert kept_all(gate, arrivals) == ["kept"] * 340
    assert [group.count("rejected") for group in groups] == [16, 16, 8]
    assert [group.count("received") for group in groups] == [256, 44, 0]
    assert groups[0][0] == "received"


def test_a_commit_takes_a_bounded_number_of_bytes(gate, monkeypatch):
    monkeypatch.setattr(module, "BYTES_PER_COMMIT", 10)
    source, store = gate.source("growi"), Slow(gate.house.store)
    assert kept_all(gate, [arrival(source, nth, body=b"x" * 5) for nth in range(6)], store) == ["kept"] * 6
    assert store.commits == 3


def test_one_that_trips_the_store_up_fails_alone(gate, monkeypatch):
    source, original = gate.source("growi"), inbox.keep

    def trips(tx, arrivals):
        if any(one.message.dedupe_key == "k2" for one in arrivals):
            raise ZeroDivisionError
        return original(tx, arrivals)

    monkeypatch.setattr(inbox, "keep", trips)
    fates = kept_all(gate, [arrival(source, nth) for nth in range(4)])
    assert [type(fate) for fate in fates] == [str, str, Busy, str]
    assert [one.dedupe_key for one in gate.kept()] == ["k0", "k1", "k3"]


def test_a_store_that_is_busy_fails_all_who_shared(gate):
    class Full:
        async def run(self, _work):
            raise Busy("too_many_writes")

    source = gate.source("growi")
    assert [fate.code for fate in kept_all(gate, [arrival(source, nth) for nth in range(3)], Full())] == [
        "too_many_writes"
    ] * 3


def test_bodies_in_memory_are_bounded(gate, monkeypatch):
    monkeypatch.setattr(module, "BYTES_WAITING_MAX", 4)
    source = gate.source("growi")
    fates = kept_all(gate, [arrival(source, nth) for nth in range(4)])
    assert fates[:2] == ["kept", "kept"]
    assert [fate.code for fate in fates[2:]] == ["too_many_messages"] * 2


def test_a_caller_that_gives_up_takes_nobody_with_it(gate):
    source = gate.source("growi")

    async def two():
        keeper = Keeper(Slow(gate.house.store))
        first, second = (asyncio.ensure_future(keeper.keep(arrival(source, nth))) for nth in range(2))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(two()) == "kept"
    assert len(gate.kept()) == 2


def test_a_keeper_that_worked_before_works_again_and_closes_twice(gate):
    source = gate.source("growi")

    async def twice():
        keeper = Keeper(gate.house.store)
        await keeper.close()
        fates = [await keeper.keep(arrival(source, nth)) for nth in range(2)]
        await keeper.close()
        await keeper.close()
        return fates, keeper.is_crowded

    assert asyncio.run(twice()) == (["kept", "kept"], False)


def test_what_is_not_genuine_is_trimmed_for_many_at_a_time_and_for_every_source_that_had_some(gate, monkeypatch):
    monkeypatch.setattr(module, "TRIMMED_EVERY", 4)
    monkeypatch.setattr(inbox, "REJECTED_MAX", 1)
    first, second = gate.source(), gate.source()

    async def kept():
        keeper = Keeper(gate.house.store)
        counts = []
        for nth, source in enumerate([first, first, first, second, first]):
            await keeper.keep(arrival(source, nth, "rejected"))
            counts.append(len(gate.kept()))
        return counts

    assert asyncio.run(kept()) == [1, 2, 3, 2, 3]


def test_one_that_comes_alone_waits_for_nobody(gate, monkeypatch):
    monkeypatch.setattr(module, "GATHER_S", 3600)
    source = gate.source("growi")

    async def alone():
        keeper = Keeper(gate.house.store)
        return [await keeper.keep(arrival(source, nth)) for nth in range(3)]

    assert asyncio.run(alone()) == ["kept"] * 3
