"""Jobs: many deliveries sent again, or recovered, step by step."""

import pytest
from inflow import Platform
from msgspec import structs
from registry_walk import HOOKS

from affwire.model.deliveries import REPLAY, AttemptRecord
from affwire.model.registry import Affiliate
from affwire.rules.delivery import Dead, Delivered, Retry
from affwire.services import affiliates, deliveries, endpoints, erasure, jobs, programs, recovery
from affwire.services.deliveries import Result
from affwire.store import browse


def make(house, count=1):
    for number in range(count):
        house.act(programs.create, {"name": f"P{number}"})


def end(house, verdict=None):
    """Claim everything that is due and end it so."""
    batch = house.run(lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=500, room=lambda *_: 500))
    results = [Result(one, verdict or Dead("gone wrong"), _attempt(one)) for one in batch.claims]
    house.run(lambda tx: deliveries.settle(tx, house.dialects, results))
    return len(results)


def _attempt(claim):
    at = claim.attempt.at
    return AttemptRecord(
        delivery_id=claim.delivery.id, number=claim.attempt.number, id=claim.attempt.id,
        started_at=at, ended_at=at, outcome="failed",
    )  # fmt: skip


def replay(house, **wish):
    owner = house.organization.id
    return house.run(lambda tx: jobs.start_replay(tx, owner, wish, jobs.extent(tx, owner, wish)))


def recover(house, endpoint, **wish):
    owner = house.organization.id
    wish = {"since": 0, **wish}
    count = counted(house, endpoint, wish)
    return house.run(lambda tx: jobs.start_recovery(tx, owner, endpoint.id, wish, count.extent))


def counted(house, endpoint, wish):
    count = house.run(lambda tx: recovery.begin(tx, house.organization.id, endpoint.id, wish))
    while count.seen is not None:
        count = house.run(lambda tx, count=count: recovery.look(tx, house.dialects, wish, count))
    return count


def step(house, job, limit=1000):
    return house.run(lambda tx: jobs.step(tx, house.dialects, house.organization.id, job.id, limit))


def through(house, job, limit=1000):
    for _ in range(100):
        job, _ = step(house, job, limit)
        if job.status != "running":
            return job
    raise AssertionError("the job never ends")


def statuses(house, endpoint):
    return [row.status for row in house.deliveries(endpoint)]


def update(house, endpoint, **fields):
    wish = endpoints.Wish(fields=fields)
    return house.run(lambda tx: endpoints.update(tx, house.organization, house.dialects, endpoint.id, wish))


@pytest.fixture
def endpoint(house):
    return house.endpoint("standard", HOOKS)


def test_a_replay_sends_what_failed_again_behind_first_tries(house, endpoint):
    make(house, 3)
    end(house)
    make(house)
    job = through(house, replay(house))
    assert (job.status, job.total, job.done, job.skipped) == ("done", 3, 3, 0)
    rows = house.deliveries(endpoint)
    assert [(row.status, row.priority, row.steps) for row in rows] == [("pending", REPLAY, 0)] * 3 + [("pending", 0, 0)]
    first, _ = house.run(lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=2, room=lambda *_: 9)).claims
    assert first.delivery.id == rows[3].id


def test_delivered_ones_go_again_only_if_they_are_asked_for_by_name(house, endpoint):
    make(house)
    end(house, Delivered())
    assert through(house, replay(house)).done == 0
    assert statuses(house, endpoint) == ["delivered"]
    assert through(house, replay(house, status="delivered")).done == 1
    assert statuses(house, endpoint) == ["pending"]


def test_filters_are_obeyed(house, endpoint):
    other = house.endpoint("standard", HOOKS)
    make(house)
    house.clock.advance(1000)
    at = house.clock.now()
    make(house)
    end(house)
    assert through(house, replay(house, endpoint_id=other.id, since=at)).done == 1
    assert statuses(house, other) == ["exhausted", "pending"]
    assert statuses(house, endpoint) == ["exhausted"] * 2
    assert through(house, replay(house, until=at)).done == 2
    event_id = house.deliveries(endpoint)[1].event_id
    assert replay(house, event_id=event_id).total == 1


def test_a_job_goes_on_where_it_stopped_and_repeats_nothing(house, endpoint):
    make(house, 5)
    end(house)
    job = replay(house)
    for expected in (2, 4):
        job, sent = step(house, job, 2)
        assert (sent, job.status, job.done) == (2, "running", expected)
    assert end(house) == 4
    assert through(house, job, 2).done == 5
    assert statuses(house, endpoint).count("pending") == 1


