"""A server on this machine: commands find it by its data directory, and no key goes anywhere else."""

import os
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from affwire.cli import nearby
from affwire.cli.client import DEFAULT_URL, open_client
from affwire.cli.main import app
from affwire.errors import Refused
from affwire.model.registry import NUMBER_FIRST
from affwire.settings import Settings
from affwire.store.datadir import DataDir, write_private

HERE = "http://127.0.0.1:9999"
GIVEN = "given-by-the-environment-in-many-characters"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with a data directory in it, and no setting from outside."""
    for name in [name for name in os.environ if name.startswith("AFFWIRE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    place = DataDir(tmp_path / "affwire-data")
    place.make()
    return place


@pytest.fixture
def announced(place):
    write_private(place.address, HERE)
    write_private(place.admin_key, "operators")
    write_private(place.api_key, "first")
    return place


def asked(**how):
    """Where a command would go, and with which key."""
    with open_client(**how) as client:
        sent = client._http.headers.get("Authorization", "")
        return client.address, sent.removeprefix("Bearer ")


@pytest.mark.parametrize(("operator", "key"), [(True, "operators"), (False, "first")])
def test_a_command_finds_address_and_key_of_the_server_beside_it(announced, operator, key):
    assert asked(operator=operator) == (HERE, key)


def test_a_data_directory_elsewhere_is_named_by_the_environment(announced, monkeypatch, tmp_path):
    monkeypatch.chdir("/")
    monkeypatch.setenv("AFFWIRE_DATA_DIR", str(announced.path))
    assert asked(operator=True) == (HERE, "operators")


@pytest.mark.parametrize("operator", [True, False])
def test_a_key_that_lies_beside_one_address_goes_to_no_other(announced, monkeypatch, operator):
    monkeypatch.setenv("AFFWIRE_URL", "http://127.0.0.1:1")
    with pytest.raises(Refused, match="Set AFFWIRE_"):
        asked(operator=operator)


def test_an_address_that_others_may_have_written_is_not_believed(announced, monkeypatch):
    monkeypatch.setenv("AFFWIRE_API_KEY", GIVEN)
    announced.address.write_text("http://evil.example")
    announced.address.chmod(0o644)  # as everything that came with an archive or a repository
    assert asked() == (DEFAULT_URL, GIVEN)


def test_a_key_whose_server_left_no_address_goes_nowhere(place):
    write_private(place.admin_key, "operators")
    with pytest.raises(Refused, match="AFFWIRE_ADMIN_KEY"):
        asked(operator=True)
    assert asked(needs_key=False) == (DEFAULT_URL, "")


@pytest.mark.parametrize(
    ("name", "operator"), [("AFFWIRE_ADMIN_KEY", True), ("AFFWIRE_API_KEY", False)], ids=["operator", "organization"]
)
def test_a_key_of_the_environment_goes_first(announced, monkeypatch, name, operator):
    monkeypatch.setenv(name, GIVEN)
    assert asked(operator=operator) == (HERE, GIVEN)


def test_settings_that_cannot_be_read_stand_in_no_commands_way(announced):
    Path("affwire.toml").write_text("port =")
    assert asked(key="given") == (DEFAULT_URL, "given")


def test_an_address_is_there_while_a_server_is_and_its_files_are_its_owners_alone(place):
    settings = Settings(data_dir=place.path, host="::", port=9999)
    with nearby.announced(settings):
        assert place.address.read_text() == "http://[::1]:9999\n"
        assert stat.S_IMODE(place.address.stat().st_mode) == 0o600
    assert not place.address.exists()


def test_the_key_of_the_first_organization_is_kept_and_no_others(announced):
    made = {"number": NUMBER_FIRST + 1, "api_key": "second"}
    assert nearby.keep_first_key(HERE, made) is None
    assert nearby.keep_first_key("http://127.0.0.1:1", {**made, "number": NUMBER_FIRST}) is None
    assert announced.api_key.read_text() == "first\n"
    assert nearby.keep_first_key(HERE, {"number": NUMBER_FIRST, "api_key": "new"}).samefile(announced.api_key)
    assert announced.api_key.read_text() == "new\n"
    assert stat.S_IMODE(announced.api_key.stat().st_mode) == 0o600


@contextmanager
def serving():
    command = [sys.executable, "-m", "affwire", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            yield server.stdout.readline().rpartition(" ")[2].strip()
        finally:
            server.terminate()
            server.wait(30)


def run(*arguments):
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    return shown.stdout


@pytest.mark.slow
def test_a_newcomer_needs_neither_address_nor_key_where_the_server_was_started(place):
    with serving() as url:
        run("organizations", "create", "--slug", "acme", "--name", "Acme")
        assert run("users", "link", "operator@localhost", "--operator").startswith(f"{url}/?token=")
        assert run("programs", "create", "--name", "Spring").startswith("prg_")
        assert "ok" in run("doctor")
    assert not place.address.exists()
