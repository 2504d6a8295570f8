"""A source is found by its token, its rhythm is noted as it is heard, and its silence is found once."""

import pytest

from affwire.model.inbound import Source
from affwire.testing.house import MemoryHouse

HOUR = 3_600_000


def source(nth=1, **fields):
    default = {"id": f"src_{nth}", "organization_id": "org_1", "number": nth, "dialect": "growi"}
    default |= {"token_digest": f"d{nth}", "token_sealed": "s", "created_at": 0, "updated_at": 0}
    return Source(**default | fields)


@pytest.fixture
def house():
    return MemoryHouse()


def stored(house, one):
    house.run(lambda tx: tx.registry.insert(one))
    return one


def read(house, nth=1):
    return house.run(lambda tx: tx.registry.get(Source, "org_1", f"src_{nth}"))


def heard(house, one, at, count=1):
    return house.run(lambda tx: tx.sources.heard(one, count, at))


def silent(house, now):
    bounds = {"seen_min": 10, "times": 10, "shortest": HOUR, "limit": 9}
    return house.run(lambda tx: tx.sources.falling_silent(now, **bounds))


def test_a_source_is_found_by_its_token_until_it_is_deleted(house):
    one = stored(house, source(options={"a": "b"}))
    assert house.run(lambda tx: tx.sources.by_token("d1")) == one
    assert house.run(lambda tx: tx.sources.by_token("d2")) is None
    stored(house, source(2, deleted_at=5))
    assert house.run(lambda tx: tx.sources.by_token("d2")) is None
    assert [one.id for one in house.run(lambda tx: tx.sources.every())] == ["src_1", "src_2"]


def test_a_rhythm_is_learned_from_the_second_message_on(house):
    one = stored(house, source())
    assert heard(house, one, 1_000)
    assert (read(house).seen, read(house).gap_ms, read(house).last_message_at) == (1, None, 1_000)
    heard(house, one, 5_000, count=2)
    assert (read(house).seen, read(house).gap_ms) == (3, 2_000)
    heard(house, one, 15_000)
    assert read(house).gap_ms == (7 * 2_000 + 10_000) // 8


def test_a_clock_set_back_leaves_the_rhythm_alone(house):
    one = stored(house, source(last_message_at=9_000, gap_ms=100, seen=5))
    assert heard(house, one, 1_000)
    assert (read(house).gap_ms, read(house).last_message_at, read(house).seen) == (100, 1_000, 6)


def test_a_source_that_was_changed_or_deleted_since_it_was_read_is_not_heard(house):
    one = stored(house, source())
    assert not heard(house, source(updated_at=4), 1)
    assert house.run(lambda tx: tx.sources.is_as_read(one))
    house.run(lambda tx: tx.registry.update(source(deleted_at=1)))
    assert not heard(house, one, 1)
    assert not house.run(lambda tx: tx.sources.is_as_read(one))


@pytest.mark.parametrize(
    ("fields", "at", "is_silent"),
    [
        ({"gap_ms": 60_000}, HOUR, False),
        ({"gap_ms": 60_000}, HOUR + 1, True),
        ({"gap_ms": HOUR}, 10 * HOUR, False),
        ({"gap_ms": HOUR}, 10 * HOUR + 1, True),
        ({"gap_ms": 60_000, "seen": 9}, 99 * HOUR, False),
        ({"gap_ms": None}, 99 * HOUR, False),
        ({"gap_ms": 1, "enabled": False}, 99 * HOUR, False),
        ({"gap_ms": 1, "deleted_at": 1}, 99 * HOUR, False),
        ({"gap_ms": 1, "silent_since": 1}, 99 * HOUR, False),
    ],
)
def test_a_source_is_silent_against_its_own_rhythm(house, fields, at, is_silent):
    stored(house, source(**{"seen": 10, "last_message_at": 0} | fields))
    assert silent(house, at) == ([("src_1", "org_1")] if is_silent else [])


def test_what_is_heard_ends_a_silence_which_is_no_part_of_the_rhythm(house):
    one = stored(house, source(seen=10, last_message_at=0, gap_ms=50, silent_since=0))
    heard(house, one, 99 * HOUR)
    assert (read(house).silent_since, read(house).gap_ms, read(house).last_message_at) == (None, 50, 99 * HOUR)
