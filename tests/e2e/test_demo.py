"""The demo as a user runs it: a child process, a real server under it, real HTTPS, nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx2
import pytest

from affwire.cli import demo
from affwire.cli.client import open_client
from affwire.cli.demo import cast
from affwire.cli.demo.a1 import DIALECTS
from affwire.cli.demo.crossing import CROSSINGS
from affwire.cli.demo.play import Progress
from affwire.cli.demo.receiver import Receiver
from affwire.cli.demo.scenario import Step
from affwire.cli.demo.server import running
from affwire.cli.demo.stage import Stage

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


def check_the_console(address, told):
    """What a newcomer sees first: both directions, something that failed, and nobody who was erased."""
    link = next(line.partition("?token=")[2] for line in told.splitlines() if line.startswith("Console: "))
    headers = {"Sec-Fetch-Site": "same-origin"}
    with httpx2.Client(
        base_url=f"http://{address}", headers=headers, trust_env=False, follow_redirects=True
    ) as browser:
        home = browser.post("/sign-in/link", data={"token": link}).raise_for_status().text
        assert "somebody who was erased" not in home
        assert "Kim Berg" in home
        for needs in ("answered 410 Gone", "deliveries given up", "1 message could not be carried out"):
            assert needs in home
        inbox = browser.get("/inbox").raise_for_status().text
        assert [one for one in ("applied", "parked", "rejected") if f">{one}</span>" not in inbox] == []


def check_the_way_back_in(address, told):
    """Whoever has lost the first link pastes what is printed, in a terminal that knows of nothing."""
    printed = next(line.strip() for line in told.splitlines() if "users link" in line)
    ran = subprocess.run(
        ["bash", "-c", printed],
        env={"PATH": os.environ["PATH"]},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout.startswith(f"http://{address}/?token="), ran.stderr
    token = ran.stdout.strip().partition("?token=")[2]
    with httpx2.Client(base_url=f"http://{address}", trust_env=False) as browser:
        assert "Continue to the console" in browser.get("/sign-in", params={"token": token}).text


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
    assert [one["platform"] for one in card["crossed"]] == [one.platform for one in CROSSINGS]
    for one in card["crossed"]:
        unsigned = one["platform"] == "growi"
        assert (one["taken"], one["repeated"], one["forged"]) == (200, 200, None if unsigned else 401)
        assert one["messages"] == {"applied": 1} | ({} if unsigned else {"rejected": 1})
        assert one["affiliates"] == (one["mode"] == "mirror")
        assert one["heard"]
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
            assert second.returncode == 1
            assert second.stderr.startswith("affwire: A demo is running in ")
            assert second.stderr.count("\n") == 1
            assert is_listening(address)
            check_the_console(address, told.read_text())
            check_the_way_back_in(address, told.read_text())
            demo.send_signal(signal.SIGINT)
            assert demo.wait(60) == 0
        finally:
            demo.terminate()
    assert not is_listening(address)
    assert "Traceback" not in told.read_text()


def test_gone_gets_one_request_however_late_its_answer_comes(tmp_path):
    settings = {
        "AFFWIRE_ALLOW_NETWORKS": "127.0.0.0/8",
        "AFFWIRE_CA_FILE": "authority.pem",
        "AFFWIRE_ADMIN_KEY": "k" * 32,
    }
    silent = dict.fromkeys(DIALECTS, ())
    names = ("Spring", "Summer", "Autumn")
    story = [Step("1", "", lambda on, name=name: on.create_program(name), silent) for name in names]
    with Receiver(demo._certificates(tmp_path)) as receiver, running(tmp_path, 0, settings) as address:
        receiver.on_arrival = lambda arrival: time.sleep(0.2) if arrival.mailbox == cast.GONE else None
        with open_client(address, "k" * 32) as operator:
            key = cast.found_organization(operator)
        with open_client(address, key) as client:
            endpoints = cast.engage(client, receiver)
            stage = Stage(client)
            demo._played(Progress(story), stage, receiver, endpoints, watched=False, began=0.0)
    assert [came.mailbox for came in receiver.arrivals].count(cast.GONE) == 1
