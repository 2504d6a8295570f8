"""`affwire move`: everything arrives in PostgreSQL as it was, or nothing does."""

import json
import os

import pytest
from typer.testing import CliRunner

from affwire.cli.main import app
from affwire.model.events import Actor
from affwire.model.judged import GUARD_SEAL, JudgedUrl
from affwire.model.registry import Affiliate
from affwire.plugins import load_dialects
from affwire.services import affiliates, endpoints, organizations
from affwire.services.actions import Caller
from affwire.services.events import acting
from affwire.store import moving
from affwire.store.datadir import DataDir
from affwire.store.opening import open_engine
from affwire.store.vault import Vault
from affwire.world import World

KEY = "a master key of more than thirty-two characters"
AFFILIATES = 30


@pytest.fixture
def data_dir(tmp_path, monkeypatch, schemas):
    monkeypatch.setenv("AFFWIRE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("AFFWIRE_MASTER_KEY", KEY)
    monkeypatch.setenv("AFFWIRE_DATABASE_URL", schemas.new())
    return DataDir(tmp_path)


def vault(data_dir):
    return Vault.from_settings(KEY, data_dir.master_key)


def run(database, data_dir, work):
    engine = open_engine(database, vault(data_dir), World(), inline=True)
    try:
        return engine.submit(work).result(20)
    finally:
        engine.close()


def furnish(tx):
    fields = {"slug": "acme", "name": "Acme", "timezone": "UTC", "unlimited_endpoints": True}
    organization, _ = organizations.create(tx, fields)
    dialects = load_dialects()
    wish = endpoints.Wish(url=JudgedUrl("https://example.com/in", "example.com", None, seal=GUARD_SEAL), fields={})
    endpoints.create(tx, organization, dialects, "standard", wish)
    with acting(tx, Caller(organization.id, Actor("operator")), dialects) as action:
        for number in range(AFFILIATES):
            affiliates.create(action, {"email": f"ä{number}@example.org", "metadata": {"n": number, "text": 'q"\\\n'}})
    return organization.id


def look(organization_id):
    def work(tx):
        people = tx.registry.page(Affiliate, organization_id, after=None, limit=1000)
        deliveries = tx.outbox.page(organization_id, before=None, limit=1000)
        return people, tx.log.page(organization_id, after=None, limit=1000), deliveries

    return work


def move(*arguments):
    return CliRunner().invoke(app, ["move", *arguments])


def target():
    return os.environ["AFFWIRE_DATABASE_URL"]


def test_everything_arrives_as_it_was_and_goes_on_from_there(data_dir):
    organization_id = run(data_dir.database, data_dir, furnish)
    before = run(data_dir.database, data_dir, look(organization_id))
    shown = move("--json")
    assert shown.exit_code == 0, shown.stderr
    rows = {one["table"]: one["rows"] for one in json.loads(shown.stdout)}
    assert (rows["affiliates"], rows["events"], rows["deliveries"]) == (AFFILIATES, AFFILIATES, AFFILIATES)
    there = target()
    assert run(there, data_dir, look(organization_id)) == before

    def one_more(tx):
        with acting(tx, Caller(organization_id, Actor("operator")), load_dialects()) as action:
            affiliates.create(action, {"email": "later@example.org"})

    run(there, data_dir, one_more)
    people, log, _ = run(there, data_dir, look(organization_id))
    assert people[-1].number == before[0][-1].number + 1
    assert log[-1].event.position == before[1][-1].event.position + 1


def test_who_watches_sees_every_table_through(data_dir):
    run(data_dir.database, data_dir, furnish)
    seen = {}
    moved = moving.move(data_dir.database, target(), vault(data_dir), lambda *step: seen.update({step[0]: step[1:]}))
    assert seen == {one.table: (2 * one.rows, 2 * one.rows) for one in moved}


def test_what_is_not_empty_is_left_alone(data_dir):
    run(data_dir.database, data_dir, furnish)
    assert move().exit_code == 0
    again = move()
    assert again.exit_code == 1
    assert "holds rows" in again.stderr


def test_what_postgresql_does_not_take_is_said_and_nothing_is_moved(data_dir):
    organization_id = run(data_dir.database, data_dir, furnish)
    run(
        data_dir.database,
        data_dir,
        lambda tx: tx.connection.exec_driver_sql(
            "UPDATE affiliates SET company = 'a' || char(0) WHERE number % 10 = 0"
        ),
    )
    shown = move()
    told = [line for line in shown.stderr.splitlines() if "store.not_durable" not in line]  # a fast server's warning
    assert (shown.exit_code, len(told)) == (1, 1)
    assert "nothing was moved" in told[0]
    assert run(target(), data_dir, look(organization_id)) == ([], [], [])


def test_another_master_key_is_refused(data_dir, monkeypatch):
    run(data_dir.database, data_dir, furnish)
    monkeypatch.setenv("AFFWIRE_MASTER_KEY", "another master key of more than thirty-two letters")
    shown = move()
    assert (shown.exit_code, "master key is not the one" in shown.stderr) == (1, True)


def test_without_a_target_or_a_source_it_says_so(data_dir, monkeypatch):
    assert "no database at" in move().stderr
    monkeypatch.delenv("AFFWIRE_DATABASE_URL")
    shown = move()
    assert "AFFWIRE_DATABASE_URL=postgresql://" in shown.stderr
