"""Deliveries: claimed, settled, taken back, replayed, cancelled; a stale claim changes nothing."""

from collections import Counter

import pytest
from registry_walk import HOOKS

from affwire.model.deliveries import FIRST_TRY, REPLAY, RETRY, AttemptRecord
from affwire.rules.delivery import Dead, Delivered, Gone, Retry, Unheard, Unknown
from affwire.services import affiliates, deliveries, endpoints, organizations, programs
from affwire.services.deliveries import GONE, Result


def make(house, count=1):
    for number in range(count):
        house.act(programs.create, {"name": f"P{number}"})


def claim(house, limit=100, room=lambda *_: 100, worker="w", **more):
    return house.run(lambda tx: deliveries.claim(tx, house.dialects, worker=worker, limit=limit, room=room, **more))


def result(claim, verdict, outcome="failed"):
    attempt = AttemptRecord(
        delivery_id=claim.delivery.id,
        number=claim.attempt.number,
        id=claim.attempt.id,
        started_at=claim.attempt.at,
        ended_at=claim.attempt.at,
        outcome=outcome,
    )
    return Result(claim, verdict, attempt)


def settle(house, claims, verdict):
    return house.run(lambda tx: deliveries.settle(tx, house.dialects, [result(claim, verdict) for claim in claims]))


def update(house, endpoint, **fields):
    wish = endpoints.Wish(fields=fields)
    return house.run(lambda tx: endpoints.update(tx, house.organization, house.dialects, endpoint.id, wish))


def delete(house, endpoint):
    house.run(lambda tx: endpoints.delete(tx, house.organization, endpoint.id))


def replay(house, row):
    return house.run(lambda tx: deliveries.replay(tx, house.organization.id, row.id))


def cancel(house, row):
    return house.run(lambda tx: deliveries.cancel(tx, house.organization.id, row.id))


def attempts(house, row):
    return house.run(lambda tx: tx.outbox.attempts_of([row.id])).get(row.id, [])


@pytest.fixture
def endpoint(house):
    return house.endpoint("standard", HOOKS)


def row(house, endpoint):
    [only] = house.deliveries(endpoint)
    return only


def test_a_claim_holds_everything_that_is_needed_to_send(house, endpoint):
    make(house)
    batch = claim(house, worker="me")
    [one] = batch.claims
    assert one.event == house.run(lambda tx: tx.log.by_ids([one.delivery.event_id]))[one.delivery.event_id]
    assert (one.endpoint, one.recipient.url, one.headers) == (endpoint, HOOKS.url, ())
    assert (one.attempt.id, one.attempt.number, one.attempt.at) == (one.delivery.attempt_id, 1, house.clock.now())
    stored = row(house, endpoint)
    assert stored == one.delivery
    assert (stored.status, stored.leased_by, stored.fence) == ("leased", "me", 1)
    assert stored.lease_until == house.clock.now() + one.policy.lease_ms
    assert claim(house).claims == ()


def test_a_claim_says_when_the_next_delivery_is_due(house, endpoint):
    assert claim(house).next_due_at is None
    make(house)
    [one] = claim(house).claims
    at = house.clock.now() + 5_000
    assert settle(house, [one], Retry(at)) == [True]
    assert claim(house) == deliveries.Batch((), at)
    house.clock.advance(4_999)
    assert claim(house).claims == ()
    house.clock.advance(1)
    assert claim(house).claims[0].attempt.number == 2


def test_a_claim_takes_no_more_than_its_limit_and_each_endpoints_room(house, endpoint):
    other = house.endpoint("standard", HOOKS)
    make(house, 5)
    asked = []

    def room(one, policy, under_way):
        asked.append((one.id, policy.max_in_flight, under_way))
        return 2

    assert len(claim(house, limit=3, room=room).claims) == 3
    assert sorted(asked) == sorted([(endpoint.id, 10, 0), (other.id, 10, 0)])
    asked.clear()
    claim(house, limit=1, room=room)
    assert sum(under_way for *_, under_way in asked) == 3
    assert claim(house, room=lambda *_: 0).claims == ()


