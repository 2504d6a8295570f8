"""Workers on PostgreSQL, killed and stopped during traffic: nothing is lost, nothing is said more often than that explains."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import psycopg
import pytest
from installation import HttpsReceiver, Installation, eventually
from servers import SAFE, Cluster
from test_kill import Writer, unfinished

from affwire.engine.janitor import ROUND_MS

ROUNDS = 6
POLICY = {"total_timeout": 1, "read_timeout": 1, "connect_timeout": 1}


class Worker:
    """A process that only delivers."""

    def __init__(self, number: int, house: Installation, folder: Path) -> None:
        environment = {**house.environment, "AFFWIRE_DATA_DIR": str(folder / f"worker-{number}")}
        command = [sys.executable, "-m", "affwire", "worker", "--json"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=house.log)
        assert self.process.stdout.readline(), f"the worker ended at its start; see {house.log.name}"

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.process.stdout.close()
        return code


@pytest.fixture
def house(tmp_path, receiver, schemas):
    installation = Installation(
        tmp_path,
        receiver.ca_file,
        AFFWIRE_DATABASE_URL=schemas.new(),
        AFFWIRE_MASTER_KEY="the same on every machine, and long",
    )
    installation.arguments = ("--no-worker",)
    yield installation
    installation.close()


@pytest.fixture
def hire(house, tmp_path):
    hired = []

    def one() -> Worker:
        hired.append(Worker(len(hired), house, tmp_path))
        return hired[-1]

    yield one
    for worker in hired:
        if worker.process.poll() is None:
            worker.end()


@pytest.mark.slow
def test_workers_that_are_killed_or_stopped_during_traffic_lose_nothing(house, hire, receiver: HttpsReceiver) -> None:
    dice = random.Random(15)
    client = house.start().organization()
    receiver.answers["/flaky"] = lambda before: 500 if before % 5 == 0 else 200
    for path, policy in (("/in", {}), ("/flaky", {"retry_schedule": [0.05] * 8, "ordering": "affiliate"})):
        body = {"url": receiver.url(path), "dialect": "standard", "policy": {**POLICY, **policy}}
        assert client.post("/v1/endpoints", json=body).status_code == 201
    program_id = client.post("/v1/programs", json={"name": "Spring"}).json()["id"]
    writers = [Writer(number, house.client(client.headers["Authorization"][7:]), program_id) for number in range(3)]
    workers = [hire() for _ in range(3)]
    for writer in writers:
        writer.start()
    paused = workers[0]
    paused.process.send_signal(signal.SIGSTOP)  # for longer than its leases last
    for _ in range(ROUNDS):
        time.sleep(dice.uniform(0.1, 0.6))
        workers[dice.choice((1, 2))].end()
        workers = [paused, *(one if one.process.poll() is None else hire() for one in workers[1:])]
    for writer in writers:
        writer.running = False
    for writer in writers:
        writer.join()
    eventually(lambda: not unfinished(client), 60 + ROUND_MS / 1000, "the drain")
    accepted = {affiliate_id for writer in writers for affiliate_id in writer.accepted}
    assert len(accepted) == sum(len(writer.accepted) for writer in writers) > ROUNDS
    before = books(house)
    paused.process.send_signal(signal.SIGCONT)
    threading.Event().wait(1)
    assert books(house) == before, "what comes too late changes nothing (I5)"
    assert [worker.end(signal.SIGTERM) for worker in workers] == [0, 0, 0]
    check(before, receiver, accepted)


@pytest.mark.slow
def test_a_worker_that_is_stopped_hands_over_without_saying_anything_twice(house, hire, receiver) -> None:
    client = house.start().organization()
    body = {"url": receiver.url(), "dialect": "standard", "policy": POLICY}
    assert client.post("/v1/endpoints", json=body).status_code == 201
    for number in range(3):
        worker = hire()
        for part in range(20):
            client.post("/v1/affiliates", json={"email": f"a{number}-{part}@example.org"})
        assert worker.end(signal.SIGTERM) == 0
    hire()
    eventually(lambda: not unfinished(client), 30, "the drain")
    assert len(receiver.seen) == len({seen.headers["webhook-id"] for seen in receiver.seen}) >= 60


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


class Patient(Writer):
    """A writer that asks again while the server says that it cannot store anything."""

    def _ask(self, body: dict[str, str]) -> None:
        key = {"Idempotency-Key": body["email"]}
        while self.running:
            try:
                answer = self.client.post("/v1/affiliates", json=body, headers=key)
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code == 201:
                self.accepted.append(answer.json()["id"])
                return
            assert answer is None or answer.status_code == 503, answer.text
            time.sleep(0.05)


@pytest.mark.slow
def test_a_database_that_is_killed_during_traffic_loses_nothing_that_was_accepted(tmp_path, receiver) -> None:
    cluster = Cluster(SAFE)
    house = Installation(tmp_path, receiver.ca_file, AFFWIRE_DATABASE_URL=cluster.url)
    try:
        client = house.start().organization()
        for path in ("/in", "/also"):
            body = {"url": receiver.url(path), "dialect": "standard", "policy": POLICY}
            assert client.post("/v1/endpoints", json=body).status_code == 201
        program_id = client.post("/v1/programs", json={"name": "Spring"}).json()["id"]
        writers = [Patient(n, house.client(client.headers["Authorization"][7:]), program_id) for n in range(3)]
        for writer in writers:
            writer.start()
        for _ in range(3):
            time.sleep(0.7)
            cluster.kill()
            time.sleep(0.3)
            cluster.start()
        time.sleep(0.7)
        for writer in writers:
            writer.running = False
        for writer in writers:
            writer.join()
        eventually(lambda: not unfinished(client), 60 + ROUND_MS / 1000, "the drain")
        accepted = {affiliate_id for writer in writers for affiliate_id in writer.accepted}
        assert len(accepted) == sum(len(writer.accepted) for writer in writers) > 3
        check(books(house), receiver, accepted)
        assert house.stop() == 0
    finally:
        house.close()
        cluster.close()


def books(house: Installation):
    with psycopg.connect(house.environment["AFFWIRE_DATABASE_URL"]) as book:
        events = dict(book.execute("SELECT id, affiliate_id FROM events").fetchall())
        rows = book.execute("SELECT id, event_id, status FROM deliveries ORDER BY position").fetchall()
        outcomes = Counter(kind for (kind,) in book.execute("SELECT outcome FROM attempts"))
    return events, rows, outcomes


def check(found, receiver: HttpsReceiver, accepted: set[str]) -> None:
    events, rows, outcomes = found
    assert accepted <= set(events.values()), "an accepted affiliate has no event"
    assert {status for *_, status in rows} == {"delivered"}
    assert Counter(event_id for _, event_id, _ in rows) == dict.fromkeys(events, 2), "each event once to each endpoint"
    arrived = Counter((seen.path, seen.headers["webhook-id"]) for seen in receiver.seen)
    assert {event_id for _, event_id in arrived} == set(events)
    extra = sum(arrived.values()) - len(rows)
    assert extra <= outcomes["failed"] + outcomes["unknown"], "more repeats than failures and crashes explain (I4)"
