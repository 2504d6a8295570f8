import json
import socket

import pytest
from typer.testing import CliRunner

from affwire.cli.main import app
from affwire.store.datadir import DataDir


def doctor(path, *arguments):
    return CliRunner().invoke(app, ["doctor", "--data-dir", str(path), *arguments])


def findings(path):
    return {finding["check"]: finding for finding in json.loads(doctor(path, "--json").stdout)}


@pytest.fixture
def data(tmp_path):
    assert CliRunner().invoke(app, ["migrate", "--data-dir", str(tmp_path / "data")]).exit_code == 0
    return tmp_path / "data"


def test_a_fresh_machine_is_well_and_nothing_is_made(tmp_path):
    shown = doctor(tmp_path / "none")
    assert shown.exit_code == 0
    assert "fail" not in shown.stdout
    assert not (tmp_path / "none").exists()


def test_data_at_rest_is_looked_into(data):
    found = findings(data)
    assert found["database"]["state"] == "ok"
    assert found["lock"]["state"] == "ok"


def test_what_is_not_well_says_what_to_do_and_fails(data):
    (data / "master-key").chmod(0o644)
    shown = doctor(data)
    assert shown.exit_code == 1
    assert f"chmod go= {data / 'master-key'}" in shown.stdout


def test_a_foreign_master_key_is_found_before_a_server_stumbles_over_it(data, monkeypatch):
    monkeypatch.setenv("AFFWIRE_MASTER_KEY", "another key of thirty-two characters or more")
    assert findings(data)["database"]["state"] == "fail"


def test_a_lost_master_key_is_found_and_none_is_made(data):
    (data / "master-key").unlink()
    assert findings(data)["database"]["state"] == "fail"
    assert not (data / "master-key").exists()


def test_a_file_that_is_no_database_is_found(data):
    (data / "affwire.db").write_bytes(b"not a database" * 1000)
    (data / "affwire.db").chmod(0o600)
    assert findings(data)["database"]["state"] == "fail"


def test_a_wrong_setting_is_a_finding(tmp_path, monkeypatch):
    monkeypatch.setenv("AFFWIRE_RETENTION_DAYS", "-1")
    assert findings(tmp_path)["settings"]["state"] == "fail"


def test_a_variable_that_is_no_setting_is_told_beside_the_findings(tmp_path, monkeypatch):
    monkeypatch.setenv("AFFWIRE_ALOW_HTTP", "1")
    shown = doctor(tmp_path / "none", "--json")
    assert shown.exit_code == 0
    assert shown.stderr == "affwire: AFFWIRE_ALOW_HTTP is no setting; did you mean AFFWIRE_ALLOW_HTTP?\n"


@pytest.mark.parametrize("networks", ["10.0.0.0/99", "nonsense"])
def test_a_network_that_is_none_is_found(networks, tmp_path, monkeypatch):
    monkeypatch.setenv("AFFWIRE_ALLOW_NETWORKS", networks)
    assert findings(tmp_path)["networks"]["state"] == "fail"


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_is_found(text, tmp_path, monkeypatch):
    path = tmp_path / "ca.pem"
    if text:
        path.write_text(text)
    monkeypatch.setenv("AFFWIRE_CA_FILE", str(path))
    assert findings(tmp_path / "none")["authorities"]["state"] == "fail"


def test_a_server_that_holds_the_data_but_does_not_answer_is_found(data, monkeypatch):
    with socket.socket() as nobody, DataDir(data).lock():
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AFFWIRE_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        found = findings(data)
    assert found["lock"]["state"] == "ok"
    assert found["server"]["state"] == "fail"
