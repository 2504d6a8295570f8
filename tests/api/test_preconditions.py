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
