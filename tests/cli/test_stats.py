"""`affwire stats` against a real server: once, again and again in a pipe, and as a panel at any width."""

import json
import os
import subprocess
import sys
import time
from io import StringIO

import pytest
from installation import free_port
from rich.console import Console
from typer.testing import CliRunner

from affwire.cli.demo.server import running
from affwire.cli.main import app
from affwire.cli.stats import line
from affwire.cli.stats_panel import frame

INTERVAL = {
    "at": "2026-11-20T12:55:36.832Z", "seconds": 2.0,
    "events_per_second": 812.5, "attempts_per_second": 11624.0, "delivered_per_second": 11600.1,
    "failed_per_second": 24.0, "messages_per_second": 0.0,
    "attempt_p95_ms": 23.4, "arrival_p95_ms": None, "lag_p95_ms": 3.1, "durable_p95_ms": 4.2, "in_flight": 1212,
    "queue": {"pending": 120012, "behind": 0, "held": 30, "leased": 212}, "oldest_due_ms": 61200,
    "messages": {"waiting": 3, "parked": 1},
    "endpoints": {"healthy": 1200, "failing": 2, "tripped": 1, "paused": 3, "disabled": 1},
    "sources": {"heard": 2, "silent": 1, "disabled": 0},
    "worst_endpoints": [
        {
            "endpoint_id": "ep_01kfqk3p8e7wvbzqk2m5x7a9cd", "host": "evil\x1b[31m.example.com", "state": "tripped",
            "backlog": {"pending": 0, "held": 12345, "leased": 0}, "oldest_due_ms": 0, "failures_in_row": 120,
            "last_error": "HTTP 503",
        }
    ],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("server")
def test_once_is_one_object_with_rates_times_and_the_queue():
    shown = CliRunner().invoke(app, ["stats", "--every", "0.05", "--json"])
    assert shown.exit_code == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert found["queue"].keys() == {"pending", "behind", "held", "leased"}
    assert found["database_bytes"] > 0
    assert found["durable_p95_ms"] is None or found["durable_p95_ms"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("server")
def test_once_for_a_person_is_a_list_of_facts():
    shown = CliRunner().invoke(app, ["stats", "--every", "0.05"])
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "events_per_second" in shown.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_watching_in_a_pipe_is_one_line_an_interval(options):
    command = [sys.executable, "-m", "affwire", "stats", "--watch", "--every", "0.05", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as child:
        lines = [child.stdout.readline() for _ in range(2)]
        child.terminate()
        child.communicate()
    for one in lines:
        assert json.loads(one)["in_flight"] == 0 if options else " in_flight=0 " in one


@pytest.mark.slow
def test_watching_outlives_a_restart_of_the_server(tmp_path, monkeypatch):
    monkeypatch.delenv("AFFWIRE_API_KEY", raising=False)
    port = free_port()
    watching = [sys.executable, "-m", "affwire", "stats", "--watch", "--every", "0.05"]
    environment = {**os.environ, "AFFWIRE_URL": f"http://127.0.0.1:{port}"}
    with running(tmp_path, port, {}):
        child = subprocess.Popen(watching, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        assert " in_flight=0 " in child.stdout.readline()
    assert child.stderr.readline().startswith("No affwire answers at ")
    with running(tmp_path, port, {}), child:
        latest = child.stdout.readline()
        while not latest.startswith(time.strftime("%Y")):
            latest = child.stdout.readline()
        child.terminate()
        child.communicate()


@pytest.mark.slow
@pytest.mark.usefixtures("server")
def test_a_process_that_is_not_there_is_one_sentence():
    shown = CliRunner().invoke(app, ["stats", "--also", "http://127.0.0.1:1"])
    assert (shown.exit_code, shown.stdout, shown.stderr.count("\n")) == (1, "", 1)
    assert "http://127.0.0.1:1" in shown.stderr


@pytest.mark.slow
def test_an_organization_s_key_is_told_which_one_is_needed(server, monkeypatch):
    monkeypatch.delenv("AFFWIRE_ADMIN_KEY")
    shown = CliRunner().invoke(app, ["stats"])
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "AFFWIRE_ADMIN_KEY" in shown.stderr


def drawn(width):
    console = Console(width=width, file=StringIO(), color_system=None)
    console.print(frame(INTERVAL, [1.0, 5.0, 11624.0], "http://127.0.0.1:8787", width))
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_panel_fits_its_screen_and_cuts_no_figure(width):
    text = drawn(width)
    assert max(map(len, text.splitlines())) <= width
    for figure in ("812.5/s", "11,624.0/s", "24.0/s", "1,212", "120,012 pending", "1.0 min", "4.2 ms", "1,200 healthy"):
        assert figure in text
    for told in ("ep_01kfqk3p8e7wvbzqk2m5x7a9cd  tripped", "12,345 wait", "120 failures: HTTP 503"):
        assert told in text


def test_what_a_receiver_is_called_does_not_move_the_cursor():
    assert "\x1b" not in drawn(200)


def test_without_trouble_there_is_no_panel_of_it():
    console = Console(width=60, file=StringIO())
    console.print(frame({**INTERVAL, "worst_endpoints": []}, [], "http://a", 60))
    assert "trouble" not in console.file.getvalue()


def test_a_line_holds_what_a_log_is_searched_for():
    text = line(INTERVAL)
    assert text.startswith("2026-11-20T12:55:36.832Z events/s=812.5 attempts/s=11624.0 ")
    assert "pending=120012 held=30 oldest_ms=61200 attempt_p95_ms=23.4 arrival_p95_ms=- tripped=1" in text
