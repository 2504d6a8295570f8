"""Looking through the log and the inbox: page by page in both directions, by every mark, and never without an end."""

import pytest

from affwire.model import ids
from affwire.model.inbound import Kept
from affwire.store import looking
from affwire.store.looking import Span
from affwire.testing.house import MemoryHouse

ORGANIZATION = "org_1"


@pytest.fixture
def house():
    """Twelve messages of two sources, every third one parked."""
    house = MemoryHouse()
    house.run(lambda tx: tx.inbox.keep([message(nth) for nth in range(1, 13)]))
    return house


def message(nth):
    return Kept(
        id=ids.make("message", nth, nth),
        organization_id=ORGANIZATION,
        source_id=f"src_{nth % 2}",
        dialect="growi",
        dedupe_key=str(nth),
        status="parked" if nth % 3 == 0 else "received",
        body=b"{}",
        size=2,
        received_at=nth * 1_000,
    )


def found(house, span, organization_id=ORGANIZATION, **marks):
    return house.run(lambda tx: looking.messages_of(tx.connection, organization_id, span, marks))


def test_pages_follow_each_other_in_both_directions_and_end(house):
    for oldest in (False, True):
        seen, place = [], None
        while True:
            page = found(house, Span(place=place, limit=5, oldest=oldest))
            seen += page.positions
            if page.looked_to is None:
                break
            place = page.looked_to
        assert seen == sorted(range(1, 13), reverse=not oldest)


def test_marks_narrow_it_and_none_narrows_nothing(house):
    assert found(house, Span(limit=9), status="parked", source_id=None).positions == [12, 9, 6, 3]
    assert found(house, Span(limit=9), status="parked", source_id="src_0").positions == [12, 6]


def test_another_organization_sees_nothing(house):
    assert found(house, Span(limit=9), organization_id="org_2") == looking.Found([], None)


def test_a_look_ends_with_its_window_and_says_where(house, monkeypatch):
    monkeypatch.setattr(looking, "WINDOW", 5)
    first = found(house, Span(limit=3), status="parked")
    assert (first.positions, first.looked_to) == ([12, 9], 8)
    rest = found(house, Span(place=8, limit=3), status="parked")
    assert (rest.positions, rest.looked_to) == ([6, 3], 3)
    assert found(house, Span(place=3, limit=3), status="parked").looked_to is None


def test_beyond_the_wanted_time_nothing_is_looked_for(house, monkeypatch):
    monkeypatch.setattr(looking, "WINDOW", 5)
    page = found(house, Span(limit=9, since=9_000))
    assert (page.positions, page.looked_to) == ([12, 11, 10, 9], None)


def test_records_come_in_the_order_of_their_positions(house):
    shown = house.run(lambda tx: tx.inbox.at([3, 12, 99, 1]))
    assert [one.position for one in shown] == [3, 12, 1]
    assert shown[0].body is None
