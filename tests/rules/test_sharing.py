"""Places are dealt like cards."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from affwire.rules.sharing import BEHIND, places, share, turns

NAMES = st.text("abcdef", min_size=1, max_size=3)
TABLES = st.dictionaries(NAMES, st.tuples(st.integers(-2, 12), st.sampled_from("XYZ"), st.integers(0, 5)), max_size=12)
WAITING = st.lists(st.integers(0, 20), min_size=1, max_size=3)
ROLLS = st.floats(0, 1, exclude_max=True)


def parted(table):
    owners = {name: owner for name, (_, owner, _) in table.items()}
    return owners, {name: count for name, (_, _, count) in table.items() if count}


def dealt(limit, table):
    rooms = {name: room for name, (room, _, _) in table.items()}
    owners, busy = parted(table)
    return rooms, owners, share(limit, owners, busy, rooms.__getitem__)


def shared(limit, rooms, owners, busy):
    return share(limit, {name: owners[name] for name in rooms}, busy, rooms.__getitem__)


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


@given(st.integers(0, 60), TABLES)
def test_each_is_asked_for_its_room_once_and_not_before_as_many_as_there_are_places_have_theirs(limit, table):
    owners, busy = parted(table)
    asked = []

    def room(name):
        asked.append(name)
        return max(table[name][0], 1)

    share(limit, owners, busy, room)
    assert len(asked) == len(set(asked)) <= limit
    assert asked == list(turns(owners, busy))[: len(asked)]


@given(TABLES)
def test_everybody_has_one_turn(table):
    owners, busy = parted(table)
    assert sorted(turns(owners, busy)) == sorted(owners)


def test_turns_alternate_over_organizations():
    owners = {"a1": "A", "a2": "A", "a3": "A", "b1": "B", "c1": "C"}
    assert list(turns(owners, {"a1": 4})) == ["a2", "b1", "c1", "a3", "a1"]


def test_the_least_busy_are_served_first():
    rooms, owners = {"a": 5, "b": 5, "c": 5}, dict.fromkeys("abc", "X")
    assert shared(1, rooms, owners, {"a": 2, "b": 0, "c": 1}) == {"b": 1}
    assert shared(2, rooms, owners, {"a": 2, "b": 0, "c": 1}) == {"b": 1, "c": 1}


def test_among_the_equally_busy_whoever_is_named_first_is_served_first():
    assert shared(1, {"z": 5, "a": 5}, {"z": "X", "a": "X"}, {}) == {"z": 1}
    assert shared(1, {"z": 5, "a": 5}, {"z": "X", "a": "Y"}, {}) == {"z": 1}


def test_a_huge_backlog_does_not_delay_a_small_one():
    assert shared(10, {"huge": 1000, "small": 1}, {"huge": "X", "small": "Y"}, {}) == {"huge": 9, "small": 1}


def test_an_organizations_turn_is_not_lost_on_endpoints_without_room():
    rooms, owners = {"full": 0, "free": 5, "other": 5}, {"full": "X", "free": "X", "other": "Y"}
    assert shared(2, rooms, owners, {}) == {"free": 1, "other": 1}


def test_nothing_to_deal_deals_nothing():
    assert shared(0, {"a": 1}, {"a": "X"}, {}) == {}
    assert shared(9, {}, {}, {}) == {}


@given(st.integers(0, 30), WAITING, ROLLS)
def test_no_place_stays_free_while_anything_waits(limit, waiting, roll):
    found = places(limit, waiting, roll)
    assert sum(found) == min(limit, sum(waiting))
    assert all(0 <= got <= there for got, there in zip(found, waiting, strict=True))


@given(st.integers(0, 30), WAITING, ROLLS)
def test_the_first_class_has_three_quarters_of_the_places_if_it_can_use_them(limit, waiting, roll):
    kept = int(limit * BEHIND + roll)
    assert places(limit, waiting, roll)[0] >= min(waiting[0], limit - kept)


def test_a_backlog_of_retries_leaves_most_places_to_first_tries():
    assert places(8, [50, 50_000, 50_000], 0.0) == [6, 2, 0]
    assert places(16, [50_000, 50_000, 50_000], 0.0) == [12, 3, 1]
    assert places(8, [1, 50_000, 0], 0.0) == [1, 7, 0]


def test_with_a_single_place_nobody_starves():
    rolls = [nth / 160 for nth in range(160)]
    won = [places(1, [9, 9, 9], roll) for roll in rolls]
    assert [sum(column) for column in zip(*won, strict=True)] == [120, 30, 10]
    assert [sum(column) for column in zip(*(places(1, [0, 9, 9], roll) for roll in rolls), strict=True)] == [0, 150, 10]


def test_who_was_served_goes_behind_who_was_not():
    """A caller that names first who has waited longest since its last place serves everybody within a few rounds."""
    served, clock = dict.fromkeys(range(10), 0), count(1)
    for _ in range(4):
        order = sorted(served, key=served.__getitem__)
        for name in share(3, dict.fromkeys(order, "X"), {}, lambda _: 1):
            served[name] = next(clock)
    assert min(served.values()) > 0