def test_what_is_made_after_the_start_is_left_alone(house, endpoint):
    make(house)
    end(house)
    job = replay(house)
    make(house)
    end(house)
    assert through(house, job).done == 1


def test_a_cancelled_job_does_nothing_more(house, endpoint):
    make(house, 3)
    end(house)
    job, _ = step(house, replay(house), 1)
    house.run(lambda tx: jobs.cancel(tx, house.organization.id, job.id))
    assert step(house, job)[1] == 0
    assert sorted(statuses(house, endpoint)) == ["exhausted", "exhausted", "pending"]
    with house.refuses("job_finished"):
        house.run(lambda tx: jobs.cancel(tx, house.organization.id, job.id))


def test_what_cannot_go_again_is_skipped_and_counted(house, endpoint):
    make(house, 2)
    end(house)
    job = replay(house)
    house.run(lambda tx: endpoints.delete(tx, house.organization, endpoint.id))
    job = through(house, job)
    assert (job.done, job.skipped) == (0, 2)


def test_jobs_at_a_time_are_counted(house, endpoint):
    for _ in range(jobs.RUNNING_MAX):
        replay(house)
    with house.refuses("too_many_jobs"):
        replay(house)


def test_an_unknown_job_or_endpoint_is_not_found(house, endpoint):
    with house.refuses("job_not_found"):
        house.run(lambda tx: jobs.get(tx, house.organization.id, "job_x"))
    with house.refuses("endpoint_not_found"):
        replay(house, endpoint_id="ep_x")


def test_a_recovery_sends_what_was_lost_and_says_what_was_never_told(house, endpoint):
    make(house, 2)
    end(house)
    late = house.endpoint("standard", HOOKS)
    job = through(house, recover(house, late))
    assert (job.status, job.total, job.done) == ("done", 2, 2)
    assert statuses(house, late) == ["pending"] * 2
    assert {row.priority for row in house.deliveries(late)} == {REPLAY}
    assert through(house, recover(house, endpoint)).done == 2
    assert statuses(house, endpoint) == ["pending"] * 2


def test_a_recovery_leaves_alone_what_was_delivered_or_is_on_its_way(house, endpoint):
    make(house)
    end(house, Delivered())
    make(house)
    assert through(house, recover(house, endpoint)).done == 0
    assert statuses(house, endpoint) == ["delivered", "pending"]


def test_what_is_no_longer_on_record_is_not_said_again(house, endpoint):
    house.clock.advance(1)
    make(house)
    end(house, Delivered())
    house.run(lambda tx: tx.outbox.forget(house.clock.now() + 1, limit=10))
    assert through(house, recover(house, endpoint)).done == 0
    assert house.deliveries(endpoint) == []


def test_a_recovery_says_what_was_filtered_then_and_is_wanted_now(house):
    endpoint = house.endpoint("standard", HOOKS, event_types=["affiliate.*"])
    make(house)
    update(house, endpoint, event_types=[])
    assert through(house, recover(house, endpoint)).done == 1
    [event] = house.events()
    entry = house.run(lambda tx: tx.log.get(house.organization.id, event.id))
    assert entry.silences == {}
    assert through(house, recover(house, endpoint)).done == 0


def test_a_recovery_says_what_happened_while_the_owner_had_it_disabled(house, endpoint):
    update(house, endpoint, enabled=False)
    make(house)
    with house.refuses("endpoint_disabled"):
        recover(house, endpoint)
    update(house, endpoint, enabled=True)
    assert through(house, recover(house, endpoint)).done == 1


def test_a_recovery_keeps_to_its_span_and_its_pace(house):
    make(house, 2)
    house.clock.advance(1000)
    at = house.clock.now()
    make(house, 4)
    late = house.endpoint("standard", HOOKS)
    job = recover(house, late, since=at)
    job, sent = step(house, job, 3)
    assert (sent, job.status) == (3, "running")
    assert through(house, job).done == 4
    assert through(house, recover(house, late, until=at)).done == 2


def test_a_dry_look_counts_and_changes_nothing(house, endpoint):
    make(house, 2)
    end(house)
    with house.changes_nothing():
        count = counted(house, endpoint, {"since": 0})
    assert (count.again, count.new, count.extent.total) == (2, 0, 2)


def test_an_erased_persons_events_are_not_recovered(house):
    person, _ = house.act(affiliates.create, {"email": "kim@example.org"})
    house.act(affiliates.delete, person.id, erase=True)
    late = house.endpoint("standard", HOOKS)
    house.run(lambda tx: erasure.erase_due(tx, limit=9))
    assert through(house, recover(house, late)).done == 0
    assert house.deliveries(late) == []