def test_who_has_waited_longest_is_served_first(house):
    late, early = house.endpoint("standard", HOOKS), house.endpoint("standard", HOOKS)
    make(house)
    claims = {one.endpoint.id: one for one in claim(house).claims}
    settle(house, [claims[late.id]], Retry(house.clock.now() + 20))
    settle(house, [claims[early.id]], Retry(house.clock.now() + 10))
    house.clock.advance(50)
    assert [one.endpoint.id for one in claim(house, limit=1).claims] == [early.id]


def test_who_just_had_a_place_waits_behind_who_had_none(house):
    old, young = house.endpoint("standard", HOOKS), house.endpoint("standard", HOOKS)
    make(house)
    [one] = [one for one in claim(house).claims if one.endpoint.id == young.id]
    house.clock.advance(5)
    settle(house, [one], Retry(house.clock.now()))
    [other] = house.run(lambda tx: tx.outbox.leases())
    house.run(lambda tx: deliveries.take_back(tx, expired_only=False))
    house.clock.advance(10)
    assert other.endpoint_id == old.id
    served = {old.id: house.clock.now() - 1}
    assert [one.endpoint.id for one in claim(house, limit=1, served=served).claims] == [young.id]


def test_a_claim_reads_only_the_endpoints_whose_turn_comes(house, monkeypatch):
    monkeypatch.setattr("affwire.services.dealing.AHEAD", 2)
    for _ in range(9):
        house.endpoint("standard", HOOKS)
    make(house)
    asked = []

    def room(one, policy, under_way):
        asked.append(one.id)
        return 1

    assert len(claim(house, limit=3, room=room).claims) == 3
    assert len(asked) == 4
    assert len(claim(house, room=room).claims) == 6


def fail(house, endpoint, claims):
    """Have attempts fail and wait for their retry, without opening the breaker."""
    for start in range(0, len(claims), 9):
        settle(house, claims[start : start + 9], Retry(house.clock.now() + 1000))
        house.run(lambda tx: tx.health.forgive(endpoint.id, anew=True))
    house.clock.advance(1000)


def backlog(house, endpoint, count):
    """Have that many retries wait, all due."""
    make(house, count)
    fail(house, endpoint, claim(house, limit=count, room=lambda *_: count).claims)


def test_first_tries_pass_a_backlog_of_retries_which_get_a_quarter_of_the_places(house, endpoint):
    backlog(house, endpoint, 30)
    make(house, 30)
    got = [one.attempt.number for one in claim(house, limit=20, room=lambda *_: 20).claims]
    assert got == [1] * 15 + [2] * 5


def test_what_one_class_cannot_use_the_others_have(house, endpoint):
    backlog(house, endpoint, 30)
    make(house, 2)
    got = [one.attempt.number for one in claim(house, limit=20, room=lambda *_: 20).claims]
    assert got == [1] * 2 + [2] * 18
    make(house, 30)
    claim(house, limit=28, room=lambda *_: 60)
    assert len(claim(house, limit=50, room=lambda *_: 50).claims) == 14


def test_replays_wait_behind_retries(house, endpoint):
    make(house, 30)
    settle(house, claim(house).claims, Delivered())
    for one in house.deliveries(endpoint):
        replay(house, one)
    make(house, 30)
    first = [one for one in claim(house, limit=1000).claims if one.delivery.priority == FIRST_TRY]
    fail(house, endpoint, first)
    house.run(lambda tx: deliveries.take_back(tx, expired_only=False))
    got = Counter(one.delivery.priority for one in claim(house, limit=16).claims)
    assert got == {RETRY: 12, REPLAY: 4}


def test_a_first_try_that_was_cut_off_is_a_first_try_still(house, endpoint):
    make(house)
    claim(house)
    house.run(lambda tx: deliveries.take_back(tx, expired_only=False))
    assert row(house, endpoint).priority == FIRST_TRY


def test_an_endpoint_with_a_single_place_gets_to_its_retries_too(house, endpoint):
    backlog(house, endpoint, 60)
    make(house, 120)
    numbers = Counter()
    for _ in range(120):
        [one] = claim(house, limit=1).claims
        numbers[one.attempt.number] += 1
        settle(house, [one], Delivered())
    assert numbers[1] > numbers[2] > 0


