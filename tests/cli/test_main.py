"""The command line as a whole: quick to help, every command explained, mistakes answered in one sentence."""

import json
import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from affwire import __version__
from affwire.cli.main import app

HEAVY = ("fastapi", "sqlalchemy", "pydantic", "httpx2", "uvicorn", "rich.table", "msgspec", "cryptography")


def leaves(command, path=()):
    if not hasattr(command, "commands"):
        return [path]
    return [leaf for name, child in command.commands.items() for leaf in leaves(child, (*path, name))]


@pytest.mark.parametrize("path", leaves(get_command(app)), ids=" ".join)
def test_the_help_of_every_command_starts_with_a_sentence_and_an_example(path):
    shown = CliRunner().invoke(app, [*path, "--help"])
    assert shown.exit_code == 0
    paragraphs = [part.strip() for part in shown.stdout.split("\n\n")]
    assert paragraphs[0].startswith("Usage:")
    assert paragraphs[1].endswith(".")
    assert " ".join(paragraphs[2].split()).startswith(f"Example: affwire {' '.join(path)}")


@pytest.mark.parametrize("path", leaves(get_command(app)), ids=" ".join)
def test_every_command_speaks_json(path):
    assert "--json" in CliRunner().invoke(app, [*path, "--help"]).stdout


def test_the_version_is_there_as_json():
    assert json.loads(CliRunner().invoke(app, ["version", "--json"]).stdout) == {"version": __version__}
    assert CliRunner().invoke(app, ["version"]).stdout == f"{__version__}\n"


def test_help_imports_nothing_heavy():
    script = f"import sys, affwire.cli.main; print([name for name in {HEAVY} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_an_unknown_command_is_a_mistake_of_usage():
    assert CliRunner().invoke(app, ["serv"]).exit_code == 2


def test_a_wrong_setting_is_one_sentence_without_a_traceback(monkeypatch, tmp_path):
    monkeypatch.setenv("AFFWIRE_PORT", "99999")
    shown = CliRunner().invoke(app, ["migrate", "--data-dir", str(tmp_path)])
    assert shown.exit_code == 2
    assert shown.stdout == ""
    assert shown.stderr.startswith("affwire: AFFWIRE_PORT")
    assert shown.stderr.count("\n") == 1
