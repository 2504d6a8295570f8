"""The outbox: lanes, fences, the skip scan, and what is forgotten."""

import sqlite3

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from affwire.model.deliveries import AttemptRecord, Delivery
from affwire.model.wire import Timings
from affwire.services import following
from affwire.store.log import Entry
from affwire.store.queued import Lease, Settlement, Share
from affwire.testing import events
from affwire.testing.house import MemoryHouse

TWICE = (IntegrityError, sqlite3.IntegrityError, psycopg.errors.UniqueViolation)
"""What stops a row from being there twice, on whichever way a statement takes to the driver."""
ENDED = ("delivered", "exhausted", "cancelled")
STATUSES = ("pending", "held", "leased", *ENDED)


def row(nth, endpoint="ep_1", **fields):
    default = {"status": "pending", "due_at": 10, "word": "w", "subject_id": "s", "created_at": 1}
    known = {"id": f"dlv_{nth}", "organization_id": "org_1", "endpoint_id": endpoint, "event_id": f"evt_{nth}"}
    return Delivery(**{**known, **default, **fields})


def attempt(delivery, **fields):
    default = {"number": delivery.attempts, "id": "att", "started_at": 1, "ended_at": 2, "outcome": "ok"}
    return AttemptRecord(**{"delivery_id": delivery.id, **default, **fields})


class Box:
    """An outbox whose every call is a transaction of its own."""

    def __init__(self):
        self.house = MemoryHouse()
        self.ordered = False

    def __getattr__(self, name):
        return lambda *args, **kwargs: self.house.run(lambda tx: getattr(tx.outbox, name)(*args, **kwargs))

    def decide(self, what, *args):
        """Decide about all that waits for an endpoint."""
        return self.house.run(lambda tx: getattr(tx.following, what)(*args))

    def piece(self, limit=1_000):
        """Have a piece of rows follow; False if there was nothing to do."""
        return self.house.run(lambda tx: following.step(tx, limit=limit))

    def follow(self, what, *args):
        """Decide, and have all rows follow."""
        self.decide(what, *args)
        while self.piece():
            pass

    def lease(self, delivery, now=10):
        lease = Lease(delivery, now + 5, "att")
        return next(iter(self.house.run(lambda tx: tx.outbox.lease([lease], now=now, worker="w"))), None)

    def end(self, delivery, status="delivered", due_at=None):
        leased = self.lease(delivery) if delivery.status == "pending" else delivery
        [held] = self.settle([Settlement(leased, status, None, due_at, 0, attempt(leased))], 20)
        return held

    def all(self):
        return self.page("org_1", before=None, limit=10_000)[::-1]

    def due_ids(self, endpoint="ep_1"):
        return [one.id for one in self.due([Share(endpoint, 99)], now=10**15)]


@pytest.fixture
def box():
    return Box()


def test_a_delivery_comes_back_as_it_was_stored(box):
    stored = row(1, reason="r", lane="l", attempts=3, steps=2, fence=4)
    box.add([stored])
    [found] = box.all()
    assert found == box.get("org_1", "dlv_1")
    assert (found.position, found.lane, found.fence) == (1, "l", 4)
    assert box.get("org_2", "dlv_1") is None
    assert box.of_event("evt_1") == [found]


def test_one_saying_of_one_event_is_one_delivery(box):
    box.add([row(1)])
    with pytest.raises(TWICE):
        box.add([row(2, event_id="evt_1")])
    box.add([row(3, event_id="evt_1", word="other"), row(4, event_id="evt_1", subject_id="other")])


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from(STATUSES), st.none() | st.integers(0, 50)), max_size=40
    )
)
@settings(deadline=None, max_examples=40)
def test_the_skip_scan_finds_what_a_naive_query_finds(rows):
    box = Box()
    made = [
        row(
            nth,
            f"ep_{name}",
            status=status,
            due_at=0 if status == "leased" else at,
            leased_by="w" if status == "leased" else None,
            settled_at=1 if status in ENDED else None,
        )
        for nth, (name, status, at) in enumerate(rows)
    ]
    if made:
        box.add(made)
    naive = {}
    for one in made:
        if one.status == "pending" and one.due_at is not None:
            naive[one.endpoint_id] = min(one.due_at, naive.get(one.endpoint_id, one.due_at))
    assert box.endpoints_with_work() == naive
    assert box.leased() == {
        name: count
        for name in {one.endpoint_id for one in made}
        if (count := sum(one.endpoint_id == name and one.status == "leased" for one in made))
    }
    for name in naive:
        mine = [one for one in made if one.endpoint_id == name and one.status == "pending" and one.due_at is not None]
        expected = sorted((one for one in mine if one.due_at <= 25), key=lambda one: (one.due_at, made.index(one)))
        assert [one.id for one in box.due([Share(name, 3)], now=25)] == [one.id for one in expected[:3]]


