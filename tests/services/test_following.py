"""A whole backlog is paused, resumed, cancelled or put in order at once, and its rows follow a piece at a time."""

import pytest
from registry_walk import HOOKS
from sqlalchemy import text

from affwire.model.deliveries import AttemptRecord
from affwire.model.endpoints import DELETED, PAUSED
from affwire.rules.delivery import Delivered
from affwire.services import affiliates, deliveries, endpoints, following, health
from affwire.services.deliveries import Result
from affwire.store.depth import depth
from affwire.store.engines.sqlite_file import driver_of

PIECE = 4
COUNT = 15
FEW = 3
"""Rows that a change writes beside the queue's: the endpoint, its health, and what it means for the queue."""
ORDERED = {"ordering": "affiliate"}


@pytest.fixture(autouse=True)
def little_at_once(monkeypatch):
    monkeypatch.setattr(endpoints, "AT_ONCE", PIECE)


class _Killed(Exception):
    """Ends a transaction before its commit, as the end of the process would."""


def backlog(house, endpoint, people=5, each=3):
    """Have an endpoint owe a few people the same number of deliveries each, turn by turn."""
    known = [house.act(affiliates.create, {"email": f"p{nth}@example.org"})[0] for nth in range(people)]
    for nth in range(1, each):
        for person in known:
            house.act(affiliates.update, person.id, {"city": f"C{nth}"})
    assert len(house.deliveries(endpoint)) == people * each


def owing(house, **fields):
    endpoint = house.endpoint("standard", HOOKS, **fields)
    backlog(house, endpoint)
    return endpoint


def update(house, endpoint, **fields):
    wish = endpoints.Wish(fields=fields)
    house.run(lambda tx: endpoints.update(tx, house.organization, house.dialects, endpoint.id, wish))


def delete(house, endpoint):
    house.run(lambda tx: endpoints.delete(tx, house.organization, endpoint.id))


def claim(house, limit=500):
    return house.run(
        lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=limit, room=lambda *_: 500)
    ).claims


def arrive(house, claims):
    """Settle claims as delivered, in their order."""
    results = [Result(one, Delivered(), _arrived(one)) for one in claims]
    assert all(house.run(lambda tx: deliveries.settle(tx, house.dialects, results)))


def _arrived(one):
    return AttemptRecord(
        delivery_id=one.delivery.id,
        number=one.attempt.number,
        id=one.attempt.id,
        started_at=one.attempt.at,
        ended_at=one.attempt.at,
        outcome="ok",
    )


def piece(house):
    return house.run(lambda tx: following.step(tx, limit=PIECE))


def shown(house, endpoint):
    return {(row.status, row.reason) for row in house.deliveries(endpoint)}


def rows_held(house):
    """Return how many rows say by themselves that they are held."""
    return house.run(lambda tx: tx.connection.execute(text("SELECT COUNT(*) FROM queue WHERE held")).scalar())


def counted(house, endpoint):
    """Return what waits and what is held, as each of those who count tell it."""

    def look(tx):
        mine, all_, whole = tx.health.backlog(endpoint.id), tx.outbox.counts(), depth(tx.connection, tx.now)
        ways = {(mine.pending, mine.held), (all_.get("pending", 0), all_.get("held", 0))}
        return ways | {(whole.pending + whole.behind, whole.held)}

    [told] = house.run(look)
    return told


@pytest.mark.parametrize("policy", [{}, ORDERED])
def test_from_the_pause_on_nothing_goes_and_everything_is_shown_as_held(house, policy):
    endpoint = owing(house, policy=policy)
    update(house, endpoint, paused=True)
    assert rows_held(house) == 0
    went = True
    while went:
        assert not claim(house)
        assert shown(house, endpoint) == {("held", PAUSED)}
        assert counted(house, endpoint) == (0, COUNT)
        for status, count in (("held", COUNT), ("pending", 0)):
            page = house.run(
                lambda tx, status=status: tx.outbox.page(house.organization.id, before=None, limit=99, status=status)
            )
            assert len(page) == count
        went = piece(house)
    assert rows_held(house) == COUNT


@pytest.mark.parametrize("policy", [{}, ORDERED])
@pytest.mark.parametrize("before", range(6))
def test_a_resume_between_two_pieces_of_a_pause_loses_nothing_and_keeps_the_order(house, policy, before):
    endpoint = owing(house, policy=policy)
    update(house, endpoint, paused=True)
    for _ in range(before):
        piece(house)
    update(house, endpoint, paused=False)
    assert shown(house, endpoint) == {("pending", None)}
    assert counted(house, endpoint) == (COUNT, 0)
    heard = []
    for _ in range(3 * COUNT):
        claims = claim(house, limit=2)
        arrive(house, claims)
        heard += [one.event for one in claims]
        piece(house)
    assert shown(house, endpoint) == {("delivered", None)}
    if policy:
        lanes = {
            event.subject_id: [one.sequence for one in heard if one.subject_id == event.subject_id] for event in heard
        }
        assert all(lane == sorted(lane) for lane in lanes.values())


