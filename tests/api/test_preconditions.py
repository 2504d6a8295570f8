"""ETag, If-Match, If-None-Match."""

import pytest
from office import refused


@pytest.fixture
def path(admin):
    return f"/v1/programs/{admin.made('/v1/programs', name='A')['id']}"


def tag(admin, path):
    return admin.get(path).headers["etag"]


def test_a_record_has_a_tag_that_changes_with_it(admin, path):
    first = tag(admin, path)
    assert tag(admin, path) == first
    changed = admin.patch(path, {"name": "B"}).headers["etag"]
    assert changed == tag(admin, path) != first


def test_what_is_known_already_is_not_sent_again(admin, path):
    known = tag(admin, path)
    for header in (known, f'"x", {known}', f"W/{known}", "*"):
        again = admin.send("GET", path, headers={"If-None-Match": header})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", known)
    assert admin.send("GET", path, headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_meets_what_was_read_or_nothing(admin, path, method):
    old = tag(admin, path)
    admin.patch(path, {"name": "B"})
    body = {"json": {"name": "C"}} if method == "PATCH" else {}
    refused(admin.send(method, path, headers={"If-Match": old}, **body), 412, "precondition_failed")
    assert admin.get(path).json()["name"] == "B"
    assert admin.send(method, path, headers={"If-Match": tag(admin, path)}, **body).is_success


def test_a_put_under_a_condition_does_not_create(admin):
    sent = {"json": {"name": "A"}, "headers": {"If-Match": "*"}}
    refused(admin.send("PUT", "/v1/programs/ext:crm:1", **sent), 412, "precondition_failed")
    assert admin.get("/v1/programs").json()["data"] == []
    admin.send("PUT", "/v1/programs/ext:crm:1", json={"name": "A"})
    assert admin.send("PUT", "/v1/programs/ext:crm:1", **sent).status_code == 200


def test_another_form_of_a_record_has_a_tag_of_its_own(admin, path):
    assert admin.get(path, **{"as": "rewardful"}).headers["etag"] != tag(admin, path)


def test_a_put_may_be_told_to_create_only(admin):
    sent = {"json": {"name": "A"}, "headers": {"If-None-Match": "*"}}
    assert admin.send("PUT", "/v1/programs/ext:crm:1", **sent).status_code == 201
    refused(
        admin.send("PUT", "/v1/programs/ext:crm:1", json={"name": "B"}, headers=sent["headers"]),
        412,
        "precondition_failed",
    )
    assert admin.get("/v1/programs/ext:crm:1").json()["name"] == "A"
    assert admin.send("PUT", "/v1/programs/ext:crm:1", json={"name": "B"}, headers={"If-None-Match": '"x"'}).is_success


def test_a_change_of_what_is_as_it_should_not_be_is_refused(admin, path):
    header = {"If-None-Match": tag(admin, path)}
    refused(admin.send("PATCH", path, json={"name": "B"}, headers=header), 412, "precondition_failed")
    admin.patch(path, {"name": "C"})
    assert admin.send("PATCH", path, json={"name": "B"}, headers=header).status_code == 200


@pytest.fixture
def endpoint(admin):
    return f"/v1/endpoints/{admin.made('/v1/endpoints', url='https://public.test/', dialect='standard')['id']}"


@pytest.mark.parametrize(
    ("method", "action", "body"),
    [("PATCH", "", {"paused": True}), ("DELETE", "", None), ("POST", "/rotate", {"overlap_seconds": 0})],
)
def test_an_endpoint_that_has_changed_meanwhile_is_left_alone(admin, endpoint, method, action, body):
    sent = {} if body is None else {"json": body}
    old = tag(admin, endpoint)
    admin.patch(endpoint, {"description": "D"})
    before = admin.get(endpoint).json()
    refused(admin.send(method, endpoint + action, headers={"If-Match": old}, **sent), 412, "precondition_failed")
    assert admin.get(endpoint).json() == before
    assert admin.send(method, endpoint + action, headers={"If-Match": tag(admin, endpoint)}, **sent).is_success


def test_a_changed_endpoint_has_the_tag_that_its_next_read_has(admin, endpoint):
    unknown = admin.patch(endpoint, {"url": "https://nowhere.test/"})
    assert "warning" in unknown.json()
    assert unknown.headers["etag"] == tag(admin, endpoint)
    assert admin.send("GET", endpoint, headers={"If-None-Match": tag(admin, endpoint)}).status_code == 304


def test_an_affiliate_that_was_put_with_a_membership_has_its_own_tag(admin, path):
    body = {"email": "kim@example.org", "program_id": path.rpartition("/")[2]}
    made = admin.send("PUT", "/v1/affiliates/ext:crm:1", json=body)
    assert "membership" in made.json()
    assert made.headers["etag"] == tag(admin, "/v1/affiliates/ext:crm:1")


def test_an_organization_is_changed_as_it_was_seen(office):
    path = f"/v1/organizations/{office.organization['id']}"
    old = tag(office.operator, path)
    assert office.operator.patch(path, {"name": "B"}).headers["etag"] == tag(office.operator, path) != old
    answer = office.operator.send("PATCH", path, json={"name": "C"}, headers={"If-Match": old})
    refused(answer, 412, "precondition_failed")
