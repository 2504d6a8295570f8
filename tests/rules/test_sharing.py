"""Places are dealt like cards."""

from hypothesis import given
from hypothesis import strategies as st

from affwire.rules.sharing import share

NAMES = st.text("abcdef", min_size=1, max_size=3)
TABLES = st.dictionaries(NAMES, st.tuples(st.integers(-2, 12), st.sampled_from("XYZ"), st.integers(0, 5)), max_size=12)


def dealt(limit, table):
    rooms = {name: room for name, (room, _, _) in table.items()}
    owners = {name: owner for name, (_, owner, _) in table.items()}
    busy = {name: count for name, (_, _, count) in table.items() if count}
    return rooms, owners, share(limit, rooms, owners, busy)


@given(st.integers(-1, 60), TABLES)
def test_nobody_gets_more_than_its_room_and_all_together_not_more_than_there_is(limit, table):
    rooms, _, hands = dealt(limit, table)
    assert all(0 < count <= rooms[name] for name, count in hands.items())
    assert sum(hands.values()) == max(0, min(limit, sum(max(room, 0) for room in rooms.values())))


@given(st.integers(0, 60), TABLES)
def test_organizations_with_room_left_are_at_most_one_card_apart(limit, table):
    rooms, owners, hands = dealt(limit, table)
    got = {owner: sum(hands.get(name, 0) for name in rooms if owners[name] == owner) for owner in owners.values()}
    left = {owner for name, owner in owners.items() if hands.get(name, 0) < rooms[name]}
    assert all(got[owner] >= max(got.values()) - 1 for owner in left)


@given(st.integers(0, 60), TABLES)
def test_endpoints_of_one_organization_with_room_left_are_at_most_one_card_apart(limit, table):
    rooms, owners, hands = dealt(limit, table)
    for name in rooms:
        mates = [hands.get(mate, 0) for mate in rooms if owners[mate] == owners[name]]
        assert hands.get(name, 0) >= min(rooms[name], max(mates) - 1)


def test_the_least_busy_are_served_first():
    rooms, owners = {"a": 5, "b": 5, "c": 5}, dict.fromkeys("abc", "X")
    assert share(1, rooms, owners, {"a": 2, "b": 0, "c": 1}) == {"b": 1}
    assert share(2, rooms, owners, {"a": 2, "b": 0, "c": 1}) == {"b": 1, "c": 1}


def test_among_the_equally_busy_whoever_is_named_first_is_served_first():
    assert share(1, {"z": 5, "a": 5}, {"z": "X", "a": "X"}, {}) == {"z": 1}
    assert share(1, {"z": 5, "a": 5}, {"z": "X", "a": "Y"}, {}) == {"z": 1}


def test_a_huge_backlog_does_not_delay_a_small_one():
    rooms = {"huge": 1000, "small": 1}
    assert share(10, rooms, {"huge": "X", "small": "Y"}, {}) == {"huge": 9, "small": 1}


def test_nothing_to_deal_deals_nothing():
    assert share(0, {"a": 1}, {"a": "X"}, {}) == {}
    assert share(9, {}, {}, {}) == {}
