"""Sources over the API: an ingest URL comes out, no secret ever does, and only an organization's admin may touch them."""

from dataclasses import replace

import pytest
from office import refused
from starlette.testclient import TestClient

from affwire.api.app import create_app
from affwire.ingest.app import Door

SECRET = "a-secret-of-the-platform"
MADE = {"dialect": "rewardful", "secret": SECRET}


@pytest.fixture
def door(office):
    desk = office.desk
    return TestClient(Door(office.http.app, desk.store, desk.dialects, desk.world))


def test_a_new_source_tells_where_to_paste_its_url_and_what_it_is_worth(admin):
    answer = admin.post("/v1/sources", {**MADE, "name": "Ours", "mode": "relay", "match": "id"})
    source = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/sources/{source['id']}"
    assert source["id"].startswith("src_")
    assert source["ingest_url"].startswith("/in/awi_")
    assert source["paste"]
    assert source["badge"] == {
        "authenticity": "signed",
        "dedupe": "id",
        "colour": "yellow",
        "warning": source["badge"]["warning"],
    }
    assert (source["mode"], source["match"], source["name"], source["unverified"], source["enabled"]) == (
        "relay",
        "id",
        "Ours",
        False,
        True,
    )
    assert (source["secret_last4"], source["seen"], source["last_message_at"]) == (SECRET[-4:], 0, None)
    assert SECRET not in answer.text
    assert admin.get(f"/v1/sources/{source['id']}").json() == source
    assert admin.get("/v1/sources").json() == {"data": [source], "next_cursor": None}


def test_the_defaults_are_mirror_and_email(admin):
    source = admin.made("/v1/sources", dialect="growi")
    assert (source["mode"], source["match"], source["badge"]["colour"]) == ("mirror", "email", "red")


def test_the_url_is_absolute_where_the_public_one_is_known(office):
    desk = replace(office.desk, public_url="https://hooks.example.com/affwire")
    admin = replace(office.admin, http=TestClient(create_app(desk)))
    assert admin.made("/v1/sources", dialect="growi")["ingest_url"].startswith(
        "https://hooks.example.com/affwire/in/awi_"
    )


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"dialect": "rewardful"}, "missing_secret", "/secret"),
        ({"dialect": "rewardful", "unverified": False}, "missing_secret", "/secret"),
        ({"dialect": "growi", "secret": SECRET}, "no_secret", "/secret"),
        ({**MADE, "secret": "short"}, "invalid_secret", "/secret"),
        ({**MADE, "unverified": True}, "secret_unused", "/secret"),
        ({"dialect": "nobody"}, "unknown_dialect", "/dialect"),
        ({**MADE, "options": {"nothing": "x"}}, "unknown_option", "/options"),
        ({**MADE, "mode": "copy"}, "invalid_request", "/mode"),
        ({**MADE, "match": "name"}, "invalid_request", "/match"),
        ({**MADE, "unverified": "yes"}, "invalid_request", "/unverified"),
        ({**MADE, "nme": "x"}, "invalid_request", "/nme"),
        ({**MADE, "name": "a\nb"}, "invalid_request", "/name"),
        ({}, "invalid_request", "/dialect"),
    ],
)
def test_what_does_not_fit_is_refused_naming_the_field(admin, fields, code, pointer):
    problem = refused(admin.post("/v1/sources", fields), 422, code)
    assert problem["errors"][0]["pointer"] == pointer
    assert SECRET not in str(problem)
    assert admin.get("/v1/sources").json()["data"] == []


def test_unverified_has_to_be_said(admin):
    source = admin.made("/v1/sources", dialect="rewardful", unverified=True)
    assert (source["badge"]["authenticity"], source["badge"]["colour"]) == ("none", "red")


def test_an_idempotency_key_makes_one_source_and_its_kept_answer_lets_nobody_in(admin):
    headers = {"Idempotency-Key": "k"}
    first = admin.post("/v1/sources", MADE, headers=headers).json()
    again = admin.post("/v1/sources", MADE, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.json()["id"], again.json()["ingest_url"]) == (first["id"], None)
    assert len(admin.get("/v1/sources").json()["data"]) == 1


