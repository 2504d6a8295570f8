"""The laptop's listener: a real server, a real receiver, a real keyboard."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from affwire.cli.demo.verify import verify
from affwire.cli.main import app

pytestmark = pytest.mark.slow
PATIENCE_S = 40


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.arrived.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def receiver():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.arrived, server.status = [], 200
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Listening:
    """`affwire listen` in a process of its own, at a keyboard of its own."""

    def __init__(self, *arguments):
        self.keyboard, inner = pty.openpty()
        command = [sys.executable, "-m", "affwire", "listen", *arguments]
        self.process = subprocess.Popen(
            command, stdin=inner, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        os.close(inner)
        self.lines = []
        threading.Thread(target=self._read, daemon=True).start()
        while not self.process.stderr.readline().startswith("The feed is open"):
            assert self.process.poll() is None

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def press(self, key):
        os.write(self.keyboard, key.encode())


@pytest.fixture
def listen(monkeypatch, tmp_path, server):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    started = []

    def start(*arguments):
        started.append(Listening(*arguments))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()
        os.close(one.keyboard)


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_events_arrive_at_the_laptop_signed_and_keys_replay_show_and_quit(listen, receiver, server, tmp_path):
    one = listen("--forward-to", f"localhost:{receiver.server_port}/hooks", "--events", "program.created")
    server.post("/v1/programs", {"name": "Spring"})
    until(lambda: receiver.arrived)
    secret = (tmp_path / "affwire" / "listen-standard").read_text()
    headers, body = receiver.arrived[0]
    assert verify("standard", headers, body, secret, time.time()).word == "program.created"
    until(lambda: one.lines)
    assert "program.created  200" in one.lines[0]
    assert one.lines[0].endswith(" ms  verified")
    one.press("r")
    until(lambda: len(receiver.arrived) == len(one.lines) == 2)
    assert receiver.arrived[-1][1] == receiver.arrived[-2][1]
    assert "try 2" in one.lines[-1]
    one.press("d")
    until(lambda: any(line.startswith("webhook-signature: ") for line in one.lines))
    one.press("q")
    assert one.process.wait(PATIENCE_S) == 0


def test_without_a_url_it_looks_on_and_json_is_a_line_each(listen, server):
    one = listen("--dialect", "rewardful", "--json")
    server.post("/v1/affiliates", {"email": "ada@example.com"})
    until(lambda: one.lines)
    said = json.loads(one.lines[0])
    assert (said["type"], said["word"], said["status"], said["verified"]) == (
        "affiliate.created",
        "affiliate.created",
        None,
        True,
    )


def test_an_event_about_a_delivery_is_verified_like_any_other(listen, server):
    policy = {"retry_schedule": []}
    asked = ["program.created", "delivery.exhausted"]
    url = "https://127.0.0.1:9443/in"
    server.post("/v1/endpoints", {"url": url, "dialect": "standard", "event_types": asked, "policy": policy})
    one = listen("--json", "--events", "delivery.exhausted")
    server.post("/v1/programs", {"name": "Spring"})
    until(lambda: one.lines)
    said = json.loads(one.lines[0])
    assert (said["type"], said["verified"]) == ("delivery.exhausted", True)


def test_what_the_laptop_answers_is_told(listen, receiver, server):
    receiver.status = 500
    one = listen("--forward-to", f"http://127.0.0.1:{receiver.server_port}", "--dialect", "tamio", "--json")
    server.post("/v1/programs", {"name": "Spring"})
    until(lambda: one.lines)
    said = json.loads(one.lines[0])
    assert (said["status"], said["error"], said["verified"]) == (500, None, True)
    assert said["ms"] > 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--forward-to", "http://10.0.0.7:3000/"),
        ("--forward-to", "http://user:pass@localhost:3000/"),
        ("--dialect", "klingon"),
        ("--events", "membrship.activated"),
    ],
)
def test_other_machines_and_unknown_dialects_are_refused_in_one_sentence(server, arguments, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    shown = CliRunner().invoke(app, ["listen", *arguments])
    assert shown.exit_code in {1, 2}
    assert shown.stdout == ""
    assert shown.stderr.splitlines()[-1].startswith("affwire: ")


def test_attempts_are_followed(server):
    command = [sys.executable, "-m", "affwire", "deliveries", "tail", "--json"]
    endpoint = server.post("/v1/endpoints", {"url": "https://127.0.0.1:9443/in", "dialect": "standard"})["id"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tail:
        assert tail.stderr.readline().startswith("The feed is open")
        server.post("/v1/programs", {"name": "Spring"})
        said = json.loads(tail.stdout.readline())
        assert (said["endpoint_id"], said["attempt"]["error"]) == (endpoint, "connect")
        tail.send_signal(signal.SIGINT)
        assert tail.wait(PATIENCE_S) == 0
