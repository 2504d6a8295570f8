"""How endpoints do: shares, percentiles and pieces of a span, from their attempts."""

import pytest
from registry_walk import HOOKS

from affwire.model.deliveries import AttemptRecord
from affwire.rules.delivery import Dead, Delivered
from affwire.services import deliveries, fitness, programs
from affwire.services.deliveries import Result
from affwire.store.figures import Try
from affwire.testing.house import MemoryHouse

HOUR = 3_600_000


@pytest.fixture
def house():
    house = MemoryHouse()
    for number in range(3):
        house.endpoint("standard", HOOKS)
        house.act(programs.create, {"name": f"P{number}"})
    return house


def end(house, verdict, outcome):
    batch = house.run(lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=1, room=lambda *_: 1))
    results = [Result(one, verdict, _attempt(one, outcome)) for one in batch.claims]
    house.run(lambda tx: deliveries.settle(tx, house.dialects, results))
    return batch.claims[0].endpoint.id


def _attempt(claim, outcome):
    at = claim.attempt.at
    return AttemptRecord(
        delivery_id=claim.delivery.id, number=claim.attempt.number, id=claim.attempt.id,
        started_at=at - 40, ended_at=at, outcome=outcome,
    )  # fmt: skip


def test_an_endpoint_is_measured_by_its_own_attempts(house):
    went = [end(house, Delivered(), "ok") for _ in range(3)] + [end(house, Dead("no"), "failed")]
    owner = house.organization.id
    found = house.run(lambda tx: fitness.of_all(tx, owner, HOUR))
    assert set(found) == set(went)
    one = went[-1]
    assert found[one] == house.run(lambda tx: fitness.of_one(tx, owner, one, HOUR))
    failed = sum(sum(each.series["failed"]) for each in found.values())
    assert (failed, found[one].p95_ms) == (1, 40)
    assert house.run(lambda tx: fitness.of_all(tx, "org_other", HOUR)) == {}


def test_what_happened_before_the_span_counts_nowhere(house):
    end(house, Delivered(), "ok")
    house.clock.advance(2 * HOUR)
    assert house.run(lambda tx: fitness.of_all(tx, house.organization.id, HOUR)) == {}


def test_an_attempt_falls_into_the_piece_of_its_end():
    tries = [Try("ep", at, "ok", 5) for at in (999, 501, 500, 1)]
    assert fitness.series(tries, 1000, 1000, 2)["ok"] == [2, 2]
    assert fitness.series([Try("ep", 0, "failed", 5), Try("ep", 1001, "ok", 5)], 1000, 1000, 2)["failed"] == [0, 0]


def test_nothing_is_measured_without_an_attempt():
    empty = fitness.measured([], 1000, 1000, 4)
    assert (empty.rate, empty.p95_ms, empty.course) == (None, None, [])
    unknown = fitness.measured([Try("ep", 900, "unknown", 5)], 1000, 1000, 4)
    assert (unknown.rate, unknown.p95_ms, unknown.series["unknown"]) == (None, None, [0, 0, 0, 1])
