"""kill -9 during traffic, again and again: what was accepted is there and delivered, and nothing is said too often (F1-F5)."""

import contextlib
import random
import sqlite3
import threading
from collections import Counter
from typing import Any

import httpx2
import pytest
from installation import HttpsReceiver, Installation, eventually

ROUNDS = 25
WRITERS = 4


class Writer(threading.Thread):
    """A client that creates affiliates one after another; each has an Idempotency-Key, so a cut answer is asked again."""

    def __init__(self, number: int, client: httpx2.Client, program_id: str) -> None:
        super().__init__(daemon=True)
        self.number, self.client, self.program_id = number, client, program_id
        self.accepted: list[str] = []
        self.asked = 0
        self.running = True

    def run(self) -> None:
        while self.running:
            self.asked += 1
            self._ask({"email": f"w{self.number}-{self.asked}@example.org", "program_id": self.program_id})

    def _ask(self, body: dict[str, Any]) -> None:
        key = {"Idempotency-Key": body["email"]}
        while self.running:
            try:
                answer = self.client.post("/v1/affiliates", json=body, headers=key)
            except httpx2.TransportError:
                threading.Event().wait(0.02)
                continue
            assert answer.status_code == 201, answer.text
            self.accepted.append(answer.json()["id"])
            return


@pytest.mark.slow
@pytest.mark.parametrize("part", ["first half", "second half"])
def test_nothing_accepted_is_lost_over_50_rounds_of_kill_9(
    part: str, receiver: HttpsReceiver, installation: Installation
) -> None:
    dice, tempers = random.Random(part), random.Random(part)
    # Not each fifth: at a rate of 80 a second that is time after time the retry of the one that failed.
    receiver.answers["/flaky"] = lambda _: 500 if tempers.random() < 0.2 else 200
    client = installation.start().organization()
    for path, policy in (("/in", {}), ("/flaky", {"retry_schedule": [0.05] * 20, "ordering": "affiliate"})):
        body = {"url": receiver.url(path), "dialect": "standard", "policy": policy}
        assert client.post("/v1/endpoints", json=body).status_code == 201
    program_id = client.post("/v1/programs", json={"name": "Spring"}).json()["id"]
    writers = [
        Writer(number, installation.client(client.headers["Authorization"][7:]), program_id)
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for _ in range(ROUNDS):
        threading.Event().wait(dice.uniform(0.05, 0.5))
        installation.kill()
        installation.start()
    for writer in writers:
        writer.running = False
    for writer in writers:
        writer.join()
    eventually(lambda: not unfinished(installation), 300, "the drain")  # what was cut off often waits longer
    accepted = {affiliate_id for writer in writers for affiliate_id in writer.accepted}
    assert len(accepted) == sum(len(writer.accepted) for writer in writers) > ROUNDS
    assert installation.stop() == 0
    check_books(installation, receiver, accepted)


def unfinished(installation: Installation) -> int:
    """Return how many deliveries are not at their end: one statement, or one that moves meanwhile is seen nowhere."""
    with contextlib.closing(sqlite3.connect(installation.data_dir / "affwire.db")) as book:
        return int(book.execute("SELECT count(*) FROM queue").fetchone()[0])


def check_books(installation: Installation, receiver: HttpsReceiver, accepted: set[str]) -> None:
    with contextlib.closing(sqlite3.connect(installation.data_dir / "affwire.db")) as book:
        assert book.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        events = dict(book.execute("SELECT id, affiliate_id FROM events").fetchall())
        rows = book.execute(
            "SELECT id, event_id, endings.reason, status FROM deliveries LEFT JOIN endings USING (position)"
        ).fetchall()
        outcomes = Counter(kind for (kind,) in book.execute("SELECT outcome FROM attempts"))
    assert accepted <= set(events.values()), "an accepted affiliate has no event"
    assert len(set(events.values())) - 1 >= len(accepted)
    assert [row for row in rows if row[-1] != "delivered"] == []
    assert Counter(event_id for _, event_id, *_ in rows) == dict.fromkeys(events, 2), "each event once to each endpoint"
    arrived = Counter((seen.path, seen.headers["webhook-id"]) for seen in receiver.seen)
    assert {event_id for _, event_id in arrived} == set(events)
    assert len(arrived) == len(rows)
    extra = sum(arrived.values()) - len(rows)
    assert extra <= outcomes["failed"] + outcomes["unknown"], "more repeats than failures and crashes explain (I4)"
    assert outcomes["ok"] + outcomes["failed"] <= sum(arrived.values()) <= sum(outcomes.values())
