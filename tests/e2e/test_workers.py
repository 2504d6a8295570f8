"""Workers on PostgreSQL, killed and stopped during traffic: nothing is lost, nothing is said more often than that explains."""

import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx2
import psycopg
import pytest
from installation import HURRIED, HttpsReceiver, Installation, eventually
from test_kill import Writer

ROUNDS = 20
STOPS = 4
ROWS = "SELECT id, event_id, status FROM deliveries LEFT JOIN endings USING (position) ORDER BY position"
IN_FLIGHT = 5
"""To one endpoint, over all workers: so many may arrive once more for each that is killed (I4)."""
POLICY = {
    "total_timeout": 1,
    "read_timeout": 1,
    "connect_timeout": 1,
    "max_in_flight": IN_FLIGHT,
    "retry_schedule": [0.1] * 50,
}
PATIENT = {**POLICY, "total_timeout": 20, "read_timeout": 20, "connect_timeout": 20}
"""Where no crash is meant, a slow machine shall not look like one."""


@pytest.mark.slow
def test_workers_that_are_killed_or_stopped_during_traffic_lose_nothing(house, hire, receiver: HttpsReceiver) -> None:
    dice = random.Random(15)
    client = house.start().organization()
    receiver.answers["/flaky"] = lambda before: 500 if before % 5 == 0 else 200
    for path, policy in (("/in", {}), ("/flaky", {"ordering": "affiliate"})):
        body = {"url": receiver.url(path), "dialect": "standard", "policy": {**POLICY, **policy}}
        assert client.post("/v1/endpoints", json=body).status_code == 201
    program_id = client.post("/v1/programs", json={"name": "Spring"}).json()["id"]
    writers = [Writer(number, house.client(client.headers["Authorization"][7:]), program_id) for number in range(3)]
    paused, *workers = [hire(HURRIED) for _ in range(1 + 3)]
    for worker in (paused, *workers):
        worker.ready()
    for writer in writers:
        writer.start()
    eventually(lambda: '"delivery.attempted"' in paused.log.read_text(), 30, "the paused one's part in it")
    paused.process.send_signal(signal.SIGSTOP)  # for longer than its leases last
    for nth in range(ROUNDS):
        worker = workers[nth % 3].ready()
        time.sleep(dice.uniform(0.05, 0.3))
        worker.end()
        workers[nth % 3] = hire(HURRIED)
    for writer in writers:
        writer.running = False
    for writer in writers:
        writer.join()
    eventually(lambda: not unfinished(house), 60, "the drain")
    accepted = {affiliate_id for writer in writers for affiliate_id in writer.accepted}
    assert len(accepted) == sum(len(writer.accepted) for writer in writers) > ROUNDS
    before = books(house)
    paused.process.send_signal(signal.SIGCONT)
    threading.Event().wait(1)
    assert books(house) == before, "what comes too late changes nothing (I5)"
    assert [worker.ready().end(signal.SIGTERM) for worker in (paused, *workers)] == [0] * 4
    check(before, receiver, accepted)
    assert 0 < before[2]["unknown"] <= (ROUNDS + 1) * 2 * IN_FLIGHT, "one for each that was under way at a crash (I4)"


@pytest.mark.slow
def test_workers_that_are_told_to_stop_under_load_hand_over_without_saying_anything_twice(
    house, hire, receiver
) -> None:
    receiver.seconds = 0.05  # so that something is under way at every stop
    client = house.start().organization()
    for path in ("/in", "/also"):
        body = {"url": receiver.url(path), "dialect": "standard", "policy": PATIENT}
        assert client.post("/v1/endpoints", json=body).status_code == 201
    program_id = client.post("/v1/programs", json={"name": "Spring"}).json()["id"]
    writers = [Writer(number, house.client(client.headers["Authorization"][7:]), program_id) for number in range(2)]
    workers = [hire(HURRIED), hire(HURRIED)]
    for writer in writers:
        writer.start()
    for nth in range(STOPS):
        worker = workers[nth % 2].ready()
        seen = len(receiver.seen)
        eventually(lambda seen=seen: len(receiver.seen) > seen + 2 * IN_FLIGHT, 30, "traffic")
        assert worker.end(signal.SIGTERM) == 0
        workers[nth % 2] = hire(HURRIED)
    for writer in writers:
        writer.running = False
    for writer in writers:
        writer.join()
    eventually(lambda: not unfinished(house), 60, "the drain")
    found = books(house)
    check(found, receiver, {affiliate_id for writer in writers for affiliate_id in writer.accepted})
    assert found[2] == {"ok": len(found[1])}, "each was tried once (I4)"
    assert len(receiver.seen) == len(found[1])


@pytest.mark.slow
def test_one_idempotency_key_at_two_servers_at_once_has_one_effect(house, receiver, tmp_path) -> None:
    (tmp_path / "other").mkdir()
    other = Installation(tmp_path / "other", receiver.ca_file)
    shared = {name: house.environment[name] for name in ("AFFWIRE_DATABASE_URL", "AFFWIRE_MASTER_KEY")}
    other.environment |= shared
    other.arguments = house.arguments
    try:
        client = house.start().organization()
        key = client.headers["Authorization"][7:]
        clients = [client, other.start().client(key)]

        def create(nth: int) -> httpx2.Response:
            body = {"email": f"a{nth // 8}@example.org"}
            return clients[nth % 2].post("/v1/affiliates", json=body, headers={"Idempotency-Key": f"key-{nth // 8}"})

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(create, range(10 * 8)))
        assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
        ids = [answer.json()["id"] for answer in answers]
        assert [len(set(ids[nth : nth + 8])) for nth in range(0, 80, 8)] == [1] * 10
        events, *_ = books(house)
        assert Counter(events.values()) == dict.fromkeys(ids, 1)
    finally:
        other.close()


def unfinished(house: Installation) -> int:
    """Return how many deliveries are not at their end: one statement, or one that moves meanwhile is seen nowhere."""
    with psycopg.connect(house.environment["AFFWIRE_DATABASE_URL"]) as book:
        return int(book.execute("SELECT count(*) FROM queue").fetchone()[0])


def books(house: Installation):
    with psycopg.connect(house.environment["AFFWIRE_DATABASE_URL"]) as book:
        events = dict(book.execute("SELECT id, affiliate_id FROM events").fetchall())
        rows = book.execute(ROWS).fetchall()
        outcomes = Counter(kind for (kind,) in book.execute("SELECT outcome FROM attempts"))
    return events, rows, outcomes


def check(found, receiver: HttpsReceiver, accepted: set[str], each: int = 2) -> None:
    events, rows, outcomes = found
    assert accepted <= set(events.values()), "an accepted affiliate has no event"
    assert {status for *_, status in rows} == {"delivered"}
    assert Counter(event_id for _, event_id, _ in rows) == dict.fromkeys(events, each), (
        "each event once to each endpoint"
    )
    arrived = Counter((seen.path, seen.headers["webhook-id"]) for seen in receiver.seen)
    assert {event_id for _, event_id in arrived} == set(events)
    extra = sum(arrived.values()) - len(rows)
    assert extra <= outcomes["failed"] + outcomes["unknown"], "more repeats than failures and crashes explain (I4)"
