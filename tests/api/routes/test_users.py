"""Users through the API: an organization's own, or all of them for the operator."""

from office import refused

ADA = {"email": "ada@example.org", "role": "admin", "name": "Ada"}


def test_an_admin_adds_lists_and_changes_users_of_its_own_organization(office, admin):
    made = admin.made("/v1/users", **ADA)
    assert made["organization_id"] == office.organization["id"]
    assert made["has_password"] is False
    assert admin.get("/v1/users").json()["data"] == [made]
    assert admin.get("/v1/users/ada@example.org").json() == made
    editor = admin.made("/v1/users", email="ed@example.org", role="editor")
    changed = admin.patch(f"/v1/users/{editor['id']}", {"role": "viewer", "password": "correct horse battery"}).json()
    assert (changed["role"], changed["has_password"]) == ("viewer", True)
    assert admin.patch(f"/v1/users/{editor['id']}", {"disabled": True}).json()["disabled_at"]
    assert admin.patch(f"/v1/users/{editor['id']}", {"disabled": False}).json()["disabled_at"] is None


def test_other_keys_have_nothing_to_do_with_users(office):
    for client in (office.registry, office.reader):
        refused(client.get("/v1/users"), 403, "scope_insufficient")
        refused(client.post("/v1/users", ADA), 403, "scope_insufficient")


def test_another_organizations_users_are_not_there(office, admin):
    made = admin.made("/v1/users", **ADA)
    refused(office.stranger.get(f"/v1/users/{made['id']}"), 404, "user_not_found")
    refused(office.stranger.post(f"/v1/users/{made['id']}/link"), 404, "user_not_found")
    wish = {**ADA, "email": "b@example.org", "organization_id": office.organization["id"]}
    refused(office.stranger.post("/v1/users", wish), 404, "organization_not_found")


def test_the_operator_adds_users_of_any_organization_and_operators(office):
    organization_id = office.organization["id"]
    ada = office.operator.made("/v1/users", **ADA, organization_id=organization_id)
    own = office.operator.made("/v1/users", email="op@example.org", role="admin")
    assert (ada["organization_id"], own["organization_id"]) == (organization_id, None)
    assert office.operator.get("/v1/users").json()["data"] == [own]
    assert office.operator.get("/v1/users", organization_id=organization_id).json()["data"] == [ada]


def test_a_link_is_shown_once_and_the_last_admin_stays(admin):
    made = admin.made("/v1/users", **ADA)
    key = {"Idempotency-Key": "one"}
    first = admin.post(f"/v1/users/{made['id']}/link", headers=key).json()
    again = admin.post(f"/v1/users/{made['id']}/link", headers=key).json()
    assert first["path"].startswith("/?token=")
    assert again["path"] is None
    refused(admin.patch(f"/v1/users/{made['id']}", {"disabled": True}), 409, "last_admin")
    refused(admin.patch(f"/v1/users/{made['id']}", {"password": "short"}), 422, "weak_password")
