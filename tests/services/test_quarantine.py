"""Quarantine: a delivery that the process dies of does not go on for ever, and takes nobody with it."""

import pytest
from registry_walk import HOOKS
from structlog.testing import capture_logs

from affwire.model.deliveries import AttemptRecord
from affwire.rules.delivery import Unknown
from affwire.services import affiliates, deliveries, jobs, programs
from affwire.services.deliveries import Result
from affwire.services.quarantine import CUTS_MAX, SPREAD_MS


@pytest.fixture
def endpoint(house):
    return house.endpoint("standard", HOOKS)


def claim(house):
    return house.run(lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=500, room=lambda *_: 500)).claims


def crash(house, times=1):
    """Have the process die with everything under way that is due, so often."""
    for _ in range(times):
        house.clock.advance(SPREAD_MS << CUTS_MAX)
        claim(house)
        house.run(lambda tx: deliveries.take_back(tx, house.dialects, expired_only=False))


def cut_in_order(house):
    """Stop while it is under way: it is settled as unknown."""
    house.clock.advance(SPREAD_MS << CUTS_MAX)
    [one] = claim(house)
    attempt = AttemptRecord(
        delivery_id=one.delivery.id, number=one.attempt.number, id=one.attempt.id,
        started_at=1, ended_at=1, outcome="unknown", error="cut",
    )  # fmt: skip
    house.run(lambda tx: deliveries.settle(tx, house.dialects, [Result(one, Unknown(), attempt)]))


def row(house, endpoint):
    return house.deliveries(endpoint)[0]


def test_a_delivery_that_the_process_dies_of_each_time_is_not_taken_back_for_ever(house, endpoint):
    house.act(programs.create, {"name": "A"})
    crash(house, CUTS_MAX - 1)
    assert row(house, endpoint).status == "pending"
    with capture_logs() as lines:
        crash(house)
    after = row(house, endpoint)
    assert (after.status, after.attempts, after.due_at) == ("exhausted", CUTS_MAX, None)
    assert after.reason == f"quarantined: affwire stopped {CUTS_MAX} times while this was under way"
    [line] = [line for line in lines if line["event"] == "delivery.quarantined"]
    assert (line["id"], line["log_level"]) == (after.id, "warning")
    crash(house)
    assert row(house, endpoint) == after


def test_the_first_crash_delays_nothing_and_the_next_ones_spread_what_was_there(house, endpoint):
    for number in range(20):
        house.act(programs.create, {"name": f"P{number}"})
    crash(house)
    assert {one.due_at for one in house.deliveries(endpoint)} == {house.clock.now()}
    crash(house)
    due = {one.due_at - house.clock.now() for one in house.deliveries(endpoint)}
    assert len(due) > 10
    assert max(due) <= SPREAD_MS


def test_any_end_in_order_between_two_crashes_begins_the_count_anew(house, endpoint):
    house.act(programs.create, {"name": "A"})
    crash(house, CUTS_MAX - 1)
    cut_in_order(house)
    crash(house, CUTS_MAX - 1)
    assert row(house, endpoint).status == "pending"


def test_what_is_replayed_out_of_quarantine_has_as_many_chances_again(house, endpoint):
    house.act(programs.create, {"name": "A"})
    crash(house, CUTS_MAX)
    owner = house.organization.id
    delivery_id = row(house, endpoint).id
    house.run(lambda tx: deliveries.replay(tx, owner, delivery_id))
    crash(house, CUTS_MAX - 1)
    assert row(house, endpoint).status == "pending"
    crash(house)
    assert row(house, endpoint).status == "exhausted"
    assert house.run(lambda tx: jobs.extent(tx, owner, {})).total == 1


def test_its_lane_goes_on_without_it(house):
    endpoint = house.endpoint("standard", HOOKS, policy={"ordering": "affiliate"})
    kim, _ = house.act(affiliates.create, {"email": "kim@example.org"})
    house.act(affiliates.update, kim.id, {"city": "Bonn"})
    crash(house, CUTS_MAX)
    assert [one.status for one in house.deliveries(endpoint)] == ["exhausted", "pending"]
    assert len(claim(house)) == 1


def test_who_asked_for_it_is_told(house, endpoint):
    house.endpoint("standard", HOOKS, event_types=["delivery.exhausted"])
    house.act(programs.create, {"name": "A"})
    crash(house, CUTS_MAX)
    told = house.events()[-1]
    assert told.type == "delivery.exhausted"
    assert told.notice["delivery"]["id"] == row(house, endpoint).id
