"""The nouns of the registry through the API: organizations, keys, programs, affiliates, memberships, groups, links, promo codes."""

import pytest
from office import Client, refused


@pytest.fixture
def program(admin):
    return admin.made("/v1/programs", name="Spring", currency="eur")


@pytest.fixture
def pending(admin, program):
    return admin.made("/v1/affiliates", email="lee@b.test", program_id=program["id"], membership={"status": "pending"})


def types(admin):
    return [event["type"] for event in admin.get("/v1/events").json()["data"]]


# Organizations and keys


def test_an_organizations_first_key_is_shown_once_and_works(office):
    answer = office.operator.post(
        "/v1/organizations", {"slug": "third", "timezone": "UTC", "unlimited_endpoints": True}
    )
    made = answer.json()
    assert answer.headers["location"] == f"/v1/organizations/{made['id']}"
    assert made["name"] == "third"
    assert Client(office.http, made["api_key"]).get(f"/v1/organizations/{made['id']}").json() == {
        name: value for name, value in made.items() if name != "api_key"
    }


def test_a_taken_slug_is_409_with_the_existing_id(office):
    refused(
        office.operator.post("/v1/organizations", {"slug": "acme"}),
        409,
        "slug_taken",
        existing_id=office.organization["id"],
    )


@pytest.mark.parametrize("slug", ["", "Acme", "a b", "-a", "x" * 64, "ä", None])
def test_a_slug_is_a_word(office, slug):
    refused(office.operator.post("/v1/organizations", {"slug": slug}), 422, "invalid_request")


def test_the_operator_changes_an_organization_and_its_keys_do_not(office):
    path = f"/v1/organizations/{office.organization['id']}"
    assert office.operator.patch(path, {"timezone": "America/New_York"}).json()["timezone"] == "America/New_York"
    refused(office.admin.patch(path, {"unlimited_endpoints": True}), 403, "operator_key_needed")
    refused(office.admin.get("/v1/organizations"), 403, "operator_key_needed")
    assert office.reader.get(path).json()["slug"] == "acme"


def test_a_key_shows_its_last_characters_only(office):
    made = office.admin.made("/v1/keys", scope="registry", name="crm", expires_at="2027-01-01T00:00:00Z")
    assert made["api_key"].endswith(made["last4"])
    assert made["expires_at"] == "2027-01-01T00:00:00.000Z"
    listed = office.admin.get("/v1/keys")
    assert made["api_key"] not in listed.text
    assert made["id"] in listed.text


def test_a_key_that_has_expired_already_is_422(office):
    refused(
        office.admin.post("/v1/keys", {"scope": "read", "expires_at": "2020-01-01T00:00:00Z"}), 422, "already_expired"
    )


# Programs


def test_a_program_is_created_shown_changed_and_deleted(admin, program):
    path = f"/v1/programs/{program['id']}"
    assert program["currency"] == "EUR"
    assert program["created_at"].endswith("Z")
    assert admin.patch(path, {"description": "x", "payment_count": 3}).json()["description"] == "x"
    assert admin.patch(path, {"description": None}).json()["description"] is None
    assert admin.get(path).json()["payment_count"] == 3
    answer = admin.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    refused(admin.get(path), 404, "program_not_found")
    assert types(admin) == ["program.created", "program.updated", "program.updated", "program.deleted"]


@pytest.mark.parametrize(
    "field", ["name", "currency", "is_public", "payout_delay", "products", "metadata", "external_ids"]
)
def test_null_is_refused_where_a_field_cannot_be_null(admin, program, field):
    problem = refused(admin.patch(f"/v1/programs/{program['id']}", {field: None}), 422, "invalid_request")
    assert problem["errors"][0]["pointer"] == f"/{field}"


def test_a_patch_that_changes_nothing_says_nothing(admin, program):
    answer = admin.patch(f"/v1/programs/{program['id']}", {"name": "Spring"})
    assert answer.json() == program
    assert types(admin) == ["program.created"]