def test_a_claim_is_fair_to_small_organizations(house, endpoint):
    make(house, 20)
    mine = house.organization
    house.organization = house.run(lambda tx: organizations.create(tx, {"slug": "b", "name": "B"}))[0]
    small = house.endpoint("standard", HOOKS)
    make(house)
    house.organization = mine
    got = [one.endpoint.id for one in claim(house, limit=2).claims]
    assert sorted(got) == sorted([small.id, endpoint.id])


def test_deliveries_of_a_dialect_that_is_not_installed_are_parked_and_others_go_on(house, endpoint):
    foreign = house.endpoint("tamio", HOOKS)
    make(house)
    installed = house.dialects
    house.dialects = {"standard": installed["standard"]}
    assert [one.endpoint.id for one in claim(house).claims] == [endpoint.id]
    assert (row(house, foreign).status, row(house, foreign).reason) == ("held", "the dialect 'tamio' is not installed")
    back = [house.organization.id]
    assert house.run(lambda tx: deliveries.return_parked(tx, house.dialects, back)) == 0
    update_paused = {"paused": True}
    house.dialects = installed
    update(house, foreign, **update_paused)
    assert house.run(lambda tx: deliveries.return_parked(tx, installed, back)) == 0
    update(house, foreign, paused=False)
    assert [one.endpoint.id for one in claim(house).claims] == [foreign.id]


@pytest.mark.parametrize(
    ("verdict", "written"),
    [
        (Delivered(), ("delivered", 0, None)),
        (Dead("why"), ("exhausted", 0, "why")),
        (Retry(5), ("pending", 1, None)),
        (Unknown(), ("pending", 0, None)),
        (Unheard(5), ("pending", 0, None)),
        (Gone(), ("held", 0, GONE)),
    ],
)
def test_a_verdict_is_written_with_its_attempt(house, endpoint, verdict, written):
    make(house)
    [one] = claim(house).claims
    house.clock.advance(7)
    assert settle(house, [one], verdict) == [True]
    after = row(house, endpoint)
    assert (after.status, after.steps, after.reason, after.attempts) == (*written, 1)
    ended = after.status in {"delivered", "exhausted"}
    assert (after.settled_at is not None) == ended
    assert (after.lease_until, after.leased_by) == (None, None)
    assert [attempt.id for attempt in attempts(house, after)] == [one.attempt.id]
    assert after.due_at == (None if ended else 5 if isinstance(verdict, Retry | Unheard) else house.clock.now())


@pytest.mark.parametrize("verdict", [Delivered(), Dead("why"), Retry(5), Unknown(), Gone()])
def test_a_stale_claim_changes_nothing_at_all(house, endpoint, verdict):
    make(house)
    [stale] = claim(house).claims
    house.run(lambda tx: deliveries.take_back(tx, expired_only=False))
    [fresh] = claim(house).claims
    with house.changes_nothing():
        assert settle(house, [stale], verdict) == [False]
    assert settle(house, [fresh], Delivered()) == [True]
    with house.changes_nothing():
        assert settle(house, [fresh, stale], verdict) == [False, False]


@pytest.mark.parametrize(
    ("verdict", "status", "reason"),
    [
        (Delivered(), "delivered", None),
        (Dead("why"), "cancelled", "the endpoint was deleted"),
        (Retry(5), "cancelled", "the endpoint was deleted"),
        (Unheard(5), "cancelled", "the endpoint was deleted"),
        (Unknown(), "cancelled", "the endpoint was deleted"),
        (Gone(), "cancelled", "the endpoint was deleted"),
    ],
)
def test_what_was_under_way_when_its_endpoint_was_deleted_ends(house, endpoint, verdict, status, reason):
    make(house)
    [one] = claim(house).claims
    delete(house, endpoint)
    settle(house, [one], verdict)
    after = row(house, endpoint)
    assert (after.status, after.reason, after.settled_at) == (status, reason, house.clock.now())


@pytest.mark.parametrize("verdict", [Retry(5), Unknown(), Gone()])
def test_what_was_under_way_when_its_endpoint_was_paused_waits(house, endpoint, verdict):
    make(house)
    [one] = claim(house).claims
    update(house, endpoint, paused=True)
    settle(house, [one], verdict)
    after = row(house, endpoint)
    assert (after.status, after.reason) == ("held", GONE if isinstance(verdict, Gone) else "the endpoint is paused")


