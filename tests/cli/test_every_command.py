"""Every command that asks a server: what goes wrong is one sentence that says what to type next, with the documented code."""

import json
import os
import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from affwire.cli.main import app

ALONE = {"version", "serve", "demo", "migrate", "doctor", "backup", "restore", "dialects", "guard", "import", "secrets"}
ALONE |= {"convert", "verify", "explain-signature", "check", "reconcile", "worker", "move", "stats"}
"""They work without a server, or are tested for themselves."""
TYPED = {"event_type": "program.created", "since": "2026-01-31T22:00:00Z", "url": "https://127.0.0.1:9443/in"}
FILTER = {"deliveries replay": ("dlv_none",), "render": ("--all",)}


def calls(command=None, path=()):
    """Yield every command that asks a server, with what it cannot do without."""
    command = command or get_command(app)
    if hasattr(command, "commands"):
        return [
            call
            for name, child in command.commands.items()
            if name not in ALONE
            for call in calls(child, (*path, name))
        ]
    needed = [one for one in command.params if one.required]
    values = [
        (*([one.opts[0]] if one.opts[0].startswith("--") else []), TYPED.get(one.name, "none_0")) for one in needed
    ]
    return [(*path, *(text for value in values for text in value), *FILTER.get(" ".join(path), ()))]


CALLS = [call for call in calls() if call[0] != "listen"]


def asked(*arguments):
    shown = CliRunner().invoke(app, list(arguments))
    assert shown.exception is None or isinstance(shown.exception, SystemExit), shown.exception
    return shown


@pytest.fixture
def nobody(monkeypatch):
    monkeypatch.setenv("AFFWIRE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AFFWIRE_API_KEY", "key")
    monkeypatch.delenv("AFFWIRE_ADMIN_KEY", raising=False)


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_without_a_server_it_is_one_sentence(nobody, call):
    shown = asked(*call)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("affwire: No affwire answers at http://127.0.0.1:1 ")
    assert "`affwire serve`" in shown.stderr
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_without_a_key_it_is_a_mistake_of_usage_that_names_the_variable(nobody, monkeypatch, call):
    monkeypatch.delenv("AFFWIRE_API_KEY")
    shown = asked(*call)
    assert (shown.exit_code, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)
    assert f"Set AFFWIRE_{'ADMIN' if call[0] == 'organizations' else 'API'}_KEY" in shown.stderr


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_a_wrong_key_is_told_with_the_variable_it_came_from(server, monkeypatch, call):
    monkeypatch.setenv("AFFWIRE_API_KEY", "key")
    monkeypatch.setenv("AFFWIRE_ADMIN_KEY", "key")
    shown = asked(*call)
    assert (shown.exit_code, shown.stdout, shown.stderr.count("\n")) == (1, "", 1)
    assert shown.stderr.startswith("affwire: This API key is not known, or no longer valid. Set AFFWIRE_API_KEY")


@pytest.mark.slow
@pytest.mark.parametrize("call", [call for call in CALLS if "none_0" in call], ids=" ".join)
def test_what_is_not_there_is_one_sentence(server, call):
    shown = asked(*call)
    assert (shown.exit_code, shown.stdout, shown.stderr.count("\n")) == (1, "", 1)
    assert shown.stderr.startswith("affwire: ")


NEVER_EMPTY = {"organizations", "keys"}
"""Who asks belongs to an organization, and has a key."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "call", [call for call in CALLS if call[-1] == "list" and call[0] not in NEVER_EMPTY], ids=" ".join
)
def test_an_empty_list_says_so_and_is_empty_in_a_pipe(server, call):
    shown = asked(*call)
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert shown.stderr.startswith("There is no ")
    assert json.loads(asked(*call, "--json").stdout)["data"] == []


@pytest.mark.slow
@pytest.mark.parametrize("typed", [b"\xff", b"\xff\n"])
def test_what_is_no_text_is_one_sentence(nobody, typed):
    command = [sys.executable, "-m", "affwire", "affiliates", "get", typed]
    shown = subprocess.run(command, capture_output=True, timeout=20, check=False)
    assert (shown.returncode, shown.stderr) == (2, b"affwire: What was typed is not text in UTF-8.\n")


@pytest.mark.slow
def test_a_reader_who_leaves_hears_no_complaint():
    command = [sys.executable, "-m", "affwire", "dialects", "standard"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.close()
        assert child.stderr.read() == b""


@pytest.mark.slow
def test_a_terminal_of_ascii_is_shown_escapes():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "affwire", "dialects", "é"]
    shown = subprocess.run(command, capture_output=True, env=environment, timeout=20, check=False)
    assert (shown.returncode, shown.stdout) == (2, b"")
    assert b"There is no dialect '\\xe9'" in shown.stderr
