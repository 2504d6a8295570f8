"""backup, restore, secrets rotate-key: whole or not at all, and nothing is sent or numbered twice afterwards."""

import json
import os
import stat
from pathlib import Path

import pytest
from registry_walk import judged
from typer.testing import CliRunner

from affwire.app import open_store
from affwire.cli import secrets as rotating
from affwire.cli.main import app
from affwire.model.endpoints import PAUSED, Endpoint
from affwire.model.events import Actor
from affwire.plugins import load_dialects
from affwire.services import affiliates, deliveries, endpoints, organizations
from affwire.services.actions import Caller
from affwire.services.events import acting
from affwire.services.restoration import RESTORED
from affwire.settings import Settings
from affwire.store import counting
from affwire.store.datadir import DataDir
from affwire.world import World

DIALECTS = load_dialects()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
pytestmark = pytest.mark.slow


class Place:
    """A data directory, worked on as a server would."""

    def __init__(self, path):
        self.dir = DataDir(path)

    def run(self, *works):
        with self.dir.lock():
            store = open_store(Settings(), self.dir, World())
            try:
                return [store.submit(work).result() for work in works][-1]
            finally:
                store._engine.close()

    def join(self, name):
        def work(tx):
            with acting(tx, Caller(self.organization.id, Actor("operator")), DIALECTS) as action:
                return affiliates.create(action, {"email": f"{name}@b.test"})[0]

        return self.run(work)

    def rows(self):
        return self.run(lambda tx: tx.outbox.page(self.organization.id, before=None, limit=50))[::-1]

    def events(self):
        entries = self.run(lambda tx: tx.log.page(self.organization.id, after=None, limit=50))
        return [entry.event for entry in entries]

    def receiver(self):
        return self.run(lambda tx: tx.registry.get(Endpoint, self.organization.id, self.endpoint.id))

    def opened(self):
        return self.run(lambda tx: endpoints.recipient(tx, tx.registry.every_endpoint()[0]))


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("AFFWIRE_DATA_DIR", str(tmp_path / "data"))
    place = Place(tmp_path / "data")

    def begin(tx):
        organization, _ = organizations.create(
            tx, {"slug": "acme", "name": "Acme", "timezone": "UTC", "unlimited_endpoints": True}
        )
        wish = endpoints.Wish(
            url=judged("https://a.example.com/in"), fields={}, secret=SECRET, headers={"X-Own": "value"}
        )
        return organization, endpoints.create(tx, organization, DIALECTS, "standard", wish)[0]

    place.organization, place.endpoint = place.run(begin)
    return place


def cli(*arguments, code=0):
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def test_a_backup_without_a_server_is_restored_and_held(place, tmp_path):
    place.join("kept")
    made = json.loads(cli("backup", tmp_path / "b.db", "--json").stdout)
    assert made["bytes"] == (tmp_path / "b.db").stat().st_size
    assert stat.S_IMODE((tmp_path / "b.db").stat().st_mode) == 0o600
    place.join("lost")
    before = place.events()
    done = json.loads(cli("restore", tmp_path / "b.db", "--json").stdout)
    assert (done["held_deliveries"], done["paused_endpoints"]) == (1, 1)
    assert place.events() == before[:1]
    [row] = place.rows()
    assert (row.status, row.reason) == ("held", RESTORED)
    assert place.receiver().waits_because == PAUSED
    place.run(lambda tx: deliveries.return_parked(tx, DIALECTS, [place.organization.id]))
    assert place.rows()[0].status == "held"


def test_after_a_restore_nothing_is_numbered_twice(place, tmp_path):
    place.join("kept")
    cli("backup", tmp_path / "b.db")
    lost = place.join("lost")
    lost_event, lost_row = place.events()[-1], place.rows()[-1]
    cli("restore", tmp_path / "b.db")
    new = place.join("new")
    assert new.number > lost.number
    assert place.events()[-1].position > lost_event.position
    assert place.rows()[-1].position > lost_row.position
    assert new.id != lost.id