def test_the_hot_queries_use_their_indexes(box, database):
    from affwire.store import statements as sql

    def plan(statement, **values):
        if database == "postgres":  # which scans what is small, unless it is told that this is dear
            set_off = "SET LOCAL enable_seqscan = off"
            explain = f"EXPLAIN {statement}"
            rows = box.house.run(
                lambda tx: [tx.connection.execute(text(one), values) for one in (set_off, explain)][1].all()
            )
            return "; ".join(row[0].replace("Seq Scan on queue", "SCAN queue") for row in rows)
        rows = box.house.run(lambda tx: tx.connection.execute(text(f"EXPLAIN QUERY PLAN {statement}"), values).all())
        return " ".join(str(line[3]) for line in rows)

    assert "ix_queue_due" in plan(sql.ENDPOINTS_WITH_WORK.text)
    assert "SCAN queue" not in plan(sql.ENDPOINTS_WITH_WORK.text).replace("USING COVERING INDEX", "")
    if database == "sqlite":
        assert "ix_queue_leased" in plan(sql.LEASED.text)


def test_a_claim_fits_once_and_a_fence_grows_with_every_claim(box):
    box.add([row(1)])
    [seen] = box.due([Share("ep_1", 1)], now=10)
    first = box.lease(seen)
    assert (first.status, first.fence, first.attempts) == ("leased", 1, 1)
    assert box.lease(seen) is None
    assert box.all() == [first]
    box.settle([Settlement(first, "pending", None, 10, 1, attempt(first))], 20)
    second = box.lease(box.all()[0])
    assert (second.fence, second.attempts) == (2, 2)
    assert box.end(first) is False
    assert box.all() == [second]
    assert box.end(second) is True
    assert box.end(second) is False


def test_of_many_claims_and_settlements_each_fits_by_itself(box):
    box.add([row(nth) for nth in range(1, 200)])
    seen = box.due([Share("ep_1", 199)], now=10)
    taken = [box.lease(seen[nth]) for nth in (0, 70, 198)]
    leased = box.house.run(lambda tx: tx.outbox.lease([Lease(one, 15, one.id) for one in seen], now=10, worker="w"))
    assert [one.id for one in leased] == [one.id for one in seen if one.id not in {held.id for held in taken}]
    assert all(one.attempt_id == one.id for one in box.all() if one.id not in {held.id for held in taken})
    assert box.end(taken[1])
    ends = [Settlement(one, "delivered", None, None, 0, attempt(one)) for one in (*leased, *taken)]
    assert box.settle(ends, 20) == [True] * len(leased) + [True, False, True]
    assert {one.status for one in box.all()} == {"delivered"}
    assert box.lease(seen[0]) is None
    assert box.settle([], 20) == []


def test_a_settlement_is_written_with_its_attempt_or_not_at_all(box):
    box.add([row(1)])
    leased = box.lease(box.all()[0])
    told = attempt(leased, timings=Timings(dns_ms=1.5), request=b"{}", response=None, status_code=200, detail="d")
    assert box.settle([Settlement(leased, "pending", "why", 99, 3, told)], 20) == [True]
    [after] = box.all()
    assert (after.status, after.reason, after.due_at, after.steps, after.settled_at) == ("pending", "why", 99, 3, None)
    assert box.attempts_of(["dlv_1", "dlv_gone"]) == {"dlv_1": [structs.replace(told, position=1)]}
    with pytest.raises(TWICE):
        box.settle([Settlement(box.lease(after), "delivered", None, None, 0, told)], 20)
    assert box.all()[0].status == "leased"


def lane(box, count=3, name="lane", start=1):
    box.add([row(nth, lane=name) for nth in range(start, start + count)])


def test_only_the_head_of_a_lane_is_due_and_its_end_releases_the_next(box):
    lane(box)
    assert box.due_ids() == ["dlv_1"]
    box.end(box.all()[0], "pending", due_at=30)
    assert box.due_ids() == ["dlv_1"]
    for number, status in enumerate(ENDED[:2], start=1):
        box.end(box.all()[number - 1], status)
        assert box.due_ids() == [f"dlv_{number + 1}"]
        assert box.all()[number].due_at == 20


def test_lanes_do_not_wait_for_each_other_nor_for_another_endpoints(box):
    lane(box, 2, "a")
    lane(box, 2, "b", start=3)
    box.add([row(5, "ep_2", lane="a"), row(6)])
    assert box.due_ids() == ["dlv_1", "dlv_3", "dlv_6"]
    assert box.due_ids("ep_2") == ["dlv_5"]