@pytest.mark.parametrize("policy", [{}, ORDERED])
def test_what_is_cancelled_with_its_endpoint_is_held_until_its_row_has_followed(house, policy):
    endpoint = owing(house, policy=policy)
    [under_way] = claim(house, limit=1)
    delete(house, endpoint)
    left = [counted(house, endpoint)[1]]
    assert left == [COUNT - 1 - PIECE]
    while piece(house):
        assert not claim(house)
        assert shown(house, endpoint) <= {("leased", None), ("held", DELETED), ("cancelled", DELETED)}
        left.append(counted(house, endpoint)[1])
    assert left == sorted(left, reverse=True)
    assert len(left) > COUNT // PIECE
    arrive(house, [under_way])
    assert house.run(lambda tx: tx.outbox.counts()) == {"delivered": 1, "cancelled": COUNT - 1}


@pytest.mark.parametrize("killed_after", range(5))
def test_a_piece_that_is_cut_off_is_done_again(house, killed_after):
    endpoint = owing(house, policy=ORDERED)
    delete(house, endpoint)
    for _ in range(killed_after):
        piece(house)
    before = house.everything()

    def cut_off(tx):
        following.step(tx, limit=PIECE)
        raise _Killed

    with pytest.raises(_Killed):
        house.run(cut_off)
    assert house.everything() == before
    house.follow()
    assert house.run(lambda tx: tx.outbox.counts()) == {"cancelled": COUNT}
    assert not house.run(lambda tx: tx.following.any())


def test_an_order_that_changes_back_and_forth_leaves_no_lane_behind(house):
    endpoint = owing(house)
    for nth in range(8):
        update(house, endpoint, policy={"ordering": "affiliate" if nth % 2 == 0 else "none"})
        for _ in range(nth):
            piece(house)
    house.follow()
    assert {(row.lane, row.due_at is None) for row in house.deliveries(endpoint)} == {(None, False)}
    update(house, endpoint, policy=ORDERED)
    assert not claim(house)
    house.follow()
    assert len(claim(house)) == 5


def test_what_comes_while_lanes_are_made_goes_behind_what_is_there(house):
    endpoint = owing(house)
    update(house, endpoint, policy=ORDERED)
    piece(house)
    person = house.events()[0].subject_id
    house.act(affiliates.update, person, {"city": "late"})
    house.follow()
    heard = []
    while claims := claim(house):
        arrive(house, claims)
        heard += [one.event for one in claims if one.event.subject_id == person]
    assert [event.sequence for event in heard] == [1, 2, 3, 4]


def test_a_small_backlog_does_not_wait_for_a_large_one(house):
    large, small = owing(house), house.endpoint("standard", HOOKS)
    house.act(affiliates.create, {"email": "kim@example.org"})
    for endpoint in (large, small):
        update(house, endpoint, paused=True)
    rounds = 0
    while house.run(lambda tx: tx.following.standing(small.id)):
        piece(house)
        rounds += 1
    assert rounds < 100
    house.follow()
    assert rows_held(house) == COUNT + 2


def test_a_breaker_that_closes_between_two_pieces_lets_everything_go(house):
    endpoint = owing(house)
    house.run(lambda tx: tx.following.hold(endpoint.id, "it failed"))
    piece(house)
    assert house.run(health.probe) == 0
    house.run(lambda tx: tx.following.release(endpoint.id))
    house.follow()
    assert (rows_held(house), shown(house, endpoint)) == (0, {("pending", None)})


CHANGES = {
    "paused": ({}, {"paused": True}),
    "resumed": ({"paused": True}, {"paused": False}),
    "ordered": ({}, {"policy": ORDERED}),
    "unordered": ({"policy": ORDERED}, {"policy": {"ordering": "none"}}),
    "deleted": ({}, None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_transaction_changes_more_than_a_piece(house, change):
    before, after = CHANGES[change]
    endpoint = owing(house, **before)

    def act(tx):
        if after is None:
            endpoints.delete(tx, house.organization, endpoint.id)
        else:
            endpoints.update(tx, house.organization, house.dialects, endpoint.id, endpoints.Wish(fields=after))

    counts = [changed(house, act)]
    while house.run(lambda tx: tx.following.any()):
        counts.append(changed(house, lambda tx: following.step(tx, limit=PIECE)))
    assert counts[0] <= FEW + 2 * PIECE * (after is None)  # a deletion begins with a piece
    assert (
        max(counts) <= 2 * PIECE + FEW
    )  # a row that ends is another one's beginning; one gets its lane, then waits in it
    assert sum(counts) >= COUNT - 5  # who is the first of a lane is due before and after


def changed(house, work):
    """Return how many rows of any table a transaction changes."""

    def counted(tx):
        before = _changes(tx)
        work(tx)
        return _changes(tx) - before

    return house.run(counted)


def _changes(tx):
    if tx.alone:
        return driver_of(tx.connection).total_changes
    query = "SELECT SUM(n_tup_ins + n_tup_upd + n_tup_del)::int FROM pg_stat_xact_user_tables"
    return tx.connection.execute(text(query)).scalar()