def test_a_410_among_several_answers_holds_those_that_come_after_it(house, endpoint):
    make(house, 3)
    first, second, third = claim(house).claims
    house.run(
        lambda tx: deliveries.settle(
            tx, house.dialects, [result(first, Retry(5)), result(second, Gone()), result(third, Retry(5))]
        )
    )
    assert [(one.status, one.reason) for one in house.deliveries(endpoint)] == [("held", GONE)] * 3


def test_a_lease_is_taken_back_once_it_is_over_and_costs_no_step(house, endpoint):
    make(house)
    [one] = claim(house).claims
    house.clock.advance(one.policy.lease_ms)
    assert house.run(lambda tx: deliveries.take_back(tx, expired_only=True)) == 0
    house.clock.advance(1)
    assert house.run(lambda tx: deliveries.take_back(tx, expired_only=True)) == 1
    after = row(house, endpoint)
    assert (after.status, after.steps, after.attempts, after.due_at) == ("pending", 0, 1, house.clock.now())
    [cut] = attempts(house, after)
    assert (cut.id, cut.number, cut.outcome, cut.error) == (one.attempt.id, 1, "unknown", "cut")
    assert (cut.started_at, cut.ended_at) == (one.attempt.at, house.clock.now())
    assert claim(house).claims[0].attempt.number == 2


def test_at_the_start_every_lease_is_taken_back(house, endpoint):
    make(house, 3)
    claim(house, limit=2)
    assert house.run(lambda tx: deliveries.take_back(tx, expired_only=False)) == 2
    assert {one.status for one in house.deliveries(endpoint)} == {"pending"}
    assert house.run(lambda tx: deliveries.take_back(tx, expired_only=False)) == 0


def finish(house, endpoint, verdict=None):
    make(house)
    settle(house, claim(house).claims, verdict or Delivered())
    return house.deliveries(endpoint)[-1]


@pytest.mark.parametrize("verdict", [Delivered(), Dead("why")])
def test_a_replay_keeps_the_id_counts_attempts_on_and_begins_the_schedule_anew(house, endpoint, verdict):
    make(house)
    [one] = claim(house).claims
    settle(house, [one], Retry(house.clock.now()))
    settle(house, claim(house).claims, verdict)
    ended = row(house, endpoint)
    assert ended.steps == 1
    again = replay(house, ended)
    assert (again.id, again.status, again.steps, again.attempts) == (ended.id, "pending", 0, 2)
    assert (again.due_at, again.settled_at, again.reason) == (house.clock.now(), None, None)
    assert claim(house).claims[0].attempt.number == 3
    assert [attempt.number for attempt in attempts(house, ended)] == [1, 2]


def test_a_cancelled_delivery_can_be_replayed(house, endpoint):
    make(house)
    cancel(house, row(house, endpoint))
    assert claim(house).claims == ()
    replay(house, row(house, endpoint))
    assert len(claim(house).claims) == 1


def test_one_that_waits_for_its_next_try_is_tried_now_and_keeps_its_steps(house, endpoint):
    make(house)
    settle(house, claim(house).claims, Retry(house.clock.now() + 60_000))
    assert replay(house, row(house, endpoint)).steps == 1
    assert len(claim(house).claims) == 1


def test_what_cannot_be_replayed_says_why(house, endpoint):
    ended = finish(house, endpoint)
    replay(house, ended)
    claim(house)
    with house.refuses("delivery_leased"):
        replay(house, ended)
    house.run(lambda tx: deliveries.take_back(tx, expired_only=False))
    update(house, endpoint, paused=True)
    with house.refuses("delivery_held"):
        replay(house, ended)
    delete(house, endpoint)
    with house.refuses("endpoint_deleted"):
        replay(house, ended)
    with house.refuses("delivery_not_found"):
        house.run(lambda tx: deliveries.replay(tx, house.organization.id, "dlv_gone"))