def test_a_held_or_leased_head_is_still_the_head(box):
    lane(box, 1)
    box.follow("hold", "ep_1", "why")
    lane(box, 1, start=2)
    assert box.due_ids() == []
    box.follow("release", "ep_1")
    assert box.due_ids() == ["dlv_1"]
    box.lease(box.all()[0])
    lane(box, 1, start=3)
    assert box.due_ids() == []


def test_holding_and_releasing_keeps_due_times_and_lanes(box):
    lane(box)
    box.add([row(9, due_at=77)])
    before = box.all()
    box.follow("hold", "ep_1", "why")
    assert {(one.status, one.reason) for one in box.all()} == {("held", "why")}
    box.follow("hold", "ep_1", "another")
    assert {(one.status, one.reason) for one in box.all()} == {("held", "another")}
    box.follow("hold", "ep_2", "why")
    box.follow("release", "ep_1")
    assert box.all() == before


def test_holding_what_is_due_leaves_what_is_held_for_another_reason_as_it_is(box):
    box.add([row(1)])
    box.follow("hold", "ep_1", "first")
    box.add([row(2), row(3)])
    counts = [box.house.run(lambda tx: tx.following.hold_due("ep_1", "second", limit=1)) for _ in range(3)]
    assert counts == [1, 1, 0]
    assert [one.reason for one in box.all()] == ["first", "second", "second"]


def test_cancelling_what_waits_leaves_what_is_under_way_or_has_ended(box):
    lane(box, 2)
    box.add([row(nth) for nth in (3, 4, 5)])
    box.lease(box.all()[2])
    box.end(box.all()[3])
    box.follow("cancel", "ep_1", "gone")
    after = {one.id: (one.status, one.reason) for one in box.all()}
    assert after["dlv_1"] == after["dlv_2"] == after["dlv_5"] == ("cancelled", "gone")
    assert (after["dlv_3"][0], after["dlv_4"]) == ("leased", ("delivered", None))


def log_events(box, *subjects):
    """Write the events that rows 1, 2, ... are about."""
    made = [
        Entry(structs.replace(events.event("affiliate.updated", nth=nth), id=f"evt_{nth}", subject_id=name), {})
        for nth, name in enumerate(subjects, start=1)
    ]
    box.house.run(lambda tx: tx.log.append(made))


def test_leaving_lanes_makes_everything_due_and_entering_them_one_per_lane(box):
    lane(box, 2)
    box.follow("leave_lanes", "ep_1")
    assert [(one.lane, one.due_at) for one in box.all()] == [(None, 10), (None, box.house.clock.now())]
    log_events(box, "a", "a", "b", "b")
    box.add([row(3, status="held"), row(4), row(5, "ep_2")])
    box.follow("enter_lanes", "ep_1")
    assert [(one.lane, one.due_at) for one in box.all()] == [("a", 10), ("a", None), ("b", 10), ("b", None), (None, 10)]


def test_entering_lanes_leaves_alone_what_has_ended_or_is_under_way(box):
    log_events(box, "a", "a", "a")
    box.add([row(nth) for nth in (1, 2, 3)])
    box.end(box.all()[0])
    leased = box.lease(box.all()[2])
    box.follow("enter_lanes", "ep_1")
    assert [(one.status, one.lane, one.due_at) for one in box.all()] == [
        ("delivered", None, None),
        ("pending", "a", 10),
        ("leased", "a", leased.due_at),
    ]


STEPS = [
    "end",
    "retry",
    "cancel",
    "hold",
    "release",
    "claim",
    "late",
    "add",
    "replay",
    "enter",
    "leave",
    "piece",
    "piece",
]


@pytest.mark.slow
@given(st.lists(st.sampled_from(STEPS), max_size=25))
@settings(deadline=None, max_examples=40)
def test_a_lane_never_gets_stuck_whatever_happens(steps):
    box, claims = Box(), []
    log_events(box, *["a"] * 99)
    for nth, step in enumerate(["add", "add", *steps], start=1):
        act(box, step, nth, claims)
    box.follow("release", "ep_1")
    for _ in range(200):
        waiting = box.due([Share("ep_1", 1)], now=10**15) or box.leases()
        if not waiting:
            break
        box.end(waiting[0])
    assert {one.status for one in box.all()} <= set(ENDED)


