"""What a platform exports: every shape that is read, and every other one refused with what was found; and its import."""

import json

import pytest
from typer.testing import CliRunner

from affwire.cli.exports import SHAPES, read_export, shapes
from affwire.cli.main import app
from affwire.cli.seeding import operations
from affwire.errors import Refused
from affwire.plugins import load_dialects
from affwire.testing import genuine

AT = 1_772_000_000_000
DIALECTS = load_dialects()
REWARDFUL = {
    "id": "5b0e3c9e-5a34-4d0e-9c27-6f8f9a4b1d11",
    "email": "lena@example.org",
    "first_name": "Lena",
    "last_name": "Ohm",
    "state": "active",
    "created_at": "2024-06-24T00:43:36.097Z",
    "updated_at": "2024-06-27T18:38:41.684Z",
    "campaign": {"id": "7a6b5c4d-1111-4222-8333-444455556666", "name": "Friends"},
    "links": [],
}
CAMPAIGN = {"id": "7a6b5c4d-1111-4222-8333-444455556666", "name": "Friends", "reward_type": "percent", "private": False}
AFFONSO = {
    "id": "aff_77",
    "email": "kim@example.org",
    "program_id": "prog_5",
    "partnership_status": "approved",
    "tracking_id": "KIM",
    "onboarding_completed": True,
    "promo_codes": [{"code": "KIM10", "promo_code_id": "pc_1", "discount_value": "10.00"}],
}
TAMIO = {
    "object": "affiliate",
    "id": "0f4ad6a5-86f9-4b2c-9c2b-0d5b0a8e3a11",
    "email": "tess@example.org",
    "name": "Tess",
    "surname": "Vo",
    "affiliate_program_id": "68ea0c41-a7ed-4169-b0dc-72f0f0eb4000",
    "affiliate_program_label": "20 %",
    "approved": True,
}
GROWI = {
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


def written(folder, content, name="export.json"):
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return file


def records(folder, dialect, content, name="export.json"):
    return list(read_export(written(folder, content, name), DIALECTS[dialect], AT))


def told(folder, dialect, content, name="export.json"):
    (record,) = records(folder, dialect, content, name)
    assert record.problem is None
    return record.reading


@pytest.mark.parametrize(
    "content",
    [
        {"pagination": {"count": 1}, "data": [REWARDFUL]},
        [REWARDFUL],
        REWARDFUL,
        json.dumps(REWARDFUL).encode() + b"\n",
        b"\xef\xbb\xbf" + json.dumps([REWARDFUL], indent=2).encode(),
    ],
)
def test_rewardfuls_rest_answers_are_read(tmp_path, content):
    reading = told(tmp_path, "rewardful", content)
    assert reading.affiliate.id == REWARDFUL["id"]
    assert reading.affiliate.fields["email"] == "lena@example.org"
    assert reading.membership.program.fields["name"] == "Friends"


def test_rewardfuls_campaigns_are_read_as_programs(tmp_path):
    reading = told(tmp_path, "rewardful", {"data": [CAMPAIGN]})
    assert (reading.program.id, reading.program.fields["is_public"]) == (CAMPAIGN["id"], True)


def test_rewardfuls_csv_is_read_by_its_head_line(tmp_path):
    content = b"ID,Email,First Name,campaign.id,campaign.name\r\nx1,a@example.org,Ada,c1,Friends\r\n\r\nx2,,,,\r\n"
    first, second = records(tmp_path, "rewardful", content, "affiliates.csv")
    assert (first.number, first.reading.affiliate.fields["first_name"]) == (2, "Ada")
    assert first.reading.membership.program.id == "c1"
    assert (second.number, second.reading.memberships) == (4, ())


def test_affonsos_rest_answers_in_snake_case_are_read(tmp_path):
    reading = told(tmp_path, "affonso", {"success": True, "data": [AFFONSO], "has_more": False})
    assert (reading.affiliate.id, reading.membership.program.id) == ("aff_77", "prog_5")
    assert reading.membership.told.fields["status"] == "active"
    assert reading.membership.told.fields["tag"] == "KIM"
    assert reading.membership.promo_codes[0].fields["code"] == "KIM10"
    assert reading.unread == ()


def test_tamios_lists_are_read(tmp_path):
    reading = told(tmp_path, "tamio", {"status": 200, "total_results": 1, "affiliates": [TAMIO]})
    assert reading.membership.told.id == TAMIO["id"]
    waiting = told(tmp_path, "tamio", {"affiliates": [TAMIO | {"approved": False}]})
    assert (reading.membership.told.fields["status"], waiting.membership.told.fields["status"]) == ("active", "pending")
    program = json.loads(genuine.request("tamio", "affiliate-program-created").body)["data"]["affiliate_program"]
    assert told(tmp_path, "tamio", {"affiliate_programs": [program]}).program.id == program["id"]


def test_insert_affiliates_addresses_are_read(tmp_path):
    content = b"Email,Deep Link\nada@example.org,https://app.example/ada\nnobody,\n"
    first, second = records(tmp_path, "insert_affiliate", content, "list.csv")
    assert first.reading.affiliate.fields == {"email": "ada@example.org"}
    assert second.problem == "email is missing."


@pytest.mark.parametrize("name", DIALECTS)
def test_webhook_bodies_are_read_of_every_platform(tmp_path, name):
    bodies = [genuine.request(name, word.name).body for word in DIALECTS[name].card.words if not word.open]
    lines = records(tmp_path, name, b"\n".join(bodies), "hooks.jsonl")
    listed = records(tmp_path, name, b"[" + b",".join(bodies) + b"]")
    assert [one.reading for one in lines] == [one.reading for one in listed]
    assert not [one.problem for one in lines if one.problem]


@pytest.mark.parametrize(
    ("dialect", "content", "name", "found"),
    [
        ("rewardful", {"users": [1]}, "e.json", "the keys users"),
        ("rewardful", b"name,mail\na,b\n", "e.csv", "the columns name, mail"),
        ("growi", b"id,email\n1,a\n", "e.csv", "the columns id, email"),
        ("rewardful", b"id;email\n1;a\n", "e.txt", "neither JSON nor JSON lines"),
        ("tamio", b'"text"', "e.json", "Read are"),
    ],
)
def test_another_shape_is_refused_with_what_was_found(tmp_path, dialect, content, name, found):
    content = json.dumps(content, indent=1).encode() if isinstance(content, dict) else content
    with pytest.raises(Refused) as refused:
        records(tmp_path, dialect, content, name)
    assert found in refused.value.sentence


def test_what_is_wrong_with_a_record_is_told_with_its_place(tmp_path):
    found = records(tmp_path, "growi", json.dumps(GROWI).encode() + b"\nnonsense\n[]\n{}\n", "h.jsonl")
    assert [(one.number, one.problem is None) for one in found] == [(1, True), (2, False), (3, False), (4, False)]


@pytest.mark.parametrize("name", DIALECTS)
def test_every_platforms_shapes_are_said(name):
    assert "webhook bodies" in shapes(name)
    assert (name in SHAPES) == (name not in {"growi", "standard"})


def test_a_record_becomes_writes_under_the_platforms_ids(tmp_path):
    reading = told(tmp_path, "rewardful", [REWARDFUL])
    program, affiliate, membership = operations(reading, "rewardful", lambda _: False)
    assert program["path"] == "/v1/programs/ext:rewardful:7a6b5c4d-1111-4222-8333-444455556666"
    assert affiliate["path"] == f"/v1/affiliates/ext:rewardful:{REWARDFUL['id']}"
    assert affiliate["body"]["email"] == "lena@example.org"
    assert membership["path"].endswith(f"ext:rewardful:{REWARDFUL['id']}:{REWARDFUL['campaign']['id']}")
    assert membership["body"]["affiliate_id"] == f"ext:rewardful:{REWARDFUL['id']}"


def test_a_membership_that_is_over_is_not_begun(tmp_path):
    reading = told(tmp_path, "growi", [GROWI | {"event": "campaign_affiliate.left", "status": "left"}])
    assert [one["path"].split("/")[2] for one in operations(reading, "growi", lambda _: False)] == [
        "programs",
        "affiliates",
    ]


def test_a_program_without_a_name_is_named_after_its_id_unless_it_is_known(tmp_path):
    reading = told(tmp_path, "affonso", [AFFONSO])
    assert next(operations(reading, "affonso", lambda _: False))["body"] == {"name": "prog_5"}
    assert next(operations(reading, "affonso", lambda _: True))["body"] == {}


# against a real server


def imported(*arguments):
    shown = CliRunner().invoke(app, ["import", *map(str, arguments)])
    assert shown.exception is None or isinstance(shown.exception, SystemExit), shown.exception
    return shown


@pytest.mark.parametrize(
    ("dialect", "content", "name"),
    [
        ("rewardful", {"data": [REWARDFUL]}, "a.json"),
        ("affonso", {"data": [AFFONSO]}, "a.json"),
        ("tamio", {"affiliates": [TAMIO]}, "a.json"),
        ("growi", [GROWI], "a.json"),
        ("insert_affiliate", b"email,deep_link\nada@example.org,https://app.example/a\n", "a.csv"),
    ],
)
def test_an_export_is_imported_and_a_repeat_changes_nothing(server, tmp_path, dialect, content, name):
    file = written(tmp_path, content, name)
    rehearsed = imported(file, "--from", dialect, "--dry-run")
    assert (rehearsed.exit_code, "would be imported, 0 bad" in rehearsed.stdout) == (0, True), rehearsed.stderr
    assert server.get("/v1/affiliates")["data"] == []
    first = imported(file, "--from", dialect)
    assert first.exit_code == 0, first.stderr
    before = [server.get(f"/v1/{kind}")["data"] for kind in ("affiliates", "programs", "memberships")]
    assert before[0]
    assert imported(file, "--from", dialect).exit_code == 0
    assert before == [server.get(f"/v1/{kind}")["data"] for kind in ("affiliates", "programs", "memberships")]
    assert server.get("/v1/events")["data"] == []


def test_an_imported_affiliate_is_found_under_the_platforms_id(server, tmp_path):
    imported(written(tmp_path, [REWARDFUL]), "--from", "rewardful")
    found = server.get(f"/v1/affiliates/ext:rewardful:{REWARDFUL['id']}")
    assert (found["email"], found["first_name"]) == ("lena@example.org", "Lena")
    (membership,) = server.get("/v1/memberships")["data"]
    assert (membership["affiliate_id"], membership["status"]) == (found["id"], "active")


def test_a_bad_record_is_told_with_its_place_and_the_rest_is_taken(server, tmp_path):
    content = [REWARDFUL, REWARDFUL | {"id": "other", "email": "nonsense"}, {"id": 5}]
    shown = imported(written(tmp_path, content), "--from", "rewardful")
    assert shown.exit_code == 1
    assert "line 2: " in shown.stderr
    assert len(server.get("/v1/affiliates")["data"]) == 1


def test_what_no_operation_writes_is_counted_and_told(server, tmp_path):
    content = [
        AFFONSO | {"group_id": "g1"},
        AFFONSO | {"id": "aff_78", "email": "b@example.org", "partnership_status": "rejected", "shoe": 43},
    ]
    file = written(tmp_path, content)
    shown = imported(file, "--from", "affonso")
    assert shown.stderr == "Left out: promo code (2), group (1), membership that is over (1), data.shoe (1).\n"
    told = json.loads(imported(file, "--from", "affonso", "--json").stdout)["left_out"]
    assert told == {"promo code": 2, "group": 1, "membership that is over": 1, "data.shoe": 1}


def test_a_deep_link_without_a_program_is_told_to_be_left_out(server, tmp_path):
    file = written(tmp_path, b"email,deep_link\nada@example.org,https://app.example/a\n", "a.csv")
    assert "Left out: membership without a program (1)." in imported(file, "--from", "insert_affiliate").stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--from", "rewardfull"), "did you mean 'rewardful'?"), (("--from", "rewardful", "--by", "crm"), "--by is for")],
)
def test_a_wrong_call_is_a_mistake_of_usage(tmp_path, arguments, told):
    shown = imported(written(tmp_path, [REWARDFUL]), *arguments)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert told in shown.stderr


def test_what_is_no_export_is_a_mistake_of_usage(tmp_path):
    shown = imported(written(tmp_path, {"users": [1], "n": 2}), "--from", "growi")
    assert (shown.exit_code, shown.stdout) == (2, "")