def test_open_objects_are_merged(admin):
    made = admin.made(
        "/v1/programs", name="A", metadata={"a": 1, "b": {"c": 2}}, external_ids={"crm": "1", "tamio": "2"}
    )
    patch = {"metadata": {"a": None, "b": {"d": 3}}, "external_ids": {"crm": None, "erp": "3"}}
    changed = admin.patch(f"/v1/programs/{made['id']}", patch).json()
    assert changed["metadata"] == {"b": {"c": 2, "d": 3}}
    assert changed["external_ids"] == {"tamio": "2", "erp": "3"}


def test_merging_cannot_pass_the_limit_of_an_object(admin, program):
    path = f"/v1/programs/{program['id']}"
    assert admin.patch(path, {"metadata": {"a": "x" * 10_000}}).status_code == 200
    problem = refused(admin.patch(path, {"metadata": {"b": "x" * 10_000}}), 422, "too_long")
    assert problem["errors"][0]["pointer"] == "/metadata"


def test_a_forced_delete_over_http_has_its_limit_of_members_too(admin, program, pending, monkeypatch):
    monkeypatch.setattr("affwire.services.programs.FORCED_MAX", 0)
    refused(admin.delete(f"/v1/programs/{program['id']}", force="true"), 409, "too_many_members", live_members=1)
    assert "membership.removed" not in types(admin)


def test_a_program_with_live_members_is_deleted_by_force_only(admin, program, pending):
    path = f"/v1/programs/{program['id']}"
    refused(admin.delete(path), 409, "program_has_members", live_members=1)
    assert admin.delete(path, force="true").status_code == 204
    assert types(admin)[-2:] == ["membership.removed", "program.deleted"]


# Affiliates


def test_an_affiliate_and_its_membership_are_made_in_one_commit(admin, program):
    made = admin.made(
        "/v1/affiliates",
        email="Kim@Example.com",
        first_name="Kim",
        last_name="Lee",
        country="de",
        program_id=program["id"],
        membership={"tag": "spring", "deep_link": "myapp://x"},
    )
    assert (made["email"], made["name"], made["country"]) == ("Kim@Example.com", "Kim Lee", "DE")
    assert made["membership"]["status"] == "active"
    assert made["membership"]["deep_link"] == "myapp://x"
    assert admin.get(f"/v1/memberships/{made['membership']['id']}").json() == made["membership"]


def test_a_refused_membership_leaves_no_affiliate(admin, program):
    body = {"email": "a@b.test", "program_id": program["id"], "membership": {"group_id": "grp_none"}}
    refused(admin.post("/v1/affiliates", body), 422, "unknown_group")
    assert admin.get("/v1/affiliates").json()["data"] == []


def test_a_membership_without_a_program_is_422(admin):
    problem = refused(admin.post("/v1/affiliates", {"email": "a@b.test", "membership": {}}), 422, "invalid_request")
    assert "program_id" in problem["detail"]


def test_a_taken_address_is_409_with_the_existing_id(admin):
    first = admin.made("/v1/affiliates", email="kim@b.test")
    second = admin.made("/v1/affiliates", email="lee@b.test")
    refused(admin.post("/v1/affiliates", {"email": "KIM@b.test"}), 409, "email_taken", existing_id=first["id"])
    refused(
        admin.patch(f"/v1/affiliates/{second['id']}", {"email": "Kim@B.test"}),
        409,
        "email_taken",
        existing_id=first["id"],
    )


def test_an_address_cannot_be_taken_away(admin):
    made = admin.made("/v1/affiliates", email="kim@b.test")
    refused(admin.patch(f"/v1/affiliates/{made['id']}", {"email": None}), 422, "invalid_request")


