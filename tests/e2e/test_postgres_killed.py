"""PostgreSQL itself killed during traffic, all of its processes at once: what was accepted is there, and is delivered."""

import signal
import time

import httpx2
import pytest
from installation import MASTER_KEY, Installation, Worker, eventually
from servers import SAFE, Cluster
from test_kill import Writer
from test_workers import IN_FLIGHT, POLICY, books, check, unfinished

from affwire.engine.janitor import ROUND_MS

ROUNDS = 5


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
    house = Installation(
        tmp_path,
        receiver.ca_file,
        AFFWIRE_DATABASE_URL=cluster.url,
        AFFWIRE_MASTER_KEY=MASTER_KEY,
    )
    worker = None
    try:
        client = house.start().organization()
        worker = Worker(house, tmp_path / "worker").ready()
        for path in ("/in", "/also"):
            body = {"url": receiver.url(path), "dialect": "standard", "policy": POLICY}
            assert client.post("/v1/endpoints", json=body).status_code == 201
        program_id = client.post("/v1/programs", json={"name": "Spring"}).json()["id"]
        writers = [Patient(n, house.client(client.headers["Authorization"][7:]), program_id) for n in range(3)]
        for writer in writers:
            writer.start()
        for _ in range(ROUNDS):
            had = sum(len(writer.accepted) for writer in writers)
            eventually(lambda had=had: sum(len(writer.accepted) for writer in writers) > had + 10, 20, "traffic")
            cluster.kill()
            cluster.start()
        for writer in writers:
            writer.running = False
        for writer in writers:
            writer.join()
        eventually(lambda: not unfinished(house), 60 + ROUND_MS / 1000, "the drain")
        accepted = {affiliate_id for writer in writers for affiliate_id in writer.accepted}
        assert len(accepted) == sum(len(writer.accepted) for writer in writers) > 3
        found = books(house)
        check(found, receiver, accepted)
        assert found[2]["unknown"] <= ROUNDS * 2 * IN_FLIGHT, "no more than were under way (I4)"
        assert house.stop() == 0
        assert worker.end(signal.SIGTERM) == 0
    finally:
        if worker is not None and worker.process.poll() is None:
            worker.end()
        house.close()
        cluster.close()
