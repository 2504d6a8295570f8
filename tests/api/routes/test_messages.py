"""Messages over the API: what came in is listed, shown byte for byte, judged anew, processed once more, set aside."""

import hashlib
import hmac
import json

import pytest
from office import refused
from starlette.testclient import TestClient

from affwire.ingest.app import Door

SECRET, RIGHT = "a-secret-of-the-platform", "the-right-secret-after-all"


def body(event_id="e1", word="affiliate.created"):
    event = {"id": event_id, "type": word, "created_at": "2026-02-25T06:00:00.000Z", "api_version": "v1"}
    shown = {"id": "a1", "email": "jane@example.com", "first_name": "Jane", "last_name": "Doe"}
    return json.dumps({"object": shown, "event": event, "request": {"id": "r"}}).encode()


@pytest.fixture
def source(admin):
    return admin.made("/v1/sources", dialect="rewardful", secret=SECRET)


@pytest.fixture
def sent(office, source):
    desk = office.desk
    http = TestClient(Door(office.http.app, desk.store, desk.dialects, desk.world))

    def send(content, secret=SECRET):
        signature = hmac.digest(secret.encode(), content, hashlib.sha256).hex()
        return http.post(source["ingest_url"], content=content, headers={"X-Rewardful-Signature": signature})

    return send


def listed(client, **query):
    return client.get("/v1/messages", **query).json()["data"]


def test_a_message_is_listed_and_shown_with_what_it_said(admin, source, sent):
    assert sent(body()).status_code == 200
    [shown] = listed(admin)
    assert shown["id"].startswith("msg_")
    assert (shown["source_id"], shown["word"], shown["dedupe_key"], shown["status"], shown["events"]) == (
        source["id"],
        "affiliate.created",
        "e1",
        "received",
        [],
    )
    assert "body" not in shown
    full = admin.get(f"/v1/messages/{shown['id']}").json()
    assert {name: full[name] for name in shown} == shown
    assert (full["body"], full["body_base64"]) == (body().decode(), False)
    assert "x-rewardful-signature" in dict(full["headers"])


def test_a_message_is_shown_byte_for_byte(admin, sent):
    sent(b"\x00\xff<script>")
    [shown] = listed(admin)
    raw = admin.get(f"/v1/messages/{shown['id']}/raw")
    assert raw.content == b"\x00\xff<script>"
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert admin.get(f"/v1/messages/{shown['id']}").json()["body_base64"] is True


def test_lists_are_newest_first_filtered_and_paged(office, admin, source, sent):
    for nth in range(3):
        office.clock.advance(1_000)
        sent(body(f"e{nth}", "affiliate.updated" if nth == 1 else "affiliate.created"))
    sent(b"x", secret="wrong-secret")
    assert [one["dedupe_key"] for one in listed(admin)] == [None, "e2", "e1", "e0"]
    first = admin.get("/v1/messages", limit=3).json()
    assert [one["dedupe_key"] for one in listed(admin, limit=3, cursor=first["next_cursor"])] == ["e0"]
    assert [one["status"] for one in listed(admin, status="rejected")] == ["rejected"]
    assert [one["dedupe_key"] for one in listed(admin, word="affiliate.updated")] == ["e1"]
    assert len(listed(admin, source_id=source["id"])) == 4
    assert listed(admin, source_id="src_other") == []
    since = listed(admin, word="affiliate.updated")[0]["received_at"]
    assert [one["dedupe_key"] for one in listed(admin, since=since)] == [None, "e2", "e1"]
    problem = refused(admin.get("/v1/messages", status="rejectd"), 422, "invalid_request")
    assert "did you mean 'rejected'?" in problem["detail"]
    refused(admin.get("/v1/messages", nothing="x"), 422, "invalid_request")