def test_affiliates_are_found_by_address_and_status(admin):
    made = admin.made("/v1/affiliates", email="Kim@b.test")
    admin.made("/v1/affiliates", email="lee@b.test", status="suspicious")
    assert [one["id"] for one in admin.get("/v1/affiliates", email="kim@B.TEST").json()["data"]] == [made["id"]]
    assert len(admin.get("/v1/affiliates", status="suspicious").json()["data"]) == 1
    assert admin.get("/v1/affiliates", email="nobody@b.test").json()["data"] == []


def test_affiliates_are_searched_by_a_part_of_their_names(admin):
    kim = admin.made("/v1/affiliates", email="Kim@b.test", first_name="Kim", company="Nordlicht 100%")["id"]
    admin.made("/v1/affiliates", email="lee@b.test", last_name="Lee")
    for text in ("KIM", "nordl", "100%", "kim@B", kim):
        assert [one["id"] for one in admin.get("/v1/affiliates", q=text).json()["data"]] == [kim], text
    assert len(admin.get("/v1/affiliates", q="b.test").json()["data"]) == 2
    assert admin.get("/v1/affiliates", q="%").json()["data"][0]["id"] == kim
    assert admin.get("/v1/affiliates", q="_").json()["data"] != []  # every id holds one


def test_confirming_twice_is_one_event(admin):
    path = f"/v1/affiliates/{admin.made('/v1/affiliates', email='a@b.test')['id']}"
    first = admin.post(f"{path}/confirm")
    assert first.status_code == 201
    assert first.json()["confirmed_at"]
    assert admin.post(f"{path}/confirm").json() == first.json()
    assert types(admin) == ["affiliate.created", "affiliate.confirmed"]


@pytest.mark.parametrize("erase", ["true", "false"])
def test_a_deleted_affiliate_is_not_found(admin, pending, erase):
    path = f"/v1/affiliates/{pending['id']}"
    assert admin.delete(path, erase=erase).status_code == 204
    refused(admin.get(path), 404, "affiliate_not_found")
    refused(admin.delete(path), 404, "affiliate_not_found")
    assert admin.made("/v1/affiliates", email="lee@b.test")


# Memberships


def test_approving_activates_and_approving_twice_is_409_naming_the_legal(admin, pending):
    path = f"/v1/memberships/{pending['membership']['id']}"
    assert admin.post(f"{path}/approve").json()["status"] == "active"
    problem = refused(admin.post(f"{path}/approve"), 409, "illegal_transition")
    assert problem["legal"] == ["X", "left", "removed"]
    assert problem["status_now"] == "active"


@pytest.mark.parametrize("command", ["reject", "remove", "leave"])
def test_every_action_and_the_way_back(admin, pending, command):
    path = f"/v1/memberships/{pending['membership']['id']}"
    ended = admin.post(f"{path}/{command}").json()["status"]
    assert ended == {"reject": "rejected", "remove": "removed", "leave": "left"}[command]
    assert admin.post(f"{path}/reactivate").json()["status"] == "active"


def test_an_action_that_is_none_is_422(admin, pending):
    refused(admin.post(f"/v1/memberships/{pending['membership']['id']}/promote"), 422, "invalid_request")


def test_a_patch_to_a_status_is_the_action(admin, pending):
    path = f"/v1/memberships/{pending['membership']['id']}"
    assert admin.patch(path, {"status": "active", "tag": "t"}).json()["tag"] == "t"
    assert admin.patch(path, {"status": "paused"}).json()["status"] == "paused"
    refused(admin.patch(path, {"status": "rejected"}), 409, "illegal_transition")
    assert types(admin)[-2:] == ["membership.activated", "membership.changed"]


def test_a_second_membership_in_a_program_is_409_and_an_ended_one_comes_back(admin, program, pending):
    body = {"affiliate_id": pending["id"], "program_id": program["id"]}
    membership = pending["membership"]["id"]
    refused(admin.post("/v1/memberships", body), 409, "already_member", existing_id=membership)
    admin.post(f"/v1/memberships/{membership}/remove")
    again = admin.made("/v1/memberships", **body)
    assert (again["id"], again["status"]) == (membership, "active")


