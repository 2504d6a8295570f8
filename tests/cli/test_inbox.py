"""sources and inbox against a real server: from a source's creation to a message's end, and what goes wrong on the way."""

import json

import pytest
from typer.testing import CliRunner

from affwire.cli.main import app
from affwire.plugins import load_dialects
from affwire.testing import genuine

SECRETS = {name: genuine.secret_of(dialect) for name, dialect in load_dialects().items()}


def typed(*arguments, body=None, **environment):
    shown = CliRunner().invoke(app, list(arguments), input=body, env=environment)
    assert shown.exception is None or isinstance(shown.exception, SystemExit), shown.exception
    return shown


def made(dialect, *more):
    secret = ("--secret", SECRETS[dialect]) if SECRETS[dialect] else ()
    shown = typed("sources", "create", dialect, *secret, *more)
    assert shown.exit_code == 0, shown.stderr
    source_id, url = shown.stdout.splitlines()
    return source_id, url, shown.stderr


def simulated(source_id, dialect, *more):
    secret = ("--secret", SECRETS[dialect]) if SECRETS[dialect] else ()
    return typed("inbox", "simulate", source_id, *more, *secret)


def test_a_new_source_tells_its_url_and_where_to_paste_it(server):
    source_id, url, told = made("rewardful", "--mode", "relay", "--name", "Ours")
    assert url.startswith(f"{server.address}/in/")
    assert "app.getrewardful.com/webhooks" in told
    assert "The signature carries no time" in told
    assert SECRETS["rewardful"] not in typed("sources", "show", source_id, "--json").output
    listed = typed("sources", "list").stdout
    assert all(part in listed for part in (source_id, "relay", "Ours", "signed"))


def test_a_dialect_that_signs_needs_its_secret(server):
    shown = typed("sources", "create", "rewardful")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert typed("sources", "create", "rewardful", "--unverified").exit_code == 0


def test_a_secret_may_stand_in_a_file(server, tmp_path):
    file = tmp_path / "secret"
    file.write_text(SECRETS["affonso"] + "\n")
    source_id = typed("sources", "create", "affonso", "--secret-file", str(file)).stdout.split()[0]
    assert simulated(source_id, "affonso").exit_code == 0
    assert typed("sources", "create", "affonso", "--secret-file", str(tmp_path / "no")).exit_code == 2


def test_a_source_is_changed_rotated_and_deleted(server):
    source_id, url, _ = made("rewardful")
    assert typed("sources", "update", source_id, "--mode", "relay", "--set", "name=Other").exit_code == 0
    shown = json.loads(typed("sources", "show", source_id, "--json").stdout)
    assert (shown["mode"], shown["name"]) == ("relay", "Other")
    rotated = typed("sources", "rotate", source_id, "--secret", "a-new-secret-of-theirs", "--new-url")
    assert rotated.stdout.strip().startswith(f"{server.address}/in/")
    assert rotated.stdout.strip() != url
    assert "2 secrets" in rotated.stderr
    assert simulated(source_id, "rewardful").exit_code == 0
    assert typed("sources", "delete", source_id).exit_code == 0
    assert typed("sources", "show", source_id).exit_code == 1


@pytest.mark.parametrize("dialect", SECRETS)
def test_a_simulated_message_of_every_dialect_comes_in(server, dialect):
    source_id, *_ = made(dialect, "--mode", "relay")
    shown = simulated(source_id, dialect)
    assert shown.exit_code == 0, shown.stderr
    assert shown.stdout.startswith("msg_")
    assert "200; msg_" in shown.stderr
    again = simulated(source_id, dialect)
    assert again.stdout != shown.stdout


def test_what_is_set_stands_in_the_message(server):
    source_id, *_ = made("rewardful", "--mode", "relay")
    message_id = simulated(
        source_id, "rewardful", "affiliate.created", "--set", "object.email=ada@example.com"
    ).stdout.strip()
    shown = typed("inbox", "show", message_id).stdout
    assert '"email": "ada@example.com"' in shown
    assert "applied" in shown
    raw = typed("inbox", "raw", message_id)
    assert json.loads(raw.stdout)["object"]["email"] == "ada@example.com"


def test_a_wrong_secret_is_refused_with_the_status(server):
    source_id, *_ = made("rewardful")
    shown = typed("inbox", "simulate", source_id, "--secret", "another-secret")
    assert shown.exit_code == 1
    assert ": 401 " in shown.stderr


def test_a_rejected_message_is_taken_in_once_the_secret_is_known(server):
    source_id, *_ = made("rewardful", "--mode", "relay")
    typed("inbox", "simulate", source_id, "--secret", "another-secret")
    listed = json.loads(typed("inbox", "list", "--source", source_id, "--status", "rejected", "--json").stdout)
    (message,) = listed["data"]
    wrong = typed("inbox", "verify", message["id"], "--secret", "a-third-secret")
    assert wrong.exit_code == 1
    assert "is not genuine" in wrong.stderr
    assert ".;" not in wrong.stderr
    right = typed("inbox", "verify", message["id"], "--secret", "another-secret")
    assert right.exit_code == 0
    assert "is genuine" in right.stderr


def test_a_message_is_set_aside_released_and_processed_again(server):
    source_id, *_ = made("growi", "--mode", "relay")
    message_id = simulated(source_id, "growi").stdout.strip()
    for action, status in (("quarantine", "quarantined"), ("release", "received"), ("reprocess", None)):
        shown = typed("inbox", action, message_id)
        if status:
            assert f"{message_id} is {status} now." in shown.stderr


def test_the_list_of_messages_can_be_narrowed(server):
    source_id, *_ = made("growi", "--mode", "relay")
    simulated(source_id, "growi")
    assert source_id not in typed("inbox", "list", "--status", "parked").stdout
    assert "campaign_affiliate" in typed("inbox", "list", "--source", source_id).stdout


def test_an_unverified_source_needs_no_secret_to_simulate(server):
    source_id = typed("sources", "create", "standard", "--unverified", "--mode", "relay").stdout.split()[0]
    assert typed("inbox", "simulate", source_id).exit_code == 0


def test_a_missing_secret_and_an_unknown_word_are_mistakes_of_usage(server):
    source_id, *_ = made("rewardful")
    assert typed("inbox", "simulate", source_id).exit_code == 2
    shown = simulated(source_id, "rewardful", "affiliate.creatd")
    assert shown.exit_code == 2
    assert "did you mean 'affiliate.created'?" in shown.stderr


def test_the_secret_of_a_simulation_may_come_from_the_environment(server):
    source_id, *_ = made("rewardful", "--mode", "relay")
    assert typed("inbox", "simulate", source_id, "--json", AFFWIRE_SECRET=SECRETS["rewardful"]).exit_code == 0
