"""/v1/stats: for the operator and for the machine itself, over all organizations."""

from office import refused
from starlette.testclient import TestClient

URL = "https://public.test/hooks?token=hidden"


def test_the_operator_and_the_machine_itself_read_it_and_nobody_else(office):
    assert office.operator.get("/v1/stats").status_code == 200
    assert TestClient(office.http.app, client=("127.0.0.1", 4711)).get("/v1/stats").status_code == 200
    refused(office.nobody.get("/v1/stats"), 401, "key_missing")
    refused(office.admin.get("/v1/stats"), 403, "operator_key_needed")
    refused(office.operator.get("/v1/stats", hours=1), 422, "unknown_parameter")


def test_it_tells_of_all_organizations_and_hides_urls(office):
    for owner in (office.admin, office.stranger):
        owner.made("/v1/endpoints", url=URL, dialect="standard")
        owner.made("/v1/programs", name="Spring")
    office.clock.advance(2_000)
    found = office.operator.get("/v1/stats").json()
    assert found["queue"]["pending"] == 2
    assert {one["organization_id"] for one in found["worst_endpoints"]} >= {office.organization["id"]}
    assert len(found["worst_endpoints"]) == 2
    assert "hidden" not in str(found)
