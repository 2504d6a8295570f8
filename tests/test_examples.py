"""The examples of receivers, run as they stand: real servers on this machine, genuine and forged requests."""

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from affwire.testing import genuine

EXAMPLES = Path(__file__).parent.parent / "examples"
WITHIN_S = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Receiver:
    """An example's process, and what it printed."""

    def __init__(self, name, tmp_path):
        self.port, self.said = free_port(), tmp_path / "said"
        with self.said.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, str(EXAMPLES / f"receive_{name}.py"), str(self.port)],
                env={**os.environ, "WEBHOOK_SECRET": genuine.request("rewardful").secret},
                stdout=out,
                stderr=subprocess.DEVNULL,
            )

    def wait(self):
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        raise AssertionError("the example does not listen")

    def post(self, headers, body) -> int:
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WITHIN_S)
        try:
            wire.request("POST", "/hooks", body, headers)
            answer = wire.getresponse()
            answer.read()
            return answer.status
        finally:
            wire.close()

    def stop(self):
        self.process.terminate()
        self.process.wait(WITHIN_S)


@pytest.fixture(params=["fastapi", "flask", "django"])
def receiver(request, tmp_path):
    pytest.importorskip(request.param)
    started = Receiver(request.param, tmp_path)
    try:
        yield started.wait()
    finally:
        started.stop()


@pytest.mark.slow
def test_an_example_takes_what_is_genuine_once_and_nothing_else(receiver):
    signed = genuine.request("rewardful", "affiliate.created")
    unread = genuine.sign("rewardful", b"{}")
    assert receiver.post(signed.headers, signed.body) == 200
    assert receiver.post(*list(signed.repeated())[:2]) == 200
    assert {receiver.post(one.headers, one.body) for one in signed.forgeries().values()} == {401}
    assert receiver.post({**signed.headers, "X-Rewardful-Signature": "\u00e9"}, signed.body) == 401
    assert receiver.post(unread.headers, unread.body) == 422
    said = [line for line in receiver.said.read_text().splitlines() if "@" in line]
    assert said == ["affiliate.created noor.haddad@example.com"]


def test_there_is_an_example_for_each_framework_that_the_readme_names():
    assert {path.stem for path in EXAMPLES.glob("receive_*.py")} == {
        f"receive_{name}" for name in ("fastapi", "flask", "django")
    }