def test_a_source_is_changed_under_its_tag_whatever_messages_come(admin, door):
    source = admin.made("/v1/sources", dialect="growi")
    path = f"/v1/sources/{source['id']}"
    tag = admin.get(path).headers["etag"]
    assert door.post(source["ingest_url"], content=b"{}").status_code == 200
    assert admin.get(path).json()["seen"] == 1
    assert admin.get(path).headers["etag"] == tag
    answer = admin.send("PATCH", path, json={"name": "x"}, headers={"If-Match": tag})
    assert answer.json()["name"] == "x"
    assert answer.headers["etag"] == admin.get(path).headers["etag"] != tag
    refused(admin.send("PATCH", path, json={"name": "y"}, headers={"If-Match": tag}), 412, "precondition_failed")
    refused(admin.send("DELETE", path, headers={"If-Match": tag}), 412, "precondition_failed")


def test_a_patch_changes_what_it_names(admin):
    source = admin.made("/v1/sources", **MADE)
    after = admin.patch(f"/v1/sources/{source['id']}", {"mode": "relay", "enabled": False}).json()
    assert {name for name in after if after[name] != source[name]} == {"mode", "enabled", "updated_at"}
    assert admin.patch(f"/v1/sources/{source['id']}", {"secret": "the-next-secret"}).json()["secret_last4"] == "cret"
    problem = refused(admin.patch(f"/v1/sources/{source['id']}", {"dialect": "growi"}), 422, "invalid_request")
    assert problem["errors"][0]["pointer"] == "/dialect"
    refused(admin.patch(f"/v1/sources/{source['id']}", {"secret": None}), 422, "invalid_request")


def test_a_rotation_lets_both_secrets_verify_and_can_move_the_url(admin):
    source = admin.made("/v1/sources", **MADE)
    path = f"/v1/sources/{source['id']}/rotate"
    answer = admin.post(path, {"secret": "the-next-secret", "overlap_seconds": 60})
    assert answer.status_code == 201
    assert [one["expires_at"] is None for one in answer.json()["secrets"]] == [True, False]
    assert answer.json()["ingest_url"] == source["ingest_url"]
    assert "the-next-secret" not in answer.text
    moved = admin.post(path, {"new_url": True}).json()
    assert moved["ingest_url"] != source["ingest_url"]
    assert len(moved["secrets"]) == 2
    refused(admin.post(path, {}), 422, "nothing_to_rotate")
    refused(admin.post(path, {"secret": "x" * 9, "overlap_seconds": -1}), 422, "invalid_request")


def test_a_deleted_source_is_gone(admin, door):
    source = admin.made("/v1/sources", dialect="growi")
    assert admin.delete(f"/v1/sources/{source['id']}").status_code == 204
    refused(admin.get(f"/v1/sources/{source['id']}"), 404, "source_not_found")
    assert door.post(source["ingest_url"], content=b"{}").status_code == 404


def test_registry_keys_may_not_touch_sources_and_read_keys_see_no_url(office, admin):
    source = admin.made("/v1/sources", dialect="growi")
    path = f"/v1/sources/{source['id']}"
    for answer in (
        office.registry.get("/v1/sources"),
        office.registry.get(path),
        office.registry.post("/v1/sources", {"dialect": "growi"}),
        office.registry.patch(path, {"name": "x"}),
        office.registry.delete(path),
        office.registry.post(f"{path}/rotate", {"new_url": True}),
        office.reader.post("/v1/sources", {"dialect": "growi"}),
        office.reader.patch(path, {"name": "x"}),
        office.reader.delete(path),
        office.reader.post(f"{path}/rotate", {"new_url": True}),
    ):
        refused(answer, 403, "scope_insufficient")
    assert office.reader.get(path).json() == {**source, "ingest_url": None}
    refused(office.operator.get(path), 403, "organization_key_needed")


def test_anothers_source_is_not_found(office, admin):
    path = f"/v1/sources/{admin.made('/v1/sources', dialect='growi')['id']}"
    for answer in (
        office.stranger.get(path),
        office.stranger.patch(path, {"name": "x"}),
        office.stranger.delete(path),
        office.stranger.post(f"{path}/rotate", {"new_url": True}),
    ):
        refused(answer, 404, "source_not_found")
    assert office.stranger.get("/v1/sources").json()["data"] == []


def test_pages_of_sources_go_on(admin):
    made = [admin.made("/v1/sources", dialect="growi")["id"] for _ in range(3)]
    first = admin.get("/v1/sources", limit=2).json()
    second = admin.get("/v1/sources", limit=2, cursor=first["next_cursor"]).json()
    assert [one["id"] for one in first["data"] + second["data"]] == made