def test_memberships_are_found_by_affiliate_and_program(admin, program, pending):
    for name, value in (("affiliate_id", pending["id"]), ("program_id", program["id"])):
        assert len(admin.get("/v1/memberships", **{name: value}).json()["data"]) == 1
        assert admin.get("/v1/memberships", **{name: "none"}).json()["data"] == []


# What hangs on memberships


def test_groups_links_and_promo_codes_are_made_changed_and_deleted(admin, pending):
    membership = pending["membership"]["id"]
    made = {
        "groups": admin.made("/v1/groups", name="VIP"),
        "links": admin.made("/v1/links", membership_id=membership, url="https://a.test/?via=k", token="k"),
        "promo-codes": admin.made("/v1/promo-codes", membership_id=membership, code="TEN", discount_value="10.00"),
    }
    changes = {"groups": {"name": "Gold"}, "links": {"token": "z"}, "promo-codes": {"discount_value": "12.50"}}
    for noun, record in made.items():
        path = f"/v1/{noun}/{record['id']}"
        assert admin.get(path).json() == record
        changed = admin.patch(path, changes[noun]).json()
        assert changes[noun].items() <= changed.items()
        assert admin.delete(path).status_code == 204
        assert admin.get(path).status_code == 404


def test_a_code_twice_on_a_membership_is_409(admin, pending):
    body = {"membership_id": pending["membership"]["id"], "code": "TEN"}
    first = admin.made("/v1/promo-codes", **body)
    refused(admin.post("/v1/promo-codes", body), 409, "code_taken", existing_id=first["id"])


def test_a_group_in_use_is_409(admin, pending):
    group = admin.made("/v1/groups", name="VIP")["id"]
    admin.patch(f"/v1/memberships/{pending['membership']['id']}", {"group_id": group})
    refused(admin.delete(f"/v1/groups/{group}"), 409, "group_in_use", memberships=1)


# As a dialect's object


def test_records_are_shown_as_a_dialects_objects(admin, program, pending):
    admin.post(f"/v1/memberships/{pending['membership']['id']}/approve")
    rewardful = admin.get(f"/v1/affiliates/{pending['id']}?as=rewardful").json()
    assert rewardful["email"] == "lee@b.test"
    assert rewardful["campaign"]["name"] == "Spring"
    assert admin.get(f"/v1/programs/{program['id']}?as=tamio").json()["label"] == "Spring"
    growi = admin.get(f"/v1/memberships/{pending['membership']['id']}?as=growi").json()
    assert growi["organization_slug"] == "acme"


@pytest.mark.parametrize("dialect", ["growi", "affonso", "tamio"])
def test_a_dialect_without_that_object_is_422(admin, pending, dialect):
    refused(admin.get(f"/v1/affiliates/{pending['id']}?as={dialect}"), 422, "no_such_object")


def test_no_dialect_has_groups(admin):
    group = admin.made("/v1/groups", name="VIP")["id"]
    refused(admin.get(f"/v1/groups/{group}?as=standard"), 422, "no_such_object")


def test_an_unknown_dialect_is_422_listing_the_known(admin, program):
    problem = refused(admin.get(f"/v1/programs/{program['id']}?as=shopify"), 422, "unknown_dialect")
    assert {"growi", "affonso", "rewardful", "insert_affiliate", "tamio", "standard"} <= set(problem["known"])


def test_an_action_takes_no_fields_and_no_parameters(admin, program, pending):
    membership_id = pending["membership"]["id"]
    path = f"/v1/memberships/{membership_id}/approve"
    refused(admin.post(path, {"tag": "spring"}), 422, "invalid_request")
    refused(admin.send("POST", f"{path}?force=true"), 422, "unknown_parameter")
    assert admin.post(path).status_code == 201
    assert "Location" not in admin.post(f"/v1/memberships/{membership_id}/remove").headers
