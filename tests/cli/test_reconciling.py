"""reconcile: what is missing on either side, what differs and what does not, and the writes that end it."""

import json

import pytest
from typer.testing import CliRunner

from affwire.cli.main import app

LENA = {
    "id": "5b0e3c9e-5a34-4d0e-9c27-6f8f9a4b1d11",
    "email": "lena@example.org",
    "first_name": "Lena",
    "last_name": "Ohm",
    "state": "active",
    "campaign": {"id": "7a6b5c4d-1111-4222-8333-444455556666", "name": "Friends"},
}
MAX = LENA | {"id": "11111111-5a34-4d0e-9c27-6f8f9a4b1d11", "email": "max@example.org", "first_name": "Max"}
PLACE = {
    "event": "campaign_affiliate.activated",
    "occurred_at": "2026-02-27T18:35:02-05:00",
    "campaign_affiliate_id": 7,
    "campaign_id": 8,
    "organization_id": 9,
    "user_id": 10,
    "status": "active",
    "campaign_name": "Spring",
    "user_email": "gil@example.org",
    "user_name": "Gil Rey",
}


def typed(*arguments):
    shown = CliRunner().invoke(app, [*map(str, arguments)])
    assert shown.exception is None or isinstance(shown.exception, SystemExit), shown.exception
    return shown


@pytest.fixture
def export(tmp_path):
    def written(*records):
        file = tmp_path / "export.json"
        file.write_text(json.dumps(records))
        return file

    return written


def reconciled(file, *more, dialect="rewardful"):
    shown = typed("reconcile", file, "--from", dialect, "--json", *more)
    return shown.exit_code, json.loads(shown.stdout)


def drift(file, *more, dialect="rewardful"):
    code, told = reconciled(file, *more, dialect=dialect)
    assert code == bool(told["drift"])
    return {(one["kind"], one["drift"] if "drift" in one else one["how"], one["field"]) for one in told["drift"]}


def test_the_same_on_both_sides_is_no_drift(server, export):
    file = export(LENA, MAX)
    typed("import", file, "--from", "rewardful")
    shown = typed("reconcile", file, "--from", "rewardful")
    assert (shown.exit_code, shown.stdout, shown.stderr) == (0, "", "There is no drift.\n")


def test_what_is_missing_here_is_told_and_written_with_events(server, export):
    file = export(LENA)
    assert drift(file) == {(kind, "missing here", "") for kind in ("program", "affiliate", "membership")}
    assert server.get("/v1/affiliates")["data"] == []
    code, told = reconciled(file, "--apply")
    assert (code, told["applied"], told["refused"]) == (0, 3, [])
    types = {event["type"] for event in server.get("/v1/events")["data"]}
    assert {"program.created", "affiliate.created", "membership.activated"} <= types
    assert drift(file) == set()


def test_what_is_missing_there_is_told_and_left_alone(server, export):
    typed("import", export(LENA, MAX), "--from", "rewardful")
    file = export(LENA)
    assert ("affiliate", "missing there", "") in drift(file)
    shown = typed("reconcile", file, "--from", "rewardful", "--apply")
    assert shown.exit_code == 1
    assert "nothing is taken away" in shown.stderr
    assert len(server.get("/v1/affiliates")["data"]) == 2


def test_a_membership_that_is_no_more_there_is_told(server, export):
    typed("import", export(LENA, MAX), "--from", "rewardful")
    assert drift(export(LENA, MAX | {"campaign": None})) == {("membership", "missing there", "")}


def test_a_field_that_differs_is_told_with_both_values_and_mended(server, export):
    typed("import", export(LENA), "--from", "rewardful")
    file = export(LENA | {"last_name": "Ohmsen", "state": "disabled"})
    _, told = reconciled(file)
    assert [(one["field"], one["there"], one["here"]) for one in told["drift"]] == [
        ("last_name", "Ohmsen", "Ohm"),
        ("status", "disabled", "active"),
    ]
    code, told = reconciled(file, "--apply")
    assert (code, told["applied"]) == (0, 1)  # one write, however many fields
    assert server.get(f"/v1/affiliates/ext:rewardful:{LENA['id']}")["last_name"] == "Ohmsen"
    assert "affiliate.updated" in {event["type"] for event in server.get("/v1/events")["data"]}


