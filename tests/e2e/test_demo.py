"""The demo as a user runs it: a child process, a real server under it, real HTTPS, nothing left behind."""

import json
import signal
import socket
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow

DEMO = [sys.executable, "-m", "affwire", "demo"]


def wait_for_address(path):
    for _ in range(1500):
        found = [line for line in path.read_text().splitlines() if "The server is at " in line]
        if found:
            return found[0].partition("http://")[2].partition(". ")[0]
        time.sleep(0.02)
    raise AssertionError(path.read_text())


def is_listening(address):
    host, port = address.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_the_check_passes_with_every_number_as_it_must_be(tmp_path):
    ran = subprocess.run(
        [*DEMO, "--check", "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    card = json.loads(ran.stdout)
    assert card["ok"]
    assert card["differences"] == []
    assert card["verified"] == sum(card["said"].values())
    assert card["said"]["standard"] == card["events"]
    assert (card["duplicates"], card["retries"], card["forgeries_refused"]) == (0, 2, 10)
    assert set(card["deliveries"]) == {"delivered", "exhausted", "held"}
    assert list(tmp_path.iterdir()) == []


def test_a_running_demo_is_not_disturbed_and_ctrl_c_leaves_nothing_behind(tmp_path):
    told = tmp_path / "told.txt"
    with (
        told.open("w") as output,
        subprocess.Popen(DEMO, cwd=tmp_path, stdout=output, stderr=subprocess.STDOUT) as demo,
    ):
        try:
            address = wait_for_address(told)
            second = subprocess.run(DEMO, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
            assert second.returncode == 2
            assert second.stderr.startswith("affwire: A demo is running in ")
            assert second.stderr.count("\n") == 1
            assert is_listening(address)
            demo.send_signal(signal.SIGINT)
            assert demo.wait(60) == 0
        finally:
            demo.terminate()
    assert not is_listening(address)
    assert "Traceback" not in told.read_text()
