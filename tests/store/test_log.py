"""The log: in order, complete, never changed."""

import sqlite3

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from affwire.store.log import Entry
from affwire.testing import events
from affwire.testing.house import MemoryHouse

ORG = events.id_of("organization")
TYPES = ("affiliate.created", "affiliate.updated", "membership.activated", "program.created", "affiliateX")


@pytest.fixture
def log():
    house = MemoryHouse()
    return lambda work: house.run(lambda tx: work(tx.log))


def entry(nth, name="affiliate.updated", **fields):
    event = events.event(name if "." in name else "affiliate.updated", nth=nth, **fields)
    return Entry(structs.replace(event, type=name), {"ep_1": "why"})


def test_an_entry_comes_back_as_it_was_written_with_its_place(log):
    written = entry(1)
    log(lambda book: book.append([written]))
    found = log(lambda book: book.get(ORG, written.event.id))
    assert found.silences == {"ep_1": "why"}
    assert found.event.position == 1
    assert log(lambda book: book.by_ids([written.event.id, "evt_gone"])) == {written.event.id: written.event}
    assert log(lambda book: book.get("org_other", written.event.id)) is None
    assert log(lambda book: book.position_of(ORG, written.event.id)) == 1
    assert log(lambda book: book.position_of("org_other", written.event.id)) is None


def test_a_sequence_number_is_used_once(log):
    log(lambda book: book.append([entry(1)]))
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.UniqueViolation)):
        log(lambda book: book.append([entry(2, sequence=1)]))


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.lists(st.integers(0, 4), max_size=5))
def test_a_paged_feed_is_complete_and_in_order_while_events_are_added(limit, additions):
    house = MemoryHouse()
    made = iter(range(1, 1000))

    def add(count):
        house.run(lambda tx: tx.log.append([entry(next(made)) for _ in range(count)])) if count else None

    add(7)
    seen, after = [], None
    for extra in [*additions, *([0] * 40)]:
        page = house.run(lambda tx, at=after: tx.log.page(ORG, after=at, limit=limit))
        if not page:
            break
        seen += [one.event.sequence for one in page]
        after = page[-1].event.position
        add(extra)
    assert seen == list(range(1, next(made)))


def test_a_feed_is_filtered_by_type_family_and_affiliate(log):
    log(lambda book: book.append([entry(nth, name) for nth, name in enumerate(TYPES, start=1)]))

    def types(**columns):
        return [one.event.type for one in log(lambda book: book.page(ORG, after=None, limit=99, **columns))]

    assert types(type=None, affiliate_id=None) == list(TYPES)
    assert types(type="affiliate.created") == ["affiliate.created"]
    assert types(type="affiliate.*") == ["affiliate.created", "affiliate.updated"]
    assert types(type="*") == list(TYPES)
    assert types(type="%") == types(type="affiliate_*") == []
    assert types(type="affiliate.*", affiliate_id=events.id_of("affiliate")) == [
        "affiliate.created",
        "affiliate.updated",
    ]
    assert types(affiliate_id="aff_gone") == []
    assert types(affiliate_id="*") == types(affiliate_id="aff_*") == []


def test_all_events_of_an_affiliate_are_found_in_order(log):
    log(lambda book: book.append([entry(1), entry(2, "program.created"), entry(3)]))
    found = log(lambda book: book.of_affiliate(events.id_of("organization"), events.id_of("affiliate")))
    assert [(event.sequence, event.position) for event in found] == [(1, 1), (3, 3)]


def test_a_rewritten_event_keeps_its_place_and_its_neighbours(log):
    log(lambda book: book.append([entry(1), entry(2)]))
    first = log(lambda book: book.page(ORG, after=None, limit=1))[0].event
    changed = structs.replace(first, previous={"city": None})
    log(lambda book: book.rewrite(changed))
    found = [one.event for one in log(lambda book: book.page(ORG, after=None, limit=9))]
    assert [event.previous for event in found] == [{"city": None}, {}]
    assert [event.position for event in found] == [1, 2]
