"""Rotation, test sends and recoveries through the API."""

import random
from dataclasses import replace

import pytest
from office import refused

from affwire.model.wire import Outcome
from affwire.testing.wire import FakeWire, answer

URL = "https://public.test/hooks"


def make(admin, dialect="standard", **fields):
    return admin.made("/v1/endpoints", url=URL, dialect=dialect, **fields)


@pytest.fixture
def wire(office):
    wire = FakeWire(random.Random(1), office.clock)
    wire.scripts["public.test"] = lambda _rng, _before: (0, answer(200))
    office.http.app.state.desk = replace(office.desk, wire=wire)
    return wire


def test_a_rotation_shows_the_new_secret_once_and_both_as_they_end(admin):
    made = make(admin)
    told = admin.post(f"/v1/endpoints/{made['id']}/rotate", {"overlap_seconds": 60})
    assert told.status_code == 201
    rotated = told.json()
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]
    new, old = rotated["secrets"]
    assert (new["last4"], new["expires_at"]) == (rotated["secret"][-4:], None)
    assert old["last4"] == made["secret"][-4:]
    assert old["expires_at"].endswith("Z")
    shown = admin.get(f"/v1/endpoints/{made['id']}")
    assert rotated["secret"] not in shown.text
    assert len(shown.json()["secrets"]) == 2


def test_a_repeated_rotation_rotates_once_and_keeps_no_secret(admin):
    made = make(admin)
    path, headers = f"/v1/endpoints/{made['id']}/rotate", {"Idempotency-Key": "r-1"}
    first = admin.post(path, {"overlap_seconds": 60}, headers=headers)
    again = admin.post(path, {"overlap_seconds": 60}, headers=headers)
    assert first.json()["secret"]
    assert again.json()["secret"] is None
    assert len(admin.get(f"/v1/endpoints/{made['id']}").json()["secrets"]) == 2


@pytest.mark.parametrize("seconds", [-1, 604_801, 1.5, "60", None])
def test_an_overlap_is_a_number_of_seconds_up_to_a_week(admin, seconds):
    made = make(admin)
    assert admin.post(f"/v1/endpoints/{made['id']}/rotate", {"overlap_seconds": seconds}).status_code == 422


def test_only_the_owner_rotates_tests_and_recovers(office, wire):
    made = make(office.admin)
    bodies = {"rotate": {}, "test": {}, "recover": {"since": "2020-01-01T00:00:00Z"}}
    for action, body in bodies.items():
        for who in (office.registry, office.reader):
            refused(who.post(f"/v1/endpoints/{made['id']}/{action}", body), 403, "scope_insufficient")
        answer = office.stranger.post(f"/v1/endpoints/{made['id']}/{action}", body)
        refused(answer, 404, "endpoint_not_found")
    assert wire.arrivals == []


def test_a_test_send_answers_with_the_attempt_and_records_nothing(office, wire):
    made = make(office.admin)
    told = office.admin.post(f"/v1/endpoints/{made['id']}/test", {"word": "affiliate.created"})
    assert told.status_code == 200
    shown = told.json()
    assert (shown["outcome"], shown["status_code"], shown["word"]) == ("ok", 200, "affiliate.created")
    assert dict(wire.arrivals[0].request.headers)["Affwire-Test"] == "1"
    assert made["secret"] not in told.text
    assert office.admin.get("/v1/deliveries").json()["data"] == []
    assert office.admin.get("/v1/events").json()["data"] == []


def test_a_test_send_needs_no_body_and_is_sent_once_per_idempotency_key(office, wire):
    made = make(office.admin, "growi")
    for _ in range(2):
        told = office.admin.post(f"/v1/endpoints/{made['id']}/test", headers={"Idempotency-Key": "t"})
        assert told.json()["outcome"] == "ok"
    assert len(wire.arrivals) == 1


def test_a_failed_test_is_still_an_answer(office, wire):
    wire.scripts["public.test"] = lambda _rng, _before: (0, Outcome(error="tls", detail="the certificate has expired"))
    made = make(office.admin)
    shown = office.admin.post(f"/v1/endpoints/{made['id']}/test").json()
    assert (shown["outcome"], shown["error"], shown["detail"]) == ("failed", "tls", "the certificate has expired")
    refused(office.admin.post(f"/v1/endpoints/{made['id']}/test", {"word": "x"}), 422, "unknown_word")


def test_a_process_that_sends_nothing_tests_nothing(admin):
    made = make(admin)
    refused(admin.post(f"/v1/endpoints/{made['id']}/test"), 503, "no_wire")


def test_a_recovery_is_a_job_and_its_dry_run_a_count(office):
    office.admin.made("/v1/programs", name="Early")
    office.clock.advance(1)
    made = make(office.admin)
    path, body = f"/v1/endpoints/{made['id']}/recover", {"since": "2020-01-01T00:00:00Z"}
    dry = office.admin.post(path, {**body, "dry_run": True})
    assert dry.status_code == 200
    assert dry.json() == {"dry_run": True, "endpoint_id": made["id"], "replayed": 0, "created": 1, "total": 1}
    assert office.admin.get("/v1/jobs").json()["data"] == []
    job = office.admin.post(path, body)
    assert job.status_code == 202
    shown = job.json()
    assert (shown["kind"], shown["status"], shown["total"]) == ("recover", "running", 1)
    assert shown["request"] == {"since": "2020-01-01T00:00:00.000Z", "endpoint_id": made["id"]}
    refused(office.admin.post(path, {}), 422, "invalid_request")


def test_health_is_shown_to_readers_of_the_organization(office):
    made = make(office.admin, event_types=["endpoint.*", "delivery.exhausted"])
    path = f"/v1/endpoints/{made['id']}/health"
    shown = office.reader.get(path).json()
    assert (shown["state"], shown["success_rate"], shown["hours"]) == ("healthy", None, 24)
    assert shown["backlog"] == {"pending": 0, "held": 0, "leased": 0}
    assert office.reader.get(path, hours=168).status_code == 200
    assert office.reader.get(path, hours=169).status_code == 422
    refused(office.registry.get(path), 403, "scope_insufficient")
    refused(office.stranger.get(path), 404, "endpoint_not_found")