def test_positions_that_a_restore_leaves_out_are_not_counted_as_events(place, tmp_path):
    counted = lambda: place.run(lambda tx: counting.events(tx.connection))  # noqa: E731
    place.join("kept")
    cli("backup", tmp_path / "b.db")
    place.join("lost")
    assert counted() == 2
    for expected in (1, 1):  # and once more, from the same backup
        cli("restore", tmp_path / "b.db")
        assert counted() == expected
    place.join("new")
    cli("backup", tmp_path / "c.db")
    cli("restore", tmp_path / "c.db")
    place.join("newer")
    assert counted() == 3


def test_the_former_database_is_kept_whole(place, tmp_path):
    cli("backup", tmp_path / "b.db")
    place.join("lost")
    first = json.loads(cli("restore", tmp_path / "b.db", "--json").stdout)["replaced"]
    second = json.loads(cli("restore", first, "--json").stdout)["replaced"]
    assert first != second
    assert len(place.events()) == 1


def test_a_restore_into_an_empty_directory_needs_the_key(place, tmp_path):
    cli("backup", tmp_path / "b.db")
    refused = cli("restore", tmp_path / "b.db", "--data-dir", tmp_path / "new", code=1)
    assert "master key" in refused.stderr
    assert not (tmp_path / "new" / "affwire.db").exists()
    (tmp_path / "new" / "master-key").write_bytes(place.dir.master_key.read_bytes())
    (tmp_path / "new" / "master-key").chmod(0o600)
    cli("restore", tmp_path / "b.db", "--data-dir", tmp_path / "new")
    assert (tmp_path / "new" / "affwire.db").exists()


def test_a_damaged_database_is_replaced_and_kept_with_its_log(place, tmp_path):
    place.join("kept")
    cli("backup", tmp_path / "b.db")
    place.dir.database.write_bytes(b"rubbish" * 1000)
    place.dir.database.with_name("affwire.db-wal").write_bytes(b"more rubbish")
    replaced = json.loads(cli("restore", tmp_path / "b.db", "--json").stdout)["replaced"]
    assert Path(replaced).read_bytes() == b"rubbish" * 1000
    assert len(place.events()) == 1


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"\xff" * 9_000, b"words"])
def test_what_is_no_backup_is_refused_and_changes_nothing(place, tmp_path, content):
    place.join("kept")
    before = place.dir.database.read_bytes()
    (tmp_path / "b.db").write_bytes(content)
    cli("restore", tmp_path / "b.db", code=1)
    assert place.dir.database.read_bytes() == before
    assert sorted(path.name for path in place.dir.path.iterdir() if "db" in path.name) == ["affwire.db"]


def test_nothing_is_restored_or_rotated_under_a_running_server(place, tmp_path):
    cli("backup", tmp_path / "b.db")
    with place.dir.lock():
        for command in (("restore", tmp_path / "b.db"), ("secrets", "rotate-key"), ("migrate",)):
            told = cli(*command, code=1).stderr
            assert (
                f"process {os.getpid()} holds {place.dir.lock_file}. Stop it (kill {os.getpid()}), then type:" in told
            )
            assert told.endswith(f"type: affwire {' '.join(map(str, command))}\n")
            assert told.count("\n") == 1


def test_a_backup_tells_of_a_server_that_listens_elsewhere(place, tmp_path, monkeypatch):
    monkeypatch.setenv("AFFWIRE_URL", "http://127.0.0.1:1")
    monkeypatch.delenv("AFFWIRE_API_KEY", raising=False)
    with place.dir.lock():
        told = cli("backup", tmp_path / "b.db", code=2).stderr
        assert "Set AFFWIRE_ADMIN_KEY" in told
        monkeypatch.setenv("AFFWIRE_ADMIN_KEY", "k" * 32)
        told = cli("backup", tmp_path / "b.db", code=1).stderr
    assert (
        f"A server (process {os.getpid()}) runs on {place.dir.path}, but not at http://127.0.0.1:1: set AFFWIRE_URL"
        in told
    )