def test_what_the_platform_cannot_tell_apart_is_no_drift(server, export):
    file = export(LENA)
    typed("import", file, "--from", "rewardful")
    found = server.get(f"/v1/affiliates/ext:rewardful:{LENA['id']}")
    server.patch(f"/v1/affiliates/{found['id']}", {"status": "pending"})
    (membership,) = server.get("/v1/memberships")["data"]
    server.patch(f"/v1/memberships/{membership['id']}", {"status": "vip"})
    assert drift(file) == set()


def test_a_name_that_is_parted_otherwise_is_no_drift(server, export):
    file = export(PLACE | {"user_name": "Gil van Rey"})
    typed("import", file, "--from", "growi")
    found = server.get("/v1/affiliates/ext:growi:10")
    server.patch(f"/v1/affiliates/{found['id']}", {"first_name": "Gil van", "last_name": "Rey"})
    assert drift(file, dialect="growi") == set()


def test_an_affiliate_without_the_platforms_id_is_known_by_the_address(server, export):
    server.post("/v1/affiliates", {"email": "Lena@Example.org", "first_name": "Lena", "last_name": "Ohm"})
    assert ("affiliate", "missing here", "") not in drift(export(LENA))


def test_the_last_of_several_webhooks_counts(server, export):
    left = PLACE | {"event": "campaign_affiliate.left", "status": "left", "occurred_at": "2026-02-28T18:35:02-05:00"}
    assert ("membership", "missing here", "") not in drift(export(PLACE, left), dialect="growi")
    typed("import", export(PLACE), "--from", "growi")
    assert reconciled(export(PLACE, left), dialect="growi")[1]["drift"][0]["field"] == "status"
    assert reconciled(export(PLACE, left), "--apply", dialect="growi")[0] == 0
    assert server.get("/v1/memberships")["data"][0]["status"] == "left"


def test_what_the_server_refuses_is_told_and_the_rest_is_written(server, export):
    code, told = reconciled(export(LENA | {"email": "nonsense", "campaign": None}, MAX), "--apply")
    assert code == 1
    assert len(told["refused"]) == 1
    assert [one["email"] for one in server.get("/v1/affiliates")["data"]] == ["max@example.org"]


def test_a_bad_record_is_told_and_is_exit_1(server, export):
    shown = typed("reconcile", export({"id": 5.5}), "--from", "rewardful")
    assert shown.exit_code == 1
    assert shown.stderr.startswith("line 1: ")


def test_an_unknown_platform_is_a_mistake_of_usage(server, export):
    shown = typed("reconcile", export(LENA), "--from", "rewardfull")
    assert (shown.exit_code, shown.stdout) == (2, "")


def test_the_table_names_both_values(server, export):
    typed("import", export(LENA), "--from", "rewardful")
    shown = typed("reconcile", export(LENA | {"last_name": "Ohmsen"}), "--from", "rewardful")
    assert shown.exit_code == 1
    assert "Ohmsen" in shown.stdout
    assert shown.stderr == "1 difference.\n"


def test_a_record_that_only_the_mirror_knows_by_the_platforms_id_is_found(server, export):
    server.post("/v1/endpoints", {"url": "https://127.0.0.1:9443/in", "dialect": "rewardful"})
    made = server.post("/v1/affiliates", {"email": "lena@example.org"})
    source = typed("sources", "create", "rewardful", "--unverified").stdout.split()[0]
    fields = [f"object.{name}={json.dumps(value)}" for name, value in LENA.items()]
    sent = typed("inbox", "simulate", source, "affiliate.updated", *(part for one in fields for part in ("--set", one)))
    assert sent.exit_code == 0, sent.stderr
    assert server.get(f"/v1/affiliates/ext:rewardful:{LENA['id']}")["id"] == made["id"]
    moved = LENA | {"email": "lena@elsewhere.example"}
    _, told = reconciled(export(moved))
    assert [(one["ours"], one["field"]) for one in told["drift"] if one["kind"] == "affiliate"] == [
        (made["id"], "email")
    ]


def test_what_is_not_compared_is_told(server, export):
    links = [{"id": "l-1", "url": "https://x.example", "token": "lena"}]
    file = export(LENA | {"links": links})
    typed("import", file, "--from", "rewardful")
    shown = typed("reconcile", file, "--from", "rewardful")
    assert "Not compared: link (1).\n" in shown.stderr
    assert reconciled(file)[1]["not_compared"] == {"link": 1}
