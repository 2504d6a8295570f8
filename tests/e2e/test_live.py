"""A real server: feeds over a socket, their end at a stop, metrics, and a backup during traffic that loses nothing."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from installation import eventually

pytestmark = pytest.mark.slow


class Feed(threading.Thread):
    """Reads a feed until it ends."""

    def __init__(self, client, path):
        super().__init__(daemon=True)
        self.client, self.path, self.data, self.ids, self.began = client, path, [], [], threading.Event()
        self.start()
        assert self.began.wait(10)

    def run(self):
        with self.client.stream("GET", self.path, timeout=None) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                self.began.set()
                if line.startswith("data: "):
                    self.data.append(json.loads(line[6:]))
                elif line.startswith("id: "):
                    self.ids.append(line[4:])


def test_feeds_tell_of_changes_and_attempts_and_end_with_the_server(installation, receiver):
    admin = installation.start().organization()
    admin.post("/v1/endpoints", json={"url": receiver.url(), "dialect": "standard"}).raise_for_status()
    feeds = [
        Feed(installation.client(admin.headers["authorization"][7:]), f"/v1/{name}/stream")
        for name in ("events", "deliveries")
    ]
    for n in range(20):
        admin.post("/v1/affiliates", json={"email": f"a{n}@b.test"}).raise_for_status()
    eventually(lambda: all(len(feed.data) == 20 for feed in feeds), 20, "twenty messages on each feed")
    assert [event["snapshot"]["affiliate"]["email"] for event in feeds[0].data] == [f"a{n}@b.test" for n in range(20)]
    assert {one["attempt"]["outcome"] for one in feeds[1].data} == {"ok"}
    metrics = httpx2.get(f"http://127.0.0.1:{installation.port}/metrics", trust_env=False).text
    assert 'affwire_attempts_total{dialect="standard",error="",outcome="ok"} 20.0' in metrics
    assert "affwire_streams 2.0" in metrics
    began = time.monotonic()
    assert installation.stop() == 0
    assert time.monotonic() - began < 5
    for feed in feeds:
        feed.join(5)
        assert not feed.is_alive()


def test_a_backup_during_traffic_holds_everything_accepted_before_it(installation, tmp_path):
    admin = installation.start().organization()
    accepted, going = [], threading.Event()
    going.set()

    def write(lane):
        n = 0
        while going.is_set():
            answer = admin.post("/v1/affiliates", json={"email": f"a{lane}-{n}@b.test"})
            assert answer.status_code == 201
            accepted.append(answer.json()["id"])
            n += 1

    def affwire(*arguments):
        command = [sys.executable, "-m", "affwire", *arguments]
        done = subprocess.run(command, env=installation.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done

    with ThreadPoolExecutor(4) as writers:
        works = [writers.submit(write, lane) for lane in range(4)]
        try:
            time.sleep(0.3)
            before = list(accepted)
            affwire("backup", str(tmp_path / "b.db"))
        finally:
            going.clear()
        for work in works:
            work.result()
    assert before
    assert len(accepted) > len(before)
    installation.stop()
    affwire("restore", str(tmp_path / "b.db"))
    installation.start()
    held, following = set(), ""
    while following is not None:
        page = admin.get("/v1/affiliates", params={"limit": 200, **({"cursor": following} if following else {})}).json()
        held |= {one["id"] for one in page["data"]}
        following = page["next_cursor"]
    assert set(before) <= held <= set(accepted)
    assert admin.post("/v1/affiliates", json={"email": "new@b.test"}).status_code == 201