def test_a_rejected_message_tells_why_and_is_taken_in_with_the_right_secret(admin, sent):
    answer = sent(body(), secret=RIGHT)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    [shown] = listed(admin)
    assert (shown["status"], answer.json()["reason"] in shown["reason"]) == ("rejected", True)
    path = f"/v1/messages/{shown['id']}"
    refused(admin.post(f"{path}/reprocess"), 409, "message_rejected")
    doubted = admin.post(f"{path}/verify")
    assert (doubted.status_code, doubted.json()["genuine"], doubted.json()["status"]) == (201, False, "rejected")
    assert doubted.json()["doubt"]
    verified = admin.post(f"{path}/verify", {"secret": RIGHT}).json()
    assert (verified["genuine"], verified["doubt"], verified["status"], verified["dedupe_key"]) == (
        True,
        None,
        "received",
        "e1",
    )
    assert sent(body()).status_code == 200
    assert len(listed(admin)) == 1


def test_a_message_is_set_aside_and_released(admin, sent):
    sent(body())
    path = f"/v1/messages/{listed(admin)[0]['id']}"
    assert admin.post(f"{path}/quarantine").json()["status"] == "quarantined"
    refused(admin.post(f"{path}/reprocess"), 409, "message_quarantined")
    answer = admin.post(f"{path}/release")
    assert (answer.status_code, answer.json()["status"]) == (201, "received")
    refused(admin.post(f"{path}/release"), 409, "message_not_quarantined")


def test_an_unreadable_message_is_parked_and_can_be_reprocessed(admin, sent):
    assert sent(b"not json").status_code == 200
    [shown] = listed(admin)
    assert (shown["status"], bool(shown["reason"])) == ("parked", True)
    assert admin.post(f"/v1/messages/{shown['id']}/reprocess").json()["status"] == "received"


def test_many_messages_are_reprocessed_as_a_job(admin, source, sent):
    for _ in range(3):
        sent(b"not json")
    sent(body())
    wish = {"source_id": source["id"], "dry_run": True}
    assert admin.post("/v1/messages/reprocess", wish).json() == {"dry_run": True, "total": 3}
    answer = admin.post("/v1/messages/reprocess", {"source_id": source["id"]})
    assert (answer.status_code, answer.json()["kind"], answer.json()["total"]) == (202, "reprocess", 3)
    assert admin.get(f"/v1/jobs/{answer.json()['id']}").json()["request"] == {"source_id": source["id"]}
    assert admin.post("/v1/messages/reprocess", {"status": "applied", "dry_run": True}).json()["total"] == 0
    refused(admin.post("/v1/messages/reprocess", {"status": "rejected"}), 422, "invalid_request")
    refused(admin.post("/v1/messages/reprocess", {"source_id": "src_none"}), 404, "source_not_found")


def test_who_may_do_what_with_messages(office, admin, sent):
    sent(body())
    path = f"/v1/messages/{listed(admin)[0]['id']}"
    assert office.reader.get(path).status_code == office.registry.get(f"{path}/raw").status_code == 200
    refused(office.reader.post(f"{path}/reprocess"), 403, "scope_insufficient")
    refused(office.registry.post(f"{path}/verify"), 403, "scope_insufficient")
    assert office.registry.post(f"{path}/quarantine").status_code == 201
    refused(office.operator.get(path), 403, "organization_key_needed")
    refused(office.nobody.get(path), 401, "key_missing")


def test_anothers_message_is_not_found(office, admin, sent):
    sent(body())
    path = f"/v1/messages/{listed(admin)[0]['id']}"
    strange = office.stranger
    answers = [strange.get(path), strange.get(f"{path}/raw")]
    answers += [strange.post(f"{path}/{action}") for action in ("reprocess", "verify", "quarantine", "release")]
    problems = [refused(answer, 404, "message_not_found") for answer in answers]
    unknown = refused(strange.get("/v1/messages/msg_unknown"), 404, "message_not_found")
    assert {problem["detail"].replace(path.rpartition("/")[2], "msg_unknown") for problem in problems} == {
        unknown["detail"]
    }
    assert listed(strange) == []
