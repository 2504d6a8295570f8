"""Filters that can find nothing are refused with what they might have meant, not answered with an empty list."""

import pytest
from office import refused

from affwire.model.times import rfc3339
from affwire.services.spans import AHEAD_MS

FILTERS = [
    ("affiliates?status=actve", "status", "active"),
    ("deliveries?status=pendin", "status", "pending"),
    ("deliveries/stream?status=helt", "status", "held"),
    ("deliveries/stream?outcome=fail", "outcome", "failed"),
    ("events?type=membership.activate", "type", "membership.activated"),
    ("events/stream?type=affiliate.create", "type", "affiliate.created"),
]


@pytest.mark.parametrize(("query", "parameter", "meant"), FILTERS)
def test_a_misspelt_value_of_a_filter_is_refused_with_the_nearest(admin, query, parameter, meant):
    answer = admin.get(f"/v1/{query}")
    problem = refused(answer, 422, answer.json()["code"])
    assert problem["errors"][0]["parameter"] == parameter
    assert f"did you mean '{meant}'?" in problem["detail"]


@pytest.mark.parametrize("query", [query for query, _, _ in FILTERS])
def test_a_value_like_no_other_is_refused_with_those_there_are(admin, query):
    problem = admin.get(f"/v1/{query.partition('=')[0]}=zzzzzz").json()
    assert (problem["status"], "did you mean" in problem["detail"]) == (422, False)
    assert "known" in problem or "'pending'" in problem["detail"] or "'failed'" in problem["detail"]


def test_a_membership_may_have_a_status_of_its_owners_own_but_of_its_form(admin):
    assert admin.get("/v1/memberships", status="on_hold").json()["data"] == []
    refused(admin.get("/v1/memberships", status="On hold"), 422, "invalid_request")


def test_a_misspelt_choice_in_a_body_is_told_the_nearest(admin):
    problem = refused(admin.post("/v1/keys", {"scope": "registri"}), 422, "invalid_request")
    assert "did you mean 'registry'?" in problem["detail"]


SPANS = ["deliveries?since=", "messages?since="]
BODIES = ["deliveries/replay", "messages/reprocess"]


@pytest.mark.parametrize("path", SPANS)
def test_a_span_that_has_not_begun_is_refused_and_one_that_begins_soon_is_empty(office, path):
    now = office.desk.world.now()
    for later in ("9999-12-31T00:00:00Z", rfc3339(now + AHEAD_MS + 1)):
        problem = refused(office.admin.get(f"/v1/{path}{later}"), 422, "invalid_time")
        assert problem["errors"][0]["parameter"] == "since"
    assert office.admin.get(f"/v1/{path}{rfc3339(now + AHEAD_MS)}").json()["data"] == []


@pytest.mark.parametrize("path", BODIES)
def test_a_job_over_a_span_that_has_not_begun_is_refused(admin, path):
    wish = {"since": "9999-12-31T00:00:00Z", "dry_run": True}
    assert refused(admin.post(f"/v1/{path}", wish), 422, "invalid_time")["errors"][0]["pointer"] == "/since"


def test_a_recovery_of_a_span_that_has_not_begun_is_refused(admin):
    made = admin.post("/v1/endpoints", {"url": "https://example.com/hook", "dialect": "standard"}).json()
    wish = {"since": "9999-12-31T00:00:00Z", "dry_run": True}
    refused(admin.post(f"/v1/endpoints/{made['id']}/recover", wish), 422, "invalid_time")