def test_what_looks_for_a_database_in_vain_makes_no_directory(tmp_path):
    for command in (("backup", tmp_path / "b.db"), ("secrets", "rotate-key")):
        told = cli(*command, "--data-dir", tmp_path / "none", code=1).stderr
        assert "There is no database at" in told
    assert not (tmp_path / "none").exists()


def test_a_backup_into_no_directory_is_refused_before_it_is_made(place, tmp_path):
    assert "There is no directory" in cli("backup", tmp_path / "none" / "b.db", code=1).stderr
    assert not place.dir.backups.exists()


def test_a_backup_does_not_overwrite(place, tmp_path):
    (tmp_path / "b.db").write_text("precious")
    assert "there already" in cli("backup", tmp_path / "b.db", code=1).stderr
    assert (tmp_path / "b.db").read_text() == "precious"


def test_secrets_are_sealed_under_a_new_key_and_the_former_is_not_needed(place):
    former = place.dir.master_key.read_bytes()
    clear = place.opened()
    done = json.loads(cli("secrets", "rotate-key", "--json").stdout)
    assert done["secrets"] == 2
    assert place.dir.master_key.read_bytes() != former
    assert stat.S_IMODE(place.dir.master_key.stat().st_mode) == 0o600
    [kept] = place.dir.path.glob("master-key.former-*")
    assert kept.read_bytes() == former
    kept.unlink()
    assert place.opened() == clear
    assert clear[0].secrets == (SECRET,)


def test_a_rotation_that_dies_before_its_commit_has_not_happened(place, monkeypatch):
    former, clear = place.dir.master_key.read_bytes(), place.opened()
    monkeypatch.setattr(rotating.resealing, "reseal_all", lambda tx: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        CliRunner().invoke(app, ["secrets", "rotate-key"], catch_exceptions=False)
    monkeypatch.undo()
    monkeypatch.setenv("AFFWIRE_DATA_DIR", str(place.dir.path))
    assert place.opened() == clear
    assert place.dir.master_key.read_bytes() == former
    assert not list(place.dir.path.glob("master-key.*"))
    cli("secrets", "rotate-key")
    assert place.opened() == clear


@pytest.mark.parametrize("again", [True, False])
def test_a_rotation_that_dies_after_its_commit_has_happened(place, monkeypatch, again):
    former, clear = place.dir.master_key.read_bytes(), place.opened()
    monkeypatch.setattr(rotating, "adopt_key", lambda file: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        CliRunner().invoke(app, ["secrets", "rotate-key"], catch_exceptions=False)
    monkeypatch.undo()
    monkeypatch.setenv("AFFWIRE_DATA_DIR", str(place.dir.path))
    assert place.dir.master_key.read_bytes() == former
    if again:
        cli("secrets", "rotate-key")
    assert place.opened() == clear
    assert place.dir.master_key.read_bytes() != former
    assert not (place.dir.path / "master-key.next").exists()


def test_a_key_of_the_settings_is_rotated_to_a_given_one(place, tmp_path, monkeypatch):
    (tmp_path / "new").write_text("a new master key of many characters\n")
    cli("secrets", "rotate-key", "--to", tmp_path / "new")
    place.dir.master_key.unlink()
    monkeypatch.setenv("AFFWIRE_MASTER_KEY", "a new master key of many characters")
    assert place.opened()[0].secrets == (SECRET,)
    assert "--to" in cli("secrets", "rotate-key", code=2).stderr
    (tmp_path / "third").write_text("a third master key of many characters")
    cli("secrets", "rotate-key", "--to", tmp_path / "third")
    cli("secrets", "rotate-key", "--to", tmp_path / "third")
    monkeypatch.setenv("AFFWIRE_MASTER_KEY", "a third master key of many characters")
    assert place.opened()[0].secrets == (SECRET,)


def test_a_rotation_without_a_database_or_a_key_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("AFFWIRE_DATA_DIR", str(tmp_path / "data"))
    assert "no database" in cli("secrets", "rotate-key", code=1).stderr
    assert "no key in" in cli("secrets", "rotate-key", "--to", tmp_path / "none", code=2).stderr
    (tmp_path / "short").write_text("short")
    cli("secrets", "rotate-key", "--to", tmp_path / "short", code=2)
