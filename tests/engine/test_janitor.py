"""The janitor's rounds: leases, retention, erasure; and that nothing ends them but being told to."""

import asyncio

import pytest
from registry_walk import HOOKS

from affwire.engine import janitor as module
from affwire.engine.janitor import DAY_MS, IDEMPOTENCY_MS, Janitor
from affwire.errors import Busy
from affwire.model.deliveries import AttemptRecord
from affwire.services import affiliates, deliveries, programs
from affwire.store.keys import KeptAnswer
from affwire.store.queued import Settlement
from affwire.testing.house import MemoryHouse


@pytest.fixture
def house():
    return MemoryHouse()


def tidy(house, days=30.0):
    asyncio.run(Janitor(house.store, house.world, retention_days=days).round())


def claim(house):
    work = lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=9999, room=lambda *_: 9999)  # noqa: E731
    return house.run(work).claims


def end(house):
    def work(tx):
        for one in claims:
            row = one.delivery
            attempt = AttemptRecord(delivery_id=row.id, number=1, id="att", started_at=0, ended_at=0, outcome="ok")
            tx.outbox.settle([Settlement(row, "delivered", None, None, 0, attempt)], tx.now)

    claims = claim(house)
    house.run(work)


def test_a_lease_whose_time_is_over_is_taken_back_and_no_other(house):
    endpoint = house.endpoint("standard", HOOKS)
    house.act(programs.create, {"name": "A"})
    [one] = claim(house)
    house.clock.advance(one.policy.lease_ms)
    tidy(house)
    assert house.deliveries(endpoint)[0].status == "leased"
    house.clock.advance(1)
    tidy(house)
    assert house.deliveries(endpoint)[0].status == "pending"


def test_what_ended_before_the_retention_is_forgotten_and_what_waits_never(house):
    endpoint = house.endpoint("standard", HOOKS)
    house.act(programs.create, {"name": "A"})
    end(house)
    house.act(programs.create, {"name": "B"})
    house.clock.advance(2 * DAY_MS)
    tidy(house, days=2)
    assert len(house.deliveries(endpoint)) == 2
    house.clock.advance(1)
    tidy(house, days=2)
    assert [row.status for row in house.deliveries(endpoint)] == ["pending"]
    assert len(house.events()) == 2


def test_bodies_of_a_delivery_that_waits_longer_than_the_retention_go_but_it_stays(house):
    endpoint = house.endpoint("standard", HOOKS)
    house.act(programs.create, {"name": "A"})
    [one] = claim(house)
    attempt = AttemptRecord(
        delivery_id=one.delivery.id,
        number=1,
        id="att",
        started_at=0,
        ended_at=house.clock.now(),
        outcome="failed",
        request=b"{}",
        response=b"{}",
    )
    for status in ("pending", "held"):
        late = house.clock.now() + 90 * DAY_MS
        house.run(
            lambda tx, s=status, at=late: tx.outbox.settle([Settlement(one.delivery, s, None, at, 1, attempt)], tx.now)
        )
        house.clock.advance(31 * DAY_MS)
        tidy(house)
        [row] = house.deliveries(endpoint)
        [kept] = house.run(lambda tx, row=row: tx.outbox.attempts_of([row.id]))[row.id]
        assert (row.status, kept.outcome, kept.request, kept.response) == (status, "failed", None, None)
        house.run(lambda tx: tx.connection.exec_driver_sql("DELETE FROM attempts"))
        house.run(lambda tx: tx.connection.exec_driver_sql("UPDATE queue SET held = FALSE, leased_by = 'w'"))


def test_a_round_forgets_all_there_is_in_small_transactions(house, monkeypatch):
    monkeypatch.setattr(module, "ROWS_MAX", 2)
    endpoint = house.endpoint("standard", HOOKS)
    for name in "ABCDE":
        house.act(programs.create, {"name": name})
    end(house)
    house.clock.advance(DAY_MS)
    tidy(house, days=0.5)
    assert house.deliveries(endpoint) == []


def test_a_stop_is_heard_between_two_pieces_of_a_large_tidying(house, monkeypatch):
    monkeypatch.setattr(module, "ROWS_MAX", 2)
    endpoint = house.endpoint("standard", HOOKS)
    for name in "ABCDE":
        house.act(programs.create, {"name": name})
    end(house)
    house.clock.advance(DAY_MS)
    janitor = Janitor(house.store, house.world, retention_days=0.5)

    async def stopped_at_once():
        await janitor.stop()
        await janitor.round()

    asyncio.run(stopped_at_once())
    assert len(house.deliveries(endpoint)) == 3


def test_many_kept_answers_go_in_small_transactions(house, monkeypatch):
    monkeypatch.setattr(module, "ROWS_MAX", 2)
    answer = KeptAnswer(fingerprint="f", status=201, body=b"{}")
    for nth in range(5):
        house.run(lambda tx, nth=nth: tx.keys.keep("org_1", f"k{nth}", answer, tx.now))
    house.clock.advance(IDEMPOTENCY_MS + 1)
    tidy(house)
    assert [house.run(lambda tx, nth=nth: tx.keys.kept("org_1", f"k{nth}")) for nth in range(5)] == [None] * 5


def test_kept_answers_go_after_a_day(house):
    answer = KeptAnswer(fingerprint="f", status=201, body=b"{}")
    house.run(lambda tx: tx.keys.keep("org_1", "k", answer, tx.now))
    house.clock.advance(IDEMPOTENCY_MS)
    tidy(house)
    assert house.run(lambda tx: tx.keys.kept("org_1", "k")) == answer
    house.clock.advance(1)
    tidy(house)
    assert house.run(lambda tx: tx.keys.kept("org_1", "k")) is None


def test_persons_who_asked_for_it_are_erased(house):
    kim = house.act(affiliates.create, {"email": "kim@example.org"})[0]
    house.act(affiliates.delete, kim.id, erase=True)
    tidy(house)
    assert {event.snapshot.affiliate.email for event in house.events()} == {None}


def test_a_round_erases_everybody_who_is_due_a_few_at_a_time(house, monkeypatch):
    monkeypatch.setattr(module, "PERSONS_MAX", 2)
    for number in range(5):
        person = house.act(affiliates.create, {"email": f"p{number}@example.org"})[0]
        house.act(affiliates.delete, person.id, erase=True)
    tidy(house)
    assert {event.snapshot.affiliate.email for event in house.events()} == {None}


@pytest.mark.parametrize("fault", [Busy("store_busy"), RuntimeError("the disk is gone"), KeyError("x")])
def test_a_round_that_fails_is_not_the_last(house, fault):
    rounds = []

    class Troubled(Janitor):
        async def round(self):
            rounds.append(1)
            if len(rounds) == 1:
                raise fault
            await self.stop()

    janitor = Troubled(house.store, house.world, retention_days=1, round_ms=1)
    asyncio.run(asyncio.wait_for(janitor.run(), 5))
    assert len(rounds) == 2


def test_a_stop_ends_the_pause_at_once(house):
    async def main():
        janitor = Janitor(house.store, house.world, retention_days=1, round_ms=60_000)
        running = asyncio.create_task(janitor.run())
        await asyncio.sleep(0)
        await janitor.stop()
        await asyncio.wait_for(running, 5)

    asyncio.run(main())