def test_marks_narrow_a_replay_as_they_narrow_the_list(house, endpoint):
    make(house, 3)
    house.act(affiliates.create, {"email": "a@example.org"})
    end(house)
    for marks, count in (
        ({"type": "program.created"}, 3),
        ({"type": "affiliate.created"}, 1),
        ({"outcome": "failed"}, 4),
        ({"outcome": "5xx"}, 0),
        ({"dialect": endpoint.dialect}, 4),
        ({"dialect": "growi"}, 0),
    ):
        listed = house.run(
            lambda tx, marks=marks: tx.browse.deliveries(
                house.organization.id, browse.Wanted(**marks), place=None, limit=99, oldest=False
            )
        )
        assert (len(listed.rows), replay(house, **marks).total) == (count, count)
        for job in house.run(lambda tx: tx.jobs.running()):
            house.run(lambda tx, job=job: jobs.cancel(tx, house.organization.id, job.id))
    assert through(house, replay(house, type="program.created")).done == 3
    waiting = house.run(
        lambda tx: tx.browse.deliveries(
            house.organization.id, browse.Wanted(status="pending"), place=None, limit=99, oldest=False
        )
    )
    assert {row.event_type for row in waiting.rows} == {"program.created"}


def test_what_is_retrying_is_tried_now_and_what_was_never_tried_is_left_alone(house, endpoint):
    make(house, 2)
    end(house, Retry(house.clock.now() + 60_000))
    make(house, 1)
    assert replay(house, status="pending").total == 3
    assert through(house, replay(house, status="retrying")).done == 2


def test_a_backlog_that_drains_meanwhile_does_not_join_a_replay(house, endpoint):
    make(house, 2)
    end(house)
    make(house, 3)
    job = replay(house)
    house.clock.advance(1)
    end(house)
    job = through(house, job)
    assert (job.total, job.done, job.skipped) == (2, 2, 0)
    assert statuses(house, endpoint) == ["pending"] * 2 + ["exhausted"] * 3


def test_what_waits_is_tried_once_however_long_a_replay_of_it_takes(house, endpoint):
    make(house, 3)
    job = replay(house, status="pending")
    house.clock.advance(1)
    end(house, Retry(house.clock.now() + 1000))
    job = through(house, job)
    assert (job.total, job.done, job.skipped) == (3, 0, 3)


def test_a_total_counts_neither_deleted_endpoints_nor_erased_persons(house, endpoint):
    person, _ = house.act(affiliates.create, {"email": "kim@example.org"})
    make(house)
    end(house)
    other = house.endpoint("standard", HOOKS)
    make(house)
    end(house)
    house.run(lambda tx: endpoints.delete(tx, house.organization, other.id))
    house.act(affiliates.delete, person.id, erase=True)
    end(house)
    house.run(lambda tx: erasure.erase_due(tx, limit=9))
    job = replay(house)
    assert (job.total, through(house, job).done) == (2, 2)


def test_what_went_again_by_itself_is_skipped_so_that_the_sum_is_the_total(house, endpoint):
    make(house, 3)
    end(house)
    job = replay(house)
    first = house.deliveries(endpoint)[0]
    house.run(lambda tx: deliveries.replay(tx, house.organization.id, first.id))
    job = through(house, job)
    assert (job.total, job.done, job.skipped) == (3, 2, 1)


def test_an_unknown_endpoint_or_event_is_refused_before_anything_is_counted(house, endpoint):
    owner = house.organization.id
    house.run(lambda tx: endpoints.delete(tx, house.organization, endpoint.id))
    for wish, code in (
        ({"endpoint_id": "ep_x"}, "endpoint_not_found"),
        ({"endpoint_id": endpoint.id}, "endpoint_not_found"),
        ({"event_id": "evt_x"}, "event_not_found"),
    ):
        with house.refuses(code):
            house.run(lambda tx, wish=wish: jobs.extent(tx, owner, wish))


def test_a_recoverys_total_is_what_its_dry_look_counts_and_what_it_sends(house, endpoint):
    make(house, 2)
    end(house)
    make(house)
    end(house, Delivered())
    make(house)
    job = recover(house, endpoint)
    assert job.total == counted(house, endpoint, {"since": 0}).extent.total == 2
    house.clock.advance(1)
    end(house)
    job = through(house, job)
    assert (job.total, job.done, job.skipped) == (2, 2, 0)


