"""Many messages once more: just those that were counted, each once, across restarts."""

import pytest

from affwire.model import ids
from affwire.model.inbound import Kept
from affwire.services import jobs, reprocessing, sources


@pytest.fixture
def source(house):
    return house.run(lambda tx: sources.create(tx, house.organization, house.dialects, "growi", {}))


def keep(house, source, nth, status="parked", **fields):
    made = {"word": "w", "body": b"{}", "size": 2, "received_at": nth, "settled_at": house.clock.now()}
    kept = Kept(
        id=ids.make("message", nth, nth),
        organization_id=source.organization_id,
        source_id=source.id,
        dialect=source.dialect,
        status=status,
        **made | fields,
    )
    house.run(lambda tx: tx.inbox.keep([kept]))
    return kept


def started(house, **wish):
    def work(tx):
        return jobs.start_reprocessing(
            tx, house.organization.id, wish, reprocessing.extent(tx, house.organization.id, wish)
        )

    return house.run(work)


def stepped(house, job, limit=100):
    return house.run(lambda tx: jobs.step(tx, house.dialects, house.organization.id, job.id, limit))


def finished(house, job, limit=100):
    for _ in range(1_000):
        job, _ = stepped(house, job, limit)
        if job.status != "running":
            return job
    raise AssertionError("the job never ends")


def status(house, message):
    return house.run(lambda tx: tx.inbox.get(house.organization.id, message.id)).status


def test_the_parked_are_put_in_line_and_nothing_else(house, source):
    parked = [keep(house, source, nth) for nth in range(5)]
    others = [
        keep(house, source, 9, "applied"),
        keep(house, source, 10, "rejected"),
        keep(house, source, 11, "quarantined"),
    ]
    job = started(house)
    assert job.total == 5
    after = finished(house, job, limit=2)
    assert (after.status, after.done, after.skipped) == ("done", 5, 0)
    assert {status(house, one) for one in parked} == {"received"}
    assert [status(house, one) for one in others] == ["applied", "rejected", "quarantined"]
    waiting = house.run(lambda tx: tx.inbox.waiting(99))
    assert [one.id for one in waiting] == [one.id for one in parked]


def test_a_step_does_at_most_so_many(house, source):
    for nth in range(5):
        keep(house, source, nth)
    job, sent = stepped(house, started(house), limit=2)
    assert (sent, job.done, job.status) == (2, 2, "running")


def test_what_parks_again_is_not_taken_twice(house, source):
    messages = [keep(house, source, nth) for nth in range(3)]
    job = started(house)
    house.clock.advance(1)
    job, _ = stepped(house, job, limit=1)
    house.run(lambda tx: tx.inbox.settle(messages[0].id, "parked", "again"))
    house.run(lambda tx: tx.inbox.move(house_get(tx, house, messages[2]), "received"))
    house.run(lambda tx: tx.inbox.settle(messages[2].id, "parked", "meanwhile"))
    after = finished(house, job)
    assert (after.done, after.skipped, after.total) == (2, 1, 3)
    assert [status(house, one) for one in messages] == ["parked", "received", "parked"]


def house_get(tx, house, message):
    return tx.inbox.get(house.organization.id, message.id)


@pytest.mark.parametrize(
    ("wish", "total"),
    [
        ({}, 3),
        ({"word": "other"}, 1),
        ({"since": 2}, 2),
        ({"until": 2}, 1),
        ({"since": 2, "until": 3, "word": "w"}, 1),
        ({"status": "applied"}, 1),
        ({"status": "unchanged"}, 0),
        ({"dialect": "growi"}, 3),
        ({"dialect": "tamio"}, 0),
        ({"affiliate_id": "aff_x"}, 1),
    ],
)
def test_filters_count_what_is_done(house, source, wish, total):
    keep(house, source, 1)
    keep(house, source, 2)
    keep(house, source, 3, word="other", affiliate_id="aff_x")
    keep(house, source, 4, "applied")
    job = started(house, **wish)
    assert (job.total, finished(house, job).done) == (total, total)


def test_the_erased_are_not_counted_and_another_source_is_left_alone(house, source):
    other = house.run(lambda tx: sources.create(tx, house.organization, house.dialects, "growi", {}))
    keep(house, source, 1, body=None)
    keep(house, other, 2)
    mine = keep(house, source, 3)
    job = finished(house, started(house, source_id=source.id))
    assert (job.done, job.skipped) == (1, 0)
    assert status(house, mine) == "received"


def test_what_came_later_is_left_alone(house, source):
    keep(house, source, 1)
    job = started(house)
    late = keep(house, source, 2)
    assert finished(house, job).done == 1
    assert status(house, late) == "parked"


def test_what_was_counted_is_counted_again_within_the_same_bounds(house, source):
    keep(house, source, 1)
    keep(house, source, 2)
    owner = house.organization.id
    shown = house.run(lambda tx: reprocessing.extent(tx, owner, {}))
    keep(house, source, 3)
    assert house.run(lambda tx: reprocessing.extent(tx, owner, {}, shown)) == shown
    assert house.run(lambda tx: reprocessing.extent(tx, owner, {})).total == 3


def test_more_than_one_scan_is_gone_through(house, source):
    for nth in range(reprocessing.SCAN_MAX + 5):
        keep(house, source, nth, "applied" if nth < reprocessing.SCAN_MAX else "parked")
    assert finished(house, started(house)).done == 5


def test_a_source_that_is_not_there_is_refused(house):
    with house.refuses("source_not_found"):
        house.run(lambda tx: reprocessing.extent(tx, house.organization.id, {"source_id": "src_none"}))
