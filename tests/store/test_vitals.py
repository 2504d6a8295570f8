"""Vitals: endpoints and sources by state, what is set aside, and a size; on both databases."""

import pytest

from affwire.model.endpoints import Endpoint
from affwire.model.health import EndpointHealth
from affwire.model.inbound import Kept, Source
from affwire.store import counting, vitals
from affwire.testing.house import MemoryHouse


@pytest.fixture
def house():
    return MemoryHouse()


def add(house, *records):
    house.run(lambda tx: [tx.registry.insert(one) for one in records])


def endpoint(nth, **fields):
    always = {
        "organization_id": "org_1",
        "url": "https://a.test/in",
        "dialect": "standard",
        "created_at": 0,
        "updated_at": 0,
    }
    return Endpoint(id=f"ep_{nth}", number=nth, **always | fields)


def source(nth, **fields):
    always = {"organization_id": "org_1", "dialect": "growi", "token_sealed": "s", "created_at": 0, "updated_at": 0}
    return Source(id=f"src_{nth}", number=nth, token_digest=f"d{nth}", **always | fields)


def failing(house, nth, **fields):
    house.run(lambda tx: tx.health.put(EndpointHealth(endpoint_id=f"ep_{nth}", **fields)))


def read(house):
    return house.run(lambda tx: vitals.vitals(tx.connection))


def test_an_empty_house_has_every_state_at_zero_and_a_size(house):
    found = read(house)
    assert (found.endpoints, found.sources) == (vitals.NONE.endpoints, vitals.NONE.sources)
    assert found.database_bytes > 100_000


def test_endpoints_are_counted_by_what_they_are_shown_as(house):
    add(
        house,
        *(endpoint(1), endpoint(2), endpoint(3), endpoint(4, paused=True), endpoint(5, enabled=False)),
        endpoint(6, deleted_at=1),
    )
    failing(house, 2, failures_in_row=3)
    failing(house, 3, failures_in_row=12, tripped_until=9)
    failing(house, 4, failures_in_row=12, tripped_until=9)
    assert read(house).endpoints == {"healthy": 1, "failing": 1, "tripped": 1, "paused": 1, "disabled": 1}


def test_sources_and_messages_are_counted_by_what_became_of_them(house):
    add(house, source(1), source(2, silent_since=5), source(3, enabled=False), source(4, deleted_at=1))
    parked = [
        Kept(id=f"msg_{n}", organization_id="org_1", source_id="src_1", dialect="growi", status="parked", received_at=0)
        for n in range(2)
    ]
    house.run(lambda tx: tx.inbox.keep(parked))
    assert read(house).sources == {"heard": 1, "silent": 1, "disabled": 1}
    assert read(house).parked == 2


def test_failing_endpoints_are_named_the_tripped_ones_first_and_neither_the_disabled_nor_the_gone(house):
    add(house, *(endpoint(nth) for nth in (1, 2, 3)), endpoint(4, enabled=False), endpoint(5, deleted_at=1))
    for nth, failures in ((1, 2), (2, 9), (4, 50), (5, 50)):
        failing(house, nth, failures_in_row=failures)
    failing(house, 3, failures_in_row=5, tripped_until=7)
    named = lambda limit: house.run(lambda tx: vitals.failing(tx.connection, limit=limit))  # noqa: E731
    assert named(9) == ["ep_3", "ep_2", "ep_1"]
    assert named(1) == ["ep_3"]


def test_positions_that_were_left_out_are_no_events(house):
    count = lambda: house.run(lambda tx: counting.events(tx.connection))  # noqa: E731
    assert count() == 0
    house.run(lambda tx: counting.note_gap(tx.connection, 7, 1_000_000_007))
    assert count() == 7
    house.run(lambda tx: counting.note_gap(tx.connection, 9, 0))
    assert count() == 9
