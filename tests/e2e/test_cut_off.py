"""A worker that the network forgets, without a word to either side: the others take over, and what it learned is too late.

It runs in a network namespace of its own. To pull its cable means that packets vanish: nobody is told that anything ended.
"""

import os
import signal
import subprocess
import threading

import pytest
from installation import MASTER_KEY, HttpsReceiver, Installation, Worker, eventually
from servers import SAFE, Cluster
from test_workers import books, check, unfinished

from affwire.engine.janitor import ROUND_MS
from affwire.rules.retry import LEASE_MARGIN_MS

POLICY = {"total_timeout": 1, "read_timeout": 1, "connect_timeout": 1, "retry_schedule": [0.05] * 90}
TAKEN_OVER_S = (1000 + LEASE_MARGIN_MS + ROUND_MS) / 1000 + 10
ENDED_S = 60
NOTICED_S = 15 + 20
"""What is sent and not taken for 15 s ends a connection; the rest is for a slow machine."""


class Network:
    """A namespace whose one way out is a cable to `host`, an address of this machine."""

    def __init__(self) -> None:
        number = os.getpid() % 250
        self.name, self._cable = f"affwire-{os.getpid()}", f"aff{os.getpid()}"
        self.host, self._guest = f"10.217.{number}.1", f"10.217.{number}.2"
        self.allow = f"127.0.0.0/8,10.217.{number}.0/24"
        _ip("netns", "add", self.name)
        _ip("address", "replace", f"{self.host}/32", "dev", "lo")
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "cable", "netns", self.name)
        for command in (
            f"address add {self._guest}/32 dev cable",
            "link set lo up",
            "link set cable up",
            f"route add {self.host} dev cable",
        ):
            _ip("-n", self.name, *command.split())
        self.mend()

    @property
    def inside(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        _ip("link", "set", self._cable, "down")

    def mend(self) -> None:
        _ip("link", "set", self._cable, "up")
        _ip("route", "replace", self._guest, "dev", self._cable)

    def close(self) -> None:
        _ip("link", "delete", self._cable)
        _ip("netns", "delete", self.name)
        _ip("address", "delete", f"{self.host}/32", "dev", "lo")


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)


@pytest.fixture
def network():
    if os.geteuid() != 0:
        pytest.skip("network namespaces can be made by root alone: run the tests as root to see a worker cut off")
    network = Network()
    yield network
    network.close()


@pytest.fixture
def scene(network, tmp_path):
    """A database, a receiver and a server that the namespace reaches over its cable, and this machine without it."""
    cluster = Cluster({**SAFE, "listen_addresses": f"127.0.0.1,{network.host}"})
    with (cluster.folder / "data" / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 10.217.0.0/16 trust\n")
    cluster.kill()
    cluster.start()
    receiver = HttpsReceiver(tmp_path, network.host)
    house = Installation(
        tmp_path,
        receiver.ca_file,
        AFFWIRE_DATABASE_URL=cluster.url,
        AFFWIRE_MASTER_KEY=MASTER_KEY,
        AFFWIRE_ALLOW_NETWORKS=network.allow,
    )
    house.arguments = ("--no-worker",)
    yield cluster, receiver, house
    house.close()
    receiver.close()
    cluster.close()


@pytest.fixture
def hire(scene, network, tmp_path):
    """Return a function that starts a worker here ("local") or at the other end of the cable ("remote")."""
    cluster, _, house = scene
    url = cluster.url.replace("127.0.0.1", network.host)
    workers = []

    def one(where: str) -> Worker:
        under, settings = (network.inside, {"AFFWIRE_DATABASE_URL": url}) if where == "remote" else ((), {})
        workers.append(Worker(house, tmp_path / where, *under, **settings))
        return workers[-1].ready()

    yield one
    for worker in workers:
        if worker.process.poll() is None:
            worker.end()


@pytest.mark.slow
def test_what_a_worker_that_was_cut_off_learned_changes_nothing_and_it_goes_on_by_itself(scene, hire, network) -> None:
    _, receiver, house = scene
    client = house.start().organization()
    hangs = threading.Event()
    receiver.answers["/slow"] = lambda _: None if hangs.is_set() else 200
    for path in ("/in", "/slow"):
        body = {"url": receiver.url(path), "dialect": "standard", "policy": POLICY}
        assert client.post("/v1/endpoints", json=body).status_code == 201
    cut_off = hire("remote")
    join(client, "before")
    eventually(lambda: not unfinished(house), 30, "what it delivers with the cable in")
    hangs.set()
    accepted = {join(client, f"during-{n}") for n in range(5)}
    eventually(lambda: sum(seen.path == "/slow" for seen in receiver.seen) >= 6, 30, "requests under way")
    network.cut()
    hangs.clear()
    local = hire("local")
    accepted |= {join(client, f"meanwhile-{n}") for n in range(5)}
    eventually(lambda: not unfinished(house), TAKEN_OVER_S, "the others' taking over")
    eventually(lambda: "dispatcher.cycle_failed" in cut_off.log.read_text(), NOTICED_S, "its notice of the cut")
    before = books(house)
    network.mend()
    eventually(lambda: '"verdict":"stale"' in cut_off.log.read_text(), 30, "its telling what it learned")
    assert books(house) == before, "what comes too late changes nothing (I5)"
    assert before[2]["unknown"] >= 5, "what was under way at the cut is on record"
    assert local.end(signal.SIGTERM) == 0
    accepted.add(join(client, "after"))
    eventually(lambda: not unfinished(house), 30, "its going on")
    assert cut_off.end(signal.SIGTERM) == 0
    check(books(house), receiver, accepted)


def join(client, name: str) -> str:
    answer = client.post("/v1/affiliates", json={"email": f"{name}@example.org"})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.mark.slow
def test_a_worker_that_is_told_to_stop_while_it_is_cut_off_ends_by_itself(scene, hire, network) -> None:
    _, receiver, house = scene
    client = house.start().organization()
    receiver.answers["/in"] = lambda _: None
    body = {"url": receiver.url(), "dialect": "standard", "policy": POLICY}
    assert client.post("/v1/endpoints", json=body).status_code == 201
    cut_off = hire("remote")
    accepted = {join(client, "one")}
    eventually(lambda: bool(receiver.seen), 30, "a request under way")
    network.cut()
    receiver.answers["/in"] = lambda _: 200
    assert cut_off.end(signal.SIGTERM, ENDED_S) == 0
    network.mend()
    hire("local")
    eventually(lambda: not unfinished(house), TAKEN_OVER_S, "the next one's delivery")
    check(books(house), receiver, accepted, each=1)
