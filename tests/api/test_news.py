"""The log tells of what an operator may look for, and who asked for it: one line each, and never a secret."""

import json

import pytest
from structlog.testing import capture_logs


@pytest.fixture
def endpoint(admin):
    return admin.made("/v1/endpoints", url="https://public.test/", dialect="standard")["id"]


def news(lines):
    return [line for line in lines if line["event"] != "request.answered"]


def names(lines):
    return [line["event"] for line in news(lines)]


def test_keys_secrets_and_endpoints_are_told_of_with_who_did_it(office, admin, endpoint):
    path = f"/v1/endpoints/{endpoint}"
    with capture_logs() as lines:
        key = admin.made("/v1/keys", scope="read")
        rotated = admin.post(f"{path}/rotate").json()["secret"]
        replaced = admin.made("/v1/endpoints", url="https://public.test/", dialect="standard")["secret"]
        admin.patch(path, {"secret": replaced, "enabled": False})
        admin.patch(path, {"enabled": True})
        admin.delete(f"/v1/keys/{key['id']}")
        office.operator.made("/v1/organizations", slug="third")
    told = [(line["event"], line.get("id") or line["endpoint_id"]) for line in news(lines)[:-1]]
    assert told == [
        ("key.created", key["id"]),
        ("secret.rotated", endpoint),
        ("endpoint.disabled", endpoint),
        ("secret.replaced", endpoint),
        ("endpoint.enabled", endpoint),
        ("key.revoked", key["id"]),
    ]
    assert len({line["by"] for line in news(lines)[:-1]}) == 1
    assert news(lines)[0]["by"].startswith("key_")
    assert (news(lines)[-1]["event"], news(lines)[-1]["by"]) == ("key.created", "operator")
    written = json.dumps(lines)
    assert not [secret for secret in (key["api_key"], rotated, replaced) if secret in written]


def test_jobs_are_told_of_and_a_refused_request_is_not(admin):
    with capture_logs() as lines:
        job = admin.post("/v1/deliveries/replay", {}).json()["id"]
        admin.post(f"/v1/jobs/{job}/cancel")
        admin.post(f"/v1/jobs/{job}/cancel")
    assert names(lines) == ["job.started", "job.cancelled"]


def test_a_repeated_request_is_told_of_once(admin):
    with capture_logs() as lines:
        for _ in range(2):
            admin.post("/v1/keys", {"scope": "read"}, headers={"Idempotency-Key": "k"})
    assert names(lines) == ["key.created"]
