"""The mails' book: pages, what is due, and a fence that a stale claim does not pass; on PostgreSQL nobody takes another's."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec import structs

from affwire.model.mail import Mail, MailAttempt
from affwire.testing.house import MemoryHouse

WAIT_S = 20


def mail(number, **fields):
    given = {
        "id": f"mail_{number:04}",
        "organization_id": "org_1",
        "kind": "confirm",
        "affiliate_id": f"aff_{number}",
        "program_id": "prg_1",
        "address": f"ada{number}@example.com",
        "due_at": 1_000,
        "written_at": 1_000,
        "created_at": 1_000,
    }
    return Mail(**{**given, **fields})


@pytest.fixture
def house():
    return MemoryHouse()


def put(house, *mails):
    for one in mails:
        house.run(lambda tx, one=one: tx.mails.insert(one))


def test_a_mail_comes_back_as_it_was(house):
    one = mail(1, status="failed", reason="550", attempts=2, steps=2, fence=4, leased_at=5, settled_at=9)
    put(house, one)
    assert house.run(lambda tx: tx.mails.get("org_1", one.id)) == one
    assert house.run(lambda tx: tx.mails.get("org_2", one.id)) is None


def test_pages_go_from_the_newest_to_the_oldest_and_filters_match_all(house):
    put(house, *(mail(number, status="sent" if number % 2 else "unsent") for number in range(5)))

    def page(**how):
        return [one.id for one in house.run(lambda tx: tx.mails.page("org_1", **{"before": None, "limit": 9, **how}))]

    assert page(limit=2) == ["mail_0004", "mail_0003"]
    assert page(before="mail_0003", status="unsent") == ["mail_0002", "mail_0000"]
    assert page(status=None, affiliate_id="aff_1") == ["mail_0001"]
    assert page(program_id="prg_2") == []


def test_due_is_what_waits_no_longer_and_what_was_leased_for_too_long(house):
    put(house, mail(1), mail(2, due_at=3_000), mail(3, status="leased", due_at=2_000), mail(4, status="sent"))
    for now, ids in ((999, []), (1_000, [1]), (2_000, [1, 3]), (9_000, [1, 3, 2])):
        found = house.run(lambda tx, now=now: tx.mails.due(now, 10))
        assert [one.id for one in found] == [f"mail_{number:04}" for number in ids]
        assert house.run(lambda tx, now=now: tx.mails.any_due(now)) == bool(ids)


def test_a_mail_is_changed_under_its_own_fence_only(house):
    put(house, mail(1, fence=3))
    changed = mail(1, fence=4, status="sent")
    assert not house.run(lambda tx: tx.mails.update(changed, fence=2))
    assert house.run(lambda tx: tx.mails.get("org_1", changed.id)).status == "unsent"
    assert house.run(lambda tx: tx.mails.update(changed, fence=3))
    assert house.run(lambda tx: tx.mails.get("org_1", changed.id)) == changed


def test_a_persons_mails_go_with_their_attempts_and_nobody_elses(house):
    put(house, mail(1), mail(2))
    attempts = [
        MailAttempt(mail_id=one, number=1, started_at=1, ended_at=2, outcome="ok") for one in ("mail_0001", "mail_0002")
    ]
    house.run(lambda tx: [tx.mails.record(one) for one in attempts])
    house.run(lambda tx: tx.mails.forget_person("aff_1"))
    assert house.run(lambda tx: tx.mails.attempts("mail_0001")) == []
    assert house.run(lambda tx: tx.mails.attempts("mail_0002")) == [attempts[1]]


def test_two_workers_never_take_the_same_mail(processes):
    processes[0].submit(lambda tx: [tx.mails.insert(mail(number)) for number in range(200)]).result(WAIT_S)

    def take(tx):
        taken = tx.mails.due(tx.now, 5)
        for one in taken:
            tx.mails.update(structs.replace(one, status="sent", fence=1), fence=0)
        return [one.id for one in taken]

    def worker(store):
        taken = []
        while batch := store.submit(take).result(WAIT_S):
            taken += batch
        return taken

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(worker, processes)
    assert sorted(first + second) == [f"mail_{number:04}" for number in range(200)]
