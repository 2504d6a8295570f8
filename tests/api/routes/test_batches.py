"""Batches: the single routes' rules, one commit, all or nothing."""

import pytest
from office import refused

from affwire.api.batching import OPERATIONS_MAX
from affwire.api.envelope import BATCH_BYTES_MAX, BODY_BYTES_MAX


def op(method, path, body=None):
    return {"method": method, "path": f"/v1/{path}", **({} if body is None else {"body": body})}


STORY = [
    op("PUT", "programs/ext:crm:p", {"name": "Spring"}),
    op("POST", "affiliates", {"email": "kim@example.org", "external_ids": {"crm": "7"}}),
    op("POST", "affiliates/ext:crm:7/confirm"),
    op("PUT", "memberships/ext:crm:m", {"affiliate_id": "ext:crm:7", "program_id": "ext:crm:p", "status": "pending"}),
    op("POST", "memberships/ext:crm:m/approve"),
    op("POST", "promo-codes", {"membership_id": "ext:crm:m", "code": "KIM"}),
    op("POST", "links", {"membership_id": "ext:crm:m", "url": "https://example.com", "token": "kim"}),
    op("POST", "groups", {"name": "Gold"}),
    op("PATCH", "affiliates/ext:crm:7", {"city": "Bonn"}),
    op("DELETE", "programs/ext:crm:p?force=true"),
]
STATUSES = [201, 201, 201, 201, 201, 201, 201, 201, 200, 204]


def batch(client, operations, **more):
    return client.post("/v1/batches", {"operations": operations, **more})


def events(client):
    return client.get("/v1/events", limit=200).json()["data"]


def test_every_write_of_the_registry_may_be_in_a_batch(admin):
    answer = batch(admin, STORY)
    assert answer.status_code == 201
    results = answer.json()["results"]
    assert [one["status"] for one in results] == STATUSES
    assert results[4]["body"]["status"] == "active"
    assert results[-1]["body"] is None


def test_an_operation_says_what_its_own_request_would_have_said(office):
    batch(office.admin, STORY)
    together = [(event["type"], event["previous"].keys()) for event in events(office.admin)]
    for one in STORY:
        answer = office.stranger.send(one["method"], one["path"], **({"json": one["body"]} if "body" in one else {}))
        assert answer.is_success
    assert [(event["type"], event["previous"].keys()) for event in events(office.stranger)] == together


def test_each_operation_is_a_request_of_its_own(admin):
    batch(admin, STORY)
    causes = [event["cause"]["request_id"] for event in events(admin)]
    assert len(set(causes)) == 8
    assert causes[-2] == causes[-1]


def test_without_emit_nothing_is_told_and_all_else_is_right(admin):
    admin.made("/v1/endpoints", url="https://public.test/in", dialect="insert_affiliate")
    assert batch(admin, STORY[:-1], emit=False).status_code == 201
    assert events(admin) == []
    assert admin.get("/v1/deliveries").json()["data"] == []
    admin.post("/v1/memberships/ext:crm:m/remove")
    [event] = events(admin)
    assert (event["type"], event["sequence"]) == ("membership.removed", 1)
    assert (event["standing_before"], event["standing_after"]) == (True, False)
    assert [one["word"] for one in admin.get("/v1/deliveries").json()["data"]] == ["affiliate.deactivated"]


def test_times_go_on_through_silent_changes(admin):
    quiet = [op("PATCH", "affiliates/ext:crm:7", {"city": name}) for name in ("Bonn", "Ulm")]
    results = batch(admin, [*STORY[:2], *quiet], emit=False).json()["results"]
    moved = [one["body"]["updated_at"] for one in results[1:]]
    assert moved == sorted(set(moved))


def test_one_that_is_refused_undoes_all_and_tells_which(admin):
    taken = op("POST", "affiliates", {"email": "kim@example.org"})
    problem = refused(batch(admin, [*STORY[:4], taken]), 409, "email_taken", operation=4)
    assert problem["existing_id"].startswith("aff_")
    assert admin.get("/v1/affiliates").json()["data"] == []
    assert events(admin) == []


