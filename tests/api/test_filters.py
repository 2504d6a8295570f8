"""Filters that can find nothing are refused with what they might have meant, not answered with an empty list."""

import pytest
from office import refused

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