def test_a_recovery_of_several_looks_counts_all(house):
    make(house, recovery.SCAN_MAX + 1)
    late = house.endpoint("standard", HOOKS)
    job = recover(house, late)
    assert job.total == recovery.SCAN_MAX + 1
    assert through(house, job).done == job.total


def test_what_is_counted_can_go_after_an_erasure_was_asked_for_and_before_it_is_done(house, endpoint):
    person, _ = house.act(affiliates.create, {"email": "kim@example.org"})
    make(house)
    end(house, Delivered())
    house.act(affiliates.delete, person.id, erase=True)
    end(house, Delivered())
    job = replay(house, status="delivered")
    assert (job.total, through(house, job).done) == (1, 1)


def test_what_waits_of_a_person_to_be_erased_may_go_at_once(house, endpoint):
    person, _ = house.act(affiliates.create, {"email": "kim@example.org"})
    house.act(affiliates.delete, person.id, erase=True)
    job = replay(house, status="pending")
    assert (job.total, through(house, job).done) == (2, 2)


def test_what_is_counted_can_go_where_one_was_erased_of_whom_only_a_relay_told(house, endpoint):
    relay = Platform(house, "rewardful", mode="relay")
    for address in ("kim@example.org", "alex@example.org"):
        message = relay.send("affiliate.created", object__email=address)
    make(house)
    end(house, Delivered())
    left = len(house.deliveries(endpoint))
    house.act(affiliates.delete, message.affiliate_id, erase=True)
    gone = sum(one.affiliate_id == message.affiliate_id for one in house.events())
    job = replay(house, status="delivered")
    assert 0 < gone < left
    assert (job.total, through(house, job).done) == (left - gone, left - gone)


def test_a_deleted_person_without_an_address_is_counted_as_one_who_was_not_erased(house, endpoint):
    person, _ = house.act(affiliates.create, {"email": "kim@example.org"})
    person = house.run(lambda tx: tx.registry.get(Affiliate, house.organization.id, person.id))
    house.run(lambda tx: tx.registry.update(structs.replace(person, email=None)))
    house.act(affiliates.delete, person.id)
    end(house, Delivered())
    job = replay(house, status="delivered")
    assert (job.total, through(house, job).done) == (2, 2)


def test_a_recovery_says_nothing_of_a_person_to_be_erased(house):
    person, _ = house.act(affiliates.create, {"email": "kim@example.org"})
    house.act(affiliates.delete, person.id, erase=True)
    late = house.endpoint("standard", HOOKS)
    job = recover(house, late)
    assert (job.total, through(house, job).done) == (0, 0)


def test_what_was_counted_is_counted_again_within_the_same_bounds(house, endpoint):
    make(house, 3)
    end(house)
    owner = house.organization.id
    shown = house.run(lambda tx: jobs.extent(tx, owner, {}))
    assert house.run(lambda tx: jobs.extent(tx, owner, {}, shown)) == shown
    first = house.deliveries(endpoint)[0]
    house.clock.advance(1)
    house.run(lambda tx: deliveries.replay(tx, owner, first.id))
    make(house)
    end(house)
    assert house.run(lambda tx: jobs.extent(tx, owner, {})).total == 4
    again = house.run(lambda tx: jobs.extent(tx, owner, {}, shown))
    assert (again.total, again.last, again.as_of) == (2, shown.last, shown.as_of)
    job = house.run(lambda tx: jobs.start_replay(tx, owner, {}, again))
    assert (job.total, through(house, job).done) == (2, 2)


def test_what_had_arrived_is_counted_by_itself(house, endpoint):
    make(house, 2)
    end(house, Delivered())
    make(house)
    end(house)
    owner = house.organization.id
    counts = [house.run(lambda tx, wish=wish: jobs.extent(tx, owner, wish)) for wish in ({}, {"status": "delivered"})]
    assert [(one.total, one.arrived) for one in counts] == [(1, 0), (2, 2)]


def test_what_was_missed_is_counted_again_within_the_same_bounds(house, endpoint):
    make(house, 2)
    end(house)
    shown = counted(house, endpoint, {"since": 0}).extent
    house.clock.advance(1)
    make(house)
    end(house)
    count = house.run(lambda tx: recovery.begin(tx, house.organization.id, endpoint.id, {"since": 0}, shown))
    while count.seen is not None:
        count = house.run(lambda tx, count=count: recovery.look(tx, house.dialects, {"since": 0}, count))
    assert count.extent == shown