def test_a_replay_to_an_endpoint_that_waits_is_held(house, endpoint):
    ended = finish(house, endpoint)
    update(house, endpoint, paused=True)
    again = replay(house, ended)
    assert (again.status, again.reason) == ("held", "the endpoint is paused")
    update(house, endpoint, paused=False)
    house.follow()
    assert len(claim(house).claims) == 1


def test_pending_and_held_deliveries_can_be_cancelled_and_no_others(house, endpoint):
    make(house, 2)
    pending, later = house.deliveries(endpoint)
    assert cancel(house, pending).reason == "cancelled by its owner"
    update(house, endpoint, paused=True)
    assert cancel(house, later).settled_at == house.clock.now()
    update(house, endpoint, paused=False)
    make(house)
    leased = house.deliveries(endpoint)[-1]
    claim(house)
    for one in (pending, leased):
        with house.refuses("not_waiting"):
            cancel(house, one)
    house.run(lambda tx: deliveries.take_back(tx, expired_only=False))
    settle(house, claim(house).claims, Delivered())
    with house.refuses("not_waiting"):
        cancel(house, leased)


@pytest.fixture
def lane(house):
    """The deliveries of one affiliate to an ordered endpoint, three of them."""
    endpoint = house.endpoint("standard", HOOKS, policy={"ordering": "affiliate"})
    kim = house.act(affiliates.create, {"email": "kim@example.org"})[0]
    for city in "AB":
        house.act(affiliates.update, kim.id, {"city": city})
    return endpoint


def due(house, endpoint):
    return [one.due_at is not None for one in house.deliveries(endpoint)]


@pytest.mark.parametrize("end", [Delivered(), Dead("why")])
def test_a_lane_goes_on_when_its_head_has_ended_and_not_before(house, lane, end):
    assert due(house, lane) == [True, False, False]
    [head] = claim(house).claims
    assert claim(house).claims == ()
    settle(house, [head], Retry(house.clock.now() + 10))
    assert due(house, lane) == [True, False, False]
    house.clock.advance(10)
    settle(house, claim(house).claims, end)
    assert due(house, lane) == [False, True, False]


def test_a_lane_goes_on_when_its_head_is_cancelled_also_while_it_is_held(house, lane):
    update(house, lane, paused=True)
    cancel(house, house.deliveries(lane)[0])
    update(house, lane, paused=False)
    assert due(house, lane) == [False, True, False]


def test_a_replay_in_a_busy_lane_waits_for_its_turn(house, lane):
    settle(house, claim(house).claims, Dead("why"))
    first, _, _ = house.deliveries(lane)
    assert replay(house, first).due_at is None
    assert due(house, lane) == [False, True, False]
    for _ in range(3):
        [one] = claim(house).claims
        settle(house, [one], Delivered())
    assert {one.status for one in house.deliveries(lane)} == {"delivered"}


def test_one_in_the_middle_of_a_lane_is_not_tried_before_its_turn(house, lane):
    middle = house.deliveries(lane)[1]
    assert replay(house, middle).due_at is None
    assert due(house, lane) == [True, False, False]


def test_a_taken_back_head_is_the_head_again(house, lane):
    claim(house)
    house.run(lambda tx: deliveries.take_back(tx, expired_only=False))
    assert due(house, lane) == [True, False, False]


def test_a_machine_whose_clock_differs_plans_and_records_by_the_databases(house, endpoint):
    make(house, 1)
    [one] = claim(house).claims
    ahead = 3_600_000

    def settle_elsewhere(tx):
        tx.skew_ms = ahead  # the database's clock is an hour ahead of this machine's
        tried = AttemptRecord(
            delivery_id=one.delivery.id,
            number=1,
            id="att",
            started_at=tx.now + ahead,
            ended_at=tx.now,
            outcome="failed",
        )
        return deliveries.settle(tx, house.dialects, [Result(one, Retry(tx.now + 5_000), tried)]), tx.now

    held, now = house.run(settle_elsewhere)
    assert held == [True]
    [row] = house.deliveries(endpoint)
    [kept] = house.run(lambda tx: tx.outbox.attempts_of([row.id]))[row.id]
    assert row.due_at == now + ahead + 5_000
    assert (kept.started_at, kept.ended_at) == (now + ahead, now + ahead)