def act(box, step, nth, claims):
    """Do one thing; `claims` are leased deliveries as their claimer saw them, which may be out of date."""
    waiting = [one for one in box.all() if one.status in {"pending", "held"}]
    due = box.due([Share("ep_1", 1)], now=10**15) if "ep_1" in box.endpoints_with_work() else []
    ended = [one for one in box.all() if one.status in ENDED]
    if step == "add":
        box.add([row(3 * nth + more, lane="a" if box.ordered else None) for more in (0, 1)])
    elif step in {"hold", "release"}:
        box.decide("hold", "ep_1", "why") if step == "hold" else box.decide("release", "ep_1")
    elif step in {"enter", "leave"}:
        box.ordered = step == "enter"
        box.decide(f"{step}_lanes", "ep_1")
    elif step == "piece":
        box.piece(limit=1)
    elif step == "cancel" and waiting:
        box.put(structs.replace(waiting[0], status="cancelled", settled_at=10))
        box.release_lane(waiting[0], 10)
    elif step == "replay" and ended:
        due_at = None if box.must_wait(ended[0]) else 10
        box.put(structs.replace(ended[0], status="pending", due_at=due_at, settled_at=None))
    elif step == "claim" and due:
        claims.append(box.lease(due[0]))
    elif step == "late" and claims:
        box.end(claims.pop(0))
    elif step in {"end", "retry"} and due:
        box.end(due[0], *(("pending", 30) if step == "retry" else ("exhausted",)))


def test_leases_are_found_once_they_are_over(box):
    box.add([row(1)])
    box.lease(box.all()[0], now=10)
    assert [one.id for one in box.leases()] == ["dlv_1"]
    assert box.leases(expired_at=15) == []
    assert [one.id for one in box.leases(expired_at=16)] == ["dlv_1"]


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(0, 30)), max_size=30), st.integers(1, 9))
@settings(deadline=None, max_examples=40)
def test_only_what_has_ended_long_enough_ago_is_forgotten(rows, limit):
    box = Box()
    made = [
        row(
            nth,
            status=status,
            settled_at=at if status in ENDED else None,
            leased_by="w" if status == "leased" else None,
            created_at=0,
        )
        for nth, (status, at) in enumerate(rows)
    ]
    box.add(made) if made else None
    old = {one.id for one in made if one.settled_at is not None and one.settled_at < 15}
    forgotten = 0
    while count := box.forget(15, limit=limit):
        assert count <= limit
        forgotten += count
    assert forgotten == len(old)
    assert {one.id for one in box.all()} == {one.id for one in made} - old


def test_a_forgotten_deliverys_attempts_go_with_it_and_a_replayed_ones_stay(box):
    box.add([row(1), row(2)])
    for one in box.all():
        box.end(one)
    replayed = box.all()[1]
    box.put(structs.replace(replayed, status="pending", settled_at=None))
    assert box.forget(10**15, limit=9) == 1
    assert list(box.attempts_of(["dlv_1", "dlv_2"])) == ["dlv_2"]


def test_bodies_are_dropped_and_the_rest_of_an_attempt_stays(box):
    box.add([row(1)])
    leased = box.lease(box.all()[0])
    box.settle([Settlement(leased, "delivered", None, None, 0, attempt(leased, request=b"{}", response=b"{}"))], 20)
    box.forget_bodies_of("dlv_1")
    [kept] = box.attempts_of(["dlv_1"])["dlv_1"]
    assert (kept.request, kept.response, kept.outcome) == (None, None, "ok")


@pytest.mark.slow
@given(st.integers(1, 4), st.lists(st.integers(0, 3), max_size=5))
@settings(deadline=None, max_examples=40)
def test_a_paged_history_is_stable_while_rows_are_added(limit, additions):
    box, made = Box(), iter(range(1, 1000))

    def add(count):
        for _ in range(count):
            box.add([row(next(made))])

    add(9)
    expected = [f"dlv_{nth}" for nth in range(9, 0, -1)]
    seen, before = [], None
    for extra in [*additions, *([0] * 20)]:
        page = box.page("org_1", before=before, limit=limit)
        if not page:
            break
        seen += [one.id for one in page]
        before = page[-1].position
        add(extra)
    assert seen == expected


def test_a_history_is_filtered_and_counted(box):
    box.add([row(1), row(2, "ep_2", status="held"), row(3, created_at=50), row(4, organization_id="org_2")])

    def ids(**columns):
        return [one.id for one in box.page("org_1", before=None, limit=9, **columns)]

    assert ids(status=None, endpoint_id=None, event_id=None, since=None) == ["dlv_3", "dlv_2", "dlv_1"]
    assert ids(status="held") == ids(endpoint_id="ep_2") == ["dlv_2"]
    assert ids(since=50) == ids(event_id="evt_3") == ["dlv_3"]
    assert box.counts("org_1") == {"pending": 2, "held": 1}
    assert box.counts() == {"pending": 3, "held": 1}
