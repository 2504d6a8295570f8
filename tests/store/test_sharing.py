"""Several processes on one PostgreSQL: what they must not do to each other. Each engine here stands for a process."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from test_outbox import attempt, row

from affwire.errors import Conflict
from affwire.model.events import Actor
from affwire.plugins import load_dialects
from affwire.services import affiliates, organizations
from affwire.services.actions import Caller
from affwire.services.events import acting
from affwire.store.queued import Lease, Settlement, Share
from affwire.testing.store_suite import Held

WAIT_S = 20
FIELDS = {"slug": "acme", "name": "Acme", "timezone": "UTC", "unlimited_endpoints": True}


@pytest.fixture
def organization(processes):
    return processes[0].submit(lambda tx: organizations.create(tx, FIELDS)).result(WAIT_S)[0]


def read(store, work):
    return store._engine.read(work).result(WAIT_S)


def create(organization, dialects, email):
    def work(tx):
        with acting(tx, Caller(organization.id, Actor("operator")), dialects) as action:
            return affiliates.create(action, {"email": email})

    return work


def test_of_two_who_take_the_same_address_at_once_one_is_told_that_it_is_taken(processes, organization):
    dialects = load_dialects()
    for number in range(20):
        works = [store.submit(create(organization, dialects, f"a{number}@example.org")) for store in processes]
        errors = [future.exception(WAIT_S) for future in works]
        assert sorted(type(error) for error in errors if error) == [Conflict], errors


def test_who_follows_the_log_misses_nothing_while_two_write(processes, organization):
    dialects, done = load_dialects(), threading.Event()

    def follow():
        seen, last = [], False
        while True:
            after = seen[-1] if seen else 0
            page = read(processes[0], lambda tx, after=after: tx.log.page(organization.id, after=after, limit=7))
            seen += [entry.event.position for entry in page]
            if last and not page:
                return seen
            last = done.is_set()

    def write(store, name):
        futures = [store.submit(create(organization, dialects, f"{name}{n}@example.org")) for n in range(150)]
        return [future.result(WAIT_S) for future in futures]

    with ThreadPoolExecutor(3) as pool:
        following = pool.submit(follow)
        for future in [pool.submit(write, store, name) for store, name in zip(processes, "ab", strict=True)]:
            future.result(60)
        done.set()
        assert len(following.result(WAIT_S)) == 300


@contextmanager
def lingering(store, work):
    """Carry out a work that stays in its transaction until the block ends; yield its future."""
    held = Held()

    def slowly(tx):
        result = work(tx)
        held(tx)
        return result

    future = store.submit(slowly)
    assert held.entered.wait(WAIT_S)
    try:
        yield future
    finally:
        held.gone.set()
    future.result(WAIT_S)


def test_attempts_are_followed_only_as_far_as_no_earlier_one_can_still_come(processes):
    one, other = processes
    for store in (one, other):
        store.submit(lambda tx: tx.outbox.add([])).result(WAIT_S)
    one.submit(lambda tx: tx.outbox.add([row(1), row(2)])).result(WAIT_S)
    claimed = one.submit(lambda tx: lease(tx, tx.outbox.due([Share("ep_1", 2)], now=10))).result(WAIT_S)
    organization_id = claimed[0].organization_id
    with lingering(one, lambda tx: settle(tx, claimed[0])):
        other.submit(lambda tx: settle(tx, claimed[1])).result(WAIT_S)
        assert read(other, lambda tx: tx.attempts.page(organization_id, after=0, limit=9)) == []
        assert read(other, lambda tx: tx.attempts.last_position(organization_id)) == 0
    threading.Event().wait(0.01)
    tried = read(other, lambda tx: tx.attempts.page(organization_id, after=0, limit=9))
    assert [delivery.id for _, delivery in tried] == [one.id for one in claimed]


def test_an_endpoint_that_one_process_claims_for_is_left_to_it(processes):
    one, other = processes
    one.submit(lambda tx: tx.outbox.add([row(1)])).result(WAIT_S)
    with lingering(one, lambda tx: tx.outbox.ours_to_claim(["ep_1"])) as claiming:
        assert other.submit(lambda tx: tx.outbox.ours_to_claim(["ep_1", "ep_2"])).result(WAIT_S) == ["ep_2"]
    assert claiming.result(WAIT_S) == ["ep_1"]
    assert other.submit(lambda tx: tx.outbox.ours_to_claim(["ep_1"])).result(WAIT_S) == ["ep_1"]


@pytest.fixture
def head(processes):
    """The first delivery of a lane, under way."""
    one, _ = processes
    one.submit(lambda tx: tx.outbox.add([row(1, lane="aff_1")])).result(WAIT_S)
    [head] = one.submit(lambda tx: lease(tx, tx.outbox.due([Share("ep_1", 1)], now=10))).result(WAIT_S)
    return head


def test_what_follows_in_a_lane_is_released_however_its_end_and_its_arrival_meet(processes, head):
    one, other = processes
    with lingering(one, lambda tx: settle(tx, head)):
        arriving = other.submit(lambda tx: tx.outbox.add([row(2, lane="aff_1")]))
        threading.Event().wait(0.1)
    arriving.result(WAIT_S)
    [following] = other.submit(lambda tx: tx.outbox.due([Share("ep_1", 9)], now=10**15)).result(WAIT_S)
    assert following.event_id == row(2).event_id


def test_who_arrives_in_a_lane_first_is_seen_by_who_ends_its_head(processes, head):
    one, other = processes
    with lingering(other, lambda tx: tx.outbox.add([row(2, lane="aff_1")])):
        ending = one.submit(lambda tx: settle(tx, head))
        threading.Event().wait(0.1)
        assert not ending.done()
    ending.result(WAIT_S)
    [following] = other.submit(lambda tx: tx.outbox.due([Share("ep_1", 9)], now=10**15)).result(WAIT_S)
    assert following.event_id == row(2).event_id


def test_a_replay_and_a_claim_of_the_same_delivery_do_not_overwrite_each_other(processes):
    one, other = processes
    one.submit(lambda tx: tx.outbox.add([row(1)])).result(WAIT_S)
    [seen] = one.submit(lambda tx: tx.outbox.due([Share("ep_1", 1)], now=10)).result(WAIT_S)

    held = Held()

    def look_then_put(tx):
        found = tx.outbox.get(seen.organization_id, seen.id, lock=True)
        held(tx)
        tx.outbox.put(found)

    putting = one.submit(look_then_put)
    assert held.entered.wait(WAIT_S)
    assert other.submit(lambda tx: tx.outbox.due([Share("ep_1", 9)], now=10)).result(WAIT_S) == []
    held.gone.set()
    putting.result(WAIT_S)
    assert len(other.submit(lambda tx: lease(tx, [seen])).result(WAIT_S)) == 1


def test_what_only_one_should_do_is_done_by_one(processes):
    one, other = processes
    with lingering(one, lambda tx: tx.only_one("tidying")) as tidying:
        assert other.submit(lambda tx: tx.only_one("tidying")).result(WAIT_S) is False
    assert tidying.result(WAIT_S) is True


def lease(tx, rows):
    """Claim each for a worker of its own."""
    wanted = [(Lease(one, 10**15, f"att_{one.position}"), f"w{one.position}") for one in rows]
    return [leased for lease, worker in wanted for leased in tx.outbox.lease([lease], now=10, worker=worker)]


def settle(tx, delivery):
    return tx.outbox.settle([Settlement(delivery, "delivered", None, None, 0, attempt(delivery))], 20)
