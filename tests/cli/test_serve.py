"""`affwire serve` as a process: how it greets, and with which exit code it refuses to start."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from affwire.cli.main import app
from affwire.store.datadir import DataDir

SERVE = [sys.executable, "-m", "affwire", "serve", "--port", "0"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An installation of its own: the working directory holds the data, and no setting comes from outside."""
    for name in [name for name in os.environ if name.startswith("AFFWIRE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "affwire-data"


def serve(*arguments):
    shown = CliRunner().invoke(app, ["serve", "--port", "0", *arguments])
    assert shown.stdout == ""
    assert shown.stderr.startswith("affwire: ")
    assert shown.stderr.count("\n") == 1
    return shown.exit_code


@pytest.fixture
def migrated(place):
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0
    return place


def test_a_directory_in_use_has_failed(place):
    with DataDir(place).lock():
        assert serve() == 1


def test_a_wrong_master_key_has_failed(migrated, monkeypatch):
    monkeypatch.setenv("AFFWIRE_MASTER_KEY", "k" * 32)
    assert serve() == 1


def test_a_missing_master_key_has_failed(migrated):
    (migrated / "master-key").unlink()
    assert serve() == 1


def test_an_exposed_key_file_has_failed(migrated):
    (migrated / "master-key").chmod(0o644)
    assert serve() == 1


def test_a_newer_schema_has_failed(migrated):
    database = sqlite3.connect(migrated / "affwire.db")
    with database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.execute("UPDATE meta SET value = '9999' WHERE name = 'schema_compatible_from'")
    database.close()
    assert serve() == 1


def test_a_taken_port_has_failed(place):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert serve("--port", str(taken.getsockname()[1])) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AFFWIRE_RETENTION_DAYS", "-1"),
        ("AFFWIRE_DATABASE_URL", "mysql://elsewhere"),
        ("AFFWIRE_MASTER_KEY", "short"),
        ("AFFWIRE_ALLOW_NETWORKS", "nonsense"),
        ("AFFWIRE_HOST", "no host"),
        ("AFFWIRE_HOST", "a" * 70),
    ],
)
def test_a_wrong_setting_is_a_mistake_of_usage(place, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert serve() == 2


def test_a_malformed_file_of_settings_is_a_mistake_of_usage(place):
    (place.parent / "affwire.toml").write_text("port =")
    assert serve() == 2


def test_a_wrong_option_is_a_mistake_of_usage():
    assert CliRunner().invoke(app, ["serve", "--prt", "1"]).exit_code == 2


def started(*arguments):
    """Start a server, read its first line, stop it; return that line, the rest of stdout, and stderr."""
    with subprocess.Popen([*SERVE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            first = server.stdout.readline()
        finally:
            server.terminate()
        rest, told = server.communicate(timeout=30)
    return first, rest, told


@pytest.mark.slow
def test_the_greeting_is_there_as_one_json_object(place):
    first, rest, _ = started("--json")
    greeting = json.loads(first)
    assert greeting["url"].startswith("http://127.0.0.1:")
    assert greeting["admin_key_file"] == "affwire-data/admin-key"
    assert greeting["console"].startswith(f"{greeting['url']}/?token=")
    assert set(greeting) == {"url", "admin_key_file", "console", "console_expires_at"}
    assert rest == ""


@pytest.mark.slow
def test_a_person_is_told_how_to_sign_in_once_and_not_on_stdout(place):
    first, rest, told = started()
    assert "token" not in first + rest
    [line, until] = re.findall(r"^Console: (.*)\n +(.*)$", told, re.MULTILINE)[0]
    assert line.startswith(f"{first.split()[-1]}/?token=")
    assert re.fullmatch(r"signs the operator in once, until [0-9-]{10}T[0-9:.]{12}Z; older links end now", until)


@pytest.mark.slow
def test_a_given_key_is_in_no_file(place, monkeypatch):
    monkeypatch.setenv("AFFWIRE_ADMIN_KEY", "k" * 32)
    assert json.loads(started("--json")[0])["admin_key_file"] is None


@pytest.mark.slow
def test_a_variable_that_is_no_setting_is_told_and_the_server_starts(place, monkeypatch):
    monkeypatch.setenv("AFFWIRE_ALOW_HTTP", "1")
    first, _, told = started()
    assert first.startswith("affwire is listening on ")
    assert told.startswith("affwire: AFFWIRE_ALOW_HTTP is no setting; did you mean AFFWIRE_ALLOW_HTTP?\n")


@pytest.mark.slow
def test_no_line_of_the_log_is_anything_but_json_whatever_is_sent(place):
    with subprocess.Popen([*SERVE, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            port = int(json.loads(server.stdout.readline())["url"].rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
                caller.sendall(b"\x00 nonsense\r\n\r\n")
                assert caller.recv(100).startswith(b"HTTP/1.1 400 ")
        finally:
            server.terminate()
        _, told = server.communicate(timeout=30)
    lines = [json.loads(line) for line in told.splitlines()]
    told_of = ["user.added", "server.started", "library.spoke", "server.stopping", "server.stopped"]
    assert [line["event"] for line in lines] == told_of
    assert (lines[2]["level"], lines[2]["by"]) == ("warning", "uvicorn.error")
    assert lines[2]["says"] == "Invalid HTTP request received."
