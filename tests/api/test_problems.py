"""Refusals name what is wrong and never repeat what was sent."""

import pytest
from office import refused


def first(problem):
    return problem["errors"][0]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("affiliates", {"email": "nobody"}, "/email"),
        ("affiliates", {"email": "a@b.test", "country": "XX"}, "/country"),
        ("affiliates", {"email": "a@b.test", "timezone": "Mars/Olympus"}, "/timezone"),
        ("affiliates", {"email": "a@b.test", "status": "gone"}, "/status"),
        ("affiliates", {"email": None}, "/email"),
        ("affiliates", {"email": "a@b.test", "external_ids": {"growi": 5}}, "/external_ids/growi"),
        ("programs", {"name": "A", "currency": "EURO"}, "/currency"),
        ("programs", {"name": "A", "commission_percent": -1}, "/commission_percent"),
        ("programs", {"name": "A", "commission_amount": -1}, "/commission_amount"),
        ("programs", {"name": ""}, "/name"),
        ("programs", {"name": "A", "is_public": 1}, "/is_public"),
        ("programs", {"name": "A", "products": ["a", 5]}, "/products/1"),
        ("memberships", {"affiliate_id": "x", "program_id": "y", "status": "No"}, "/status"),
        ("memberships", {"program_id": "y"}, "/affiliate_id"),
        ("promo-codes", {"membership_id": "m", "code": "X", "discount_value": 10}, "/discount_value"),
        ("links", {"membership_id": "m", "url": "javascript:x", "token": "t"}, "/url"),
        ("keys", {"scope": "root"}, "/scope"),
    ],
)
def test_malformed_input_is_422_naming_the_field(admin, path, body, pointer):
    problem = refused(admin.post(f"/v1/{path}", body), 422, "invalid_request")
    assert first(problem)["pointer"] == pointer
    assert pointer.lstrip("/") in problem["detail"]


def test_an_unknown_field_is_refused_with_a_suggestion(admin):
    problem = refused(admin.post("/v1/programs", {"nmae": "A"}), 422, "invalid_request")
    error = next(one for one in problem["errors"] if one["pointer"] == "/nmae")
    assert error["code"] == "unknown_field"
    assert "'name'" in error["detail"]


def test_an_unknown_field_inside_an_object_is_compared_with_that_objects_fields(admin):
    body = {"url": "https://public.test", "dialect": "standard", "policy": {"retry_shedule": []}}
    problem = refused(admin.post("/v1/endpoints", body), 422, "invalid_request")
    assert first(problem)["pointer"] == "/policy/retry_shedule"
    assert "'retry_schedule'" in first(problem)["detail"]


def test_an_unknown_field_like_no_other_lists_the_known(admin):
    problem = refused(admin.patch("/v1/groups/x", {"colour": 1}), 422, "invalid_request")
    assert "name" in first(problem)["detail"]


def test_an_unknown_parameter_is_refused_with_a_suggestion(admin):
    problem = refused(admin.get("/v1/affiliates?emial=a"), 422, "invalid_request")
    assert first(problem)["parameter"] == "emial"
    assert "'email'" in first(problem)["detail"]


@pytest.mark.parametrize(
    "path", ["/v1/affiliates?email=a&email=b", "/v1/events?limit=1&after=x&limit=1", "/v1/affiliates/aff_1?x=1&x=2"]
)
def test_a_parameter_that_is_given_twice_is_refused_and_neither_is_taken(admin, path):
    problem = refused(admin.get(path), 400, "repeated_parameter")
    assert first(problem)["parameter"] in {"email", "limit", "x"}


def test_a_misspelt_way_of_deleting_deletes_nothing(admin):
    affiliate = admin.made("/v1/affiliates", email="a@b.test")
    refused(admin.delete(f"/v1/affiliates/{affiliate['id']}?erased=true"), 422, "invalid_request")
    assert admin.get(f"/v1/affiliates/{affiliate['id']}").status_code == 200


def test_what_was_sent_is_not_repeated(admin):
    secret = "hunter2hunter2hunter2\x00"
    body = {"url": "https://public.test", "dialect": "rewardful", "secret": [secret], "bearer_token": f"{secret} x"}
    answer = admin.post("/v1/endpoints", body)
    refused(answer, 422, "invalid_request")
    assert "hunter2" not in answer.text


def test_a_pointer_escapes_what_json_pointers_escape(admin):
    problem = refused(admin.post("/v1/programs", {"name": "A", "a/b~c": 1}), 422, "invalid_request")
    assert first(problem)["pointer"] == "/a~1b~0c"


def test_a_thousand_unknown_fields_make_a_short_answer(admin):
    answer = admin.post("/v1/programs", {"x" * 5000 + str(n): n for n in range(100)})
    refused(answer, 422, "invalid_request")
    assert len(answer.text) < 20_000


@pytest.mark.parametrize("body", [[], 5, "x", True, [{}]])
def test_a_body_that_is_no_object_is_422(admin, body):
    problem = refused(admin.post("/v1/programs", body), 422, "invalid_request")
    assert first(problem) == {"pointer": "", "code": "object_needed", "detail": "A JSON object is needed."}


def test_facts_of_a_refusal_are_members_of_the_problem(admin):
    affiliate = admin.made("/v1/affiliates", email="Kim@B.test")
    problem = refused(admin.post("/v1/affiliates", {"email": "kim@b.TEST"}), 409, "email_taken")
    assert problem["existing_id"] == affiliate["id"]
    assert first(problem)["pointer"] == "/email"
