"""The normaliser: in order, each on its own, and a message that cannot be carried out stops nobody."""

import asyncio
import json

import pytest
from inflow import Platform

from affwire.engine.normaliser import BATCH, Normaliser
from affwire.errors import Busy, Conflict
from affwire.model.inbound import Kept
from affwire.model.registry import Affiliate
from affwire.services import intake
from affwire.testing import genuine
from affwire.testing.house import MemoryHouse


@pytest.fixture
def house():
    house = MemoryHouse()
    house.clock.advance(400 * 24 * 3_600_000)
    return house


@pytest.fixture
def platform(house):
    return Platform(house, "growi")


def kept(house, platform, body):
    return Kept(
        id=house.world.new_id("message"),
        organization_id=house.organization.id,
        source_id=platform.source.id,
        dialect="growi",
        body=body,
        size=len(body),
        received_at=house.clock.now(),
    )


def activated(number, second=0):
    at = f"2026-03-01T12:00:{second:02}Z"
    changes = {"user_id": number, "campaign_affiliate_id": number, "user_email": f"kim{number}@example.org"}
    return genuine.request("growi", "campaign_affiliate.activated", occurred_at=at, **changes).body


def arrive(house, platform, *bodies):
    messages = [kept(house, platform, body) for body in bodies]
    house.run(lambda tx: tx.inbox.keep(messages))
    return messages


def settled(house, messages):
    found = [house.run(lambda tx, one=one: tx.inbox.get(house.organization.id, one.id)) for one in messages]
    return [(one.status, one.reason) for one in found]


def rounds(house, count=1):
    async def work():
        normaliser = Normaliser(house.store, house.dialects)
        return [await normaliser.round() for _ in range(count)]

    return asyncio.run(work())


def test_one_that_cannot_be_carried_out_is_parked_with_its_reason_and_stops_nobody(house, platform):
    messages = arrive(house, platform, activated(1), b'{"event": "campaign_affiliate.left"}', b"no JSON", activated(2))
    assert rounds(house, 2) == [4, 0]
    (first, _), (second, why), (third, _), (last, _) = settled(house, messages)
    assert (first, second, third, last) == ("applied", "parked", "parked", "applied")
    assert why


def test_a_fault_of_ours_undoes_its_message_alone_and_is_told_without_the_body(house, platform, monkeypatch):
    real = intake.process

    def trip(tx, dialects, message):
        real(tx, dialects, message)
        if json.loads(message.body)["user_id"] == 1:
            raise RuntimeError("kim1@example.org")

    monkeypatch.setattr(intake, "process", trip)
    messages = arrive(house, platform, activated(1), activated(2))
    rounds(house)
    assert settled(house, messages)[0] == ("parked", "affwire failed on it (RuntimeError); the log has more")
    people = house.run(lambda tx: tx.registry.find(Affiliate, house.organization.id))
    assert [person.email for person in people] == ["kim2@example.org"]


def test_messages_are_carried_out_in_the_order_they_came(house, platform):
    arrive(house, platform, *(activated(number) for number in range(1, BATCH + 11)))
    assert rounds(house, 3) == [BATCH, 10, 0]
    people = house.run(lambda tx: tx.registry.find(Affiliate, house.organization.id))
    assert [person.email for person in people] == [f"kim{number}@example.org" for number in range(1, BATCH + 11)]


def test_a_busy_store_parks_nothing(house, platform, monkeypatch):
    def busy(tx, dialects, message):
        raise Busy("store_busy")

    messages = arrive(house, platform, activated(1))
    with monkeypatch.context() as patch:
        patch.setattr(intake, "process", busy)
        assert rounds(house) == [0]
    assert rounds(house) == [1]
    assert settled(house, messages) == [("applied", None)]


def test_one_that_was_set_aside_in_between_is_left_alone(house, platform):
    [message] = arrive(house, platform, activated(1))
    house.run(lambda tx: tx.inbox.move(message, "quarantined", "by hand"))
    with pytest.raises(Conflict, match="does not wait"):
        house.run(lambda tx: intake.process(tx, house.dialects, message))
    assert settled(house, [message]) == [("quarantined", "by hand")]
    assert house.run(lambda tx: tx.registry.find(Affiliate, house.organization.id)) == []


def test_it_runs_until_it_is_stopped_and_wakes_when_something_comes(house, platform):
    async def work():
        normaliser = Normaliser(house.store, house.dialects, poll_ms=60_000)
        running = asyncio.create_task(normaliser.run())
        await asyncio.sleep(0)
        messages = [kept(house, platform, activated(1))]

        def come(tx):
            tx.inbox.keep(messages)
            tx.wake()

        await house.store.run(come)
        for _ in range(100):
            await asyncio.sleep(0.001)
            if settled(house, messages) == [("applied", None)]:
                break
        await normaliser.stop()
        await asyncio.wait_for(running, 1)
        return settled(house, messages)

    assert asyncio.run(work()) == [("applied", None)]