@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        (op("POST", "affiliates", {"emial": "a@b.test"}), 422, "invalid_request"),
        (op("POST", "affiliates"), 422, "invalid_request"),
        (op("POST", "affiliates", {"email": "a@b.test", "sign_in_count": "1"}), 422, "invalid_request"),
        (op("PUT", "affiliates/kim", {"email": "a@b.test"}), 422, "invalid_request"),
        (op("DELETE", "programs/prg_1?forse=true"), 422, "invalid_request"),
        (op("DELETE", "groups/grp_1?force=true"), 422, "unknown_parameter"),
        (op("DELETE", "programs/prg_1?force=true&force=false"), 400, "repeated_parameter"),
        (op("DELETE", "groups/grp_1", {}), 422, "body_unexpected"),
        (op("POST", "memberships/mem_1/fly"), 422, "invalid_request"),
        (op("POST", "endpoints", {}), 404, "route_not_found"),
        (op("POST", "keys", {}), 404, "route_not_found"),
        (op("POST", "batches", {}), 404, "route_not_found"),
        (op("POST", "nowhere", {}), 404, "route_not_found"),
        ({"method": "POST", "path": "https://example.com/v1/affiliates"}, 404, "route_not_found"),
        ({"method": "POST", "path": "//[/v1/affiliates"}, 404, "route_not_found"),
        (op("DELETE", "programs/prg_\x00"), 404, "route_not_found"),
        (op("DELETE", "programs/prg_%00"), 404, "route_not_found"),
        (op("PATCH", "affiliates/aff_1", {"city": "Bonn"}), 404, "affiliate_not_found"),
    ],
)
def test_what_its_own_route_would_refuse_is_refused_here(admin, operation, status, code):
    refused(batch(admin, [op("POST", "groups", {"name": "Gold"}), operation]), status, code, operation=1)
    assert admin.get("/v1/groups").json()["data"] == []


def test_a_field_that_may_have_been_meant_is_named(admin):
    problem = batch(admin, [op("POST", "affiliates", {"emial": "a@b.test"})]).json()
    assert "did you mean 'email'?" in problem["detail"]


@pytest.mark.parametrize(
    "body",
    [{}, {"operations": []}, {"operations": [{}]}, {"operations": [op("GET", "affiliates")]}, {"operations": "x"}],
)
def test_a_batch_that_is_none_is_422(admin, body):
    refused(admin.post("/v1/batches", body), 422, "invalid_request")


def test_a_batch_has_a_thousand_operations_at_most(admin):
    many = [op("POST", "groups", {"name": "G"})] * OPERATIONS_MAX
    assert len(batch(admin, many).json()["results"]) == OPERATIONS_MAX
    refused(batch(admin, [*many, many[0]]), 422, "invalid_request")


def test_a_dry_run_answers_and_changes_nothing(admin):
    answer = batch(admin, STORY, dry_run=True)
    assert [one["status"] for one in answer.json()["results"]] == STATUSES
    assert admin.get("/v1/affiliates").json()["data"] == []
    assert events(admin) == []
    refused(batch(admin, [STORY[1], STORY[1]], dry_run=True), 409, "email_taken", operation=1)


def test_a_batch_is_carried_out_once_under_its_key(admin):
    sent = {"json": {"operations": STORY[:2]}, "headers": {"Idempotency-Key": "one"}}
    first, again = (admin.send("POST", "/v1/batches", **sent) for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len(events(admin)) == 2


def test_reading_keys_and_strangers_change_nothing(office):
    refused(batch(office.reader, STORY), 403, "scope_insufficient")
    assert batch(office.registry, STORY[:2]).status_code == 201
    refused(batch(office.stranger, [STORY[2]]), 404, "affiliate_not_found", operation=0)


def test_a_batch_may_be_larger_than_other_bodies(admin):
    words = {"note": "x" * 16_000}
    many = [op("POST", "affiliates", {"email": f"k{n}@example.org", "metadata": words}) for n in range(100)]
    assert batch(admin, many, emit=False).status_code == 201
    assert BODY_BYTES_MAX < 100 * 16_000
    large = admin.send("POST", "/v1/batches", content=b" " * (BATCH_BYTES_MAX + 1))
    refused(large, 413, "body_too_large")
