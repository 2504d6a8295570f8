"""Backups through the API: the operator's, of a database that has a file, and never twice by a repeated request."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from office import Client, open_office, refused
from starlette.testclient import TestClient

from affwire.api.app import create_app


@pytest.fixture
def kept(tmp_path):
    office = open_office(tmp_path / "live.db")
    app = create_app(replace(office.desk, backups=tmp_path / "backups"))
    yield office, Client(TestClient(app), office.operator.key)
    office.desk.store._engine.close()


@pytest.mark.slow
def test_the_operator_backs_up_while_the_server_runs(kept):
    office, operator = kept
    office.admin.made("/v1/affiliates", email="a@b.test")
    made = operator.made("/v1/backups")
    office.admin.made("/v1/affiliates", email="later@b.test")
    connection = sqlite3.connect(made["path"])
    assert connection.execute("SELECT email FROM affiliates").fetchall() == [("a@b.test",)]
    connection.close()
    assert made["bytes"] == Path(made["path"]).stat().st_size
    assert Path(made["path"]).parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
def test_a_repeated_request_makes_one_backup(kept, tmp_path):
    _, operator = kept
    answers = [operator.post("/v1/backups", headers={"Idempotency-Key": "k"}).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_nobody_else_may_and_a_database_in_memory_has_none(office):
    refused(office.admin.post("/v1/backups"), 403, "operator_key_needed")
    refused(office.nobody.post("/v1/backups"), 401, "key_missing")
    refused(office.operator.post("/v1/backups"), 409, "no_backups")
    refused(office.operator.post("/v1/backups", {"file": "x"}), 422, "invalid_request")
