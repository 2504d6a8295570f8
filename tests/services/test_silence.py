"""A source that falls silent is said to be silent once, to those who ask; the next message heals it without a word."""

import pytest
from registry_walk import HOOKS

from affwire.model.inbound import Source
from affwire.services import silence, sources

HOUR = 3_600_000


@pytest.fixture
def source(house):
    return house.run(lambda tx: sources.create(tx, house.organization, house.dialects, "growi", {"name": "Ours"}))


def heard(house, source, times=10, gap_ms=60_000):
    for _ in range(times):
        house.clock.advance(gap_ms)
        house.run(lambda tx: tx.sources.heard(source, 1, tx.now))


def noticed(house):
    return house.run(lambda tx: silence.notice(tx, house.dialects, limit=9))


def test_it_is_said_once_and_again_after_it_healed(house, source):
    endpoint = house.endpoint("standard", HOOKS, event_types=["source.silent"])
    heard(house, source)
    assert noticed(house) == 0
    last = house.clock.now()
    house.clock.advance(HOUR + 1)
    assert (noticed(house), noticed(house)) == (1, 0)
    [event] = house.events()
    assert (event.type, event.subject_id, event.sequence, event.actor.kind) == ("source.silent", source.id, 1, "system")
    assert event.notice["source"]["name"] == "Ours"
    assert event.notice["silence"]["usual_gap_ms"] == 60_000
    assert house.run(lambda tx: tx.registry.get(Source, house.organization.id, source.id)).silent_since == last
    assert [one.word for one in house.deliveries(endpoint)] == ["source.silent"]
    heard(house, source, times=1)
    assert house.run(lambda tx: tx.registry.get(Source, house.organization.id, source.id)).silent_since is None
    house.clock.advance(HOUR + 1)
    assert noticed(house) == 1
    assert [one.sequence for one in house.events()] == [1, 2]


def test_where_nobody_asks_nothing_is_said_but_it_is_seen(house, source):
    house.endpoint("standard", HOOKS)
    heard(house, source)
    house.clock.advance(HOUR + 1)
    assert noticed(house) == 1
    assert house.events() == []


def test_its_time_of_change_stays(house, source):
    heard(house, source)
    house.clock.advance(HOUR + 1)
    noticed(house)
    read = house.run(lambda tx: tx.registry.get(Source, house.organization.id, source.id))
    assert read.updated_at == source.updated_at
