"""The janitor's rounds on the way in: settled messages, ended secrets, silent sources."""

import asyncio

import pytest

from affwire.engine.janitor import DAY_MS, HOUR_MS, Janitor
from affwire.model import ids
from affwire.model.inbound import Kept, Source
from affwire.services import sources
from affwire.services.inbox import RETENTION_DAYS_MIN
from affwire.testing.house import MemoryHouse


@pytest.fixture
def house():
    return MemoryHouse()


@pytest.fixture
def source(house):
    fields = {"secret": "a-secret-of-the-platform"}
    return house.run(lambda tx: sources.create(tx, house.organization, house.dialects, "rewardful", fields))


def tidy(house, days=30.0):
    asyncio.run(Janitor(house.store, house.world, house.dialects, retention_days=days).round())


def keep(house, source, *statuses):
    messages = [
        Kept(
            id=ids.make("message", nth, nth),
            organization_id=source.organization_id,
            source_id=source.id,
            dialect=source.dialect,
            status=status,
            received_at=house.clock.now(),
            settled_at=None if status == "received" else house.clock.now(),
        )
        for nth, status in enumerate(statuses)
    ]
    house.run(lambda tx: tx.inbox.keep(messages))


def statuses(house):
    page = house.run(lambda tx: tx.inbox.page(house.organization.id, before=None, limit=10_000))
    return [one.status for one in page[::-1]]


def test_settled_messages_go_with_the_retention_and_what_waits_stays(house, source):
    keep(house, source, "applied", "unchanged", "parked", "rejected", "received", "quarantined")
    house.clock.advance(30 * DAY_MS)
    tidy(house)
    assert len(statuses(house)) == 6
    house.clock.advance(1)
    tidy(house)
    assert statuses(house) == ["received", "quarantined"]


def test_a_short_retention_still_remembers_as_long_as_repeats_may_come(house, source):
    keep(house, source, "applied")
    house.clock.advance(RETENTION_DAYS_MIN * DAY_MS)
    tidy(house, days=0.01)
    assert statuses(house) == ["applied"]
    house.clock.advance(1)
    tidy(house, days=0.01)
    assert statuses(house) == []


def test_many_messages_go_in_one_round(house, source):
    keep(house, source, *["applied"] * 1_200)
    house.clock.advance(31 * DAY_MS)
    tidy(house)
    assert statuses(house) == []


def test_a_secret_whose_rotation_is_over_is_forgotten(house, source):
    wish = {"secret": "the-next-secret", "overlap_ms": 1_000, "token": False}
    house.run(lambda tx: sources.rotate(tx, house.organization, house.dialects, source.id, **wish))
    house.clock.advance(1_000)
    tidy(house)
    [read] = house.run(lambda tx: tx.registry.find(Source, house.organization.id))
    assert [one.last4 for one in read.secrets] == ["cret"]


def test_a_silent_source_is_found(house, source):
    for _ in range(10):
        house.clock.advance(60_000)
        house.run(lambda tx: tx.sources.heard(source, 1, tx.now))
    house.clock.advance(HOUR_MS + 1)
    tidy(house)
    [read] = house.run(lambda tx: tx.registry.find(Source, house.organization.id))
    assert read.silent_since == read.last_message_at
