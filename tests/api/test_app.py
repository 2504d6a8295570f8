"""The app as a whole: it is described, healthy, and answers what it does not know."""

import json

import pytest
from office import refused

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(office):
    answer = office.http.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def operations(document):
    return [
        (path, method, one) for path, of in document["paths"].items() for method, one in of.items() if method in METHODS
    ]


def test_the_description_is_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_every_operation_has_id_summary_tag_and_answers(document):
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert operation["operationId"], where
        assert operation["summary"], where
        assert operation["tags"], where
        assert "default" in operation["responses"], where
        assert any(code.startswith("2") for code in operation["responses"]), where


def test_operation_ids_are_unique(document):
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_every_reference_in_the_description_leads_somewhere(document):
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"], name


def test_every_post_under_v1_takes_an_idempotency_key(document):
    for path, method, operation in operations(document):
        if method == "post" and path.startswith("/v1"):
            assert any(one["name"] == "Idempotency-Key" for one in operation["parameters"]), path


def test_the_record_that_is_described_is_the_record_that_is_shown(office, document):
    program = office.admin.made("/v1/programs", name="Spring")
    assert set(document["components"]["schemas"]["Program"]["properties"]) == set(program)


def test_a_patch_describes_neither_defaults_nor_required_fields(document):
    schema = document["components"]["schemas"]["ProgramPatch"]
    assert "required" not in schema
    assert not [name for name, one in schema["properties"].items() if "default" in one]


def test_the_contracts_routes_are_all_there(document):
    for noun in (
        "organizations",
        "programs",
        "affiliates",
        "memberships",
        "groups",
        "links",
        "promo-codes",
        "endpoints",
    ):
        assert {"get", "post"} <= document["paths"][f"/v1/{noun}"].keys()
    assert {"get", "post"} <= document["paths"]["/v1/keys"].keys()
    assert "post" in document["paths"]["/v1/deliveries/{delivery_id}/replay"]


def test_an_unknown_route_is_a_problem(office):
    refused(office.admin.get("/v1/nothing"), 404, "route_not_found")


def test_a_slash_at_the_end_is_no_redirect(office):
    refused(office.admin.get("/v1/programs/"), 404, "route_not_found")


def test_a_method_that_is_not_there_is_a_problem_that_names_those_that_are(office):
    answer = office.admin.send("PUT", "/v1/programs")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_needs_no_key(office, path):
    assert office.nobody.get(path).json() == {"status": "ok"}


def test_readiness_ends_with_the_store(office):
    office.desk.store._engine.close()
    answer = office.nobody.get("/readyz")
    refused(answer, 503, answer.json()["code"])
    assert answer.headers["retry-after"]
    assert office.nobody.get("/livez").status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_no_page_names_a_cdn(office, path):
    refused(office.nobody.get(path), 404, "route_not_found")
