"""Ids of the caller's own in paths and queries: wherever one of ours may stand."""

import pytest
from office import refused

PUTS = [
    ("programs", {"name": "Spring"}, {"description": "D"}),
    ("affiliates", {"email": "kim@example.org"}, {"city": "Bonn"}),
    ("memberships", {"affiliate_id": "ext:crm:a", "program_id": "ext:crm:p"}, {"tag": "T"}),
]


@pytest.fixture
def stage(admin):
    admin.made("/v1/programs", name="A", external_ids={"crm": "p"})
    admin.made("/v1/affiliates", email="a@example.org", external_ids={"crm": "a"})
    return admin


@pytest.mark.parametrize(("noun", "first", "then"), PUTS)
def test_put_creates_once_then_merges(stage, noun, first, then):
    path = f"/v1/{noun}/ext:shop:7"
    made = stage.send("PUT", path, json=first)
    assert (made.status_code, made.headers["location"]) == (201, f"/v1/{noun}/{made.json()['id']}")
    changed = stage.send("PUT", path, json=then)
    assert (changed.status_code, "location" in changed.headers) == (200, False)
    assert changed.json() == {**made.json(), **then, "updated_at": changed.json()["updated_at"]}
    assert stage.get(path).json() == changed.json()
    assert changed.json()["external_ids"] == {"shop": "7"}


def test_every_route_of_one_record_takes_an_own_id(stage):
    joined = stage.made("/v1/memberships", affiliate_id="ext:crm:a", program_id="ext:crm:p", external_ids={"crm": "m"})
    assert stage.post("/v1/affiliates/ext:crm:a/confirm").status_code == 201
    assert stage.patch("/v1/memberships/ext:crm:m", {"tag": "T"}).json()["id"] == joined["id"]
    assert stage.post("/v1/memberships/ext:crm:m/leave").json()["status"] == "left"
    assert stage.get("/v1/affiliates/ext:crm:a", **{"as": "rewardful"}).json()["email"] == "a@example.org"
    for query in ({"affiliate_id": "ext:crm:a"}, {"program_id": "ext:crm:p"}):
        assert [one["id"] for one in stage.get("/v1/memberships", **query).json()["data"]] == [joined["id"]]
    told = [event["type"] for event in stage.get("/v1/events", affiliate_id="ext:crm:a").json()["data"]]
    assert told == [
        "affiliate.created",
        "membership.activated",
        "affiliate.confirmed",
        "membership.updated",
        "membership.left",
    ]
    assert stage.get("/v1/memberships", affiliate_id="ext:crm:x").json()["data"] == []
    assert stage.delete("/v1/affiliates/ext:crm:a").status_code == 204
    refused(stage.get("/v1/affiliates/ext:crm:a"), 404, "affiliate_not_found")
    assert stage.delete("/v1/programs/ext:crm:p").status_code == 204


@pytest.mark.parametrize(
    "own", ["kim", "aff_1", "ext:", "ext:crm", "ext:crm:", "ext:Crm:7", "ext:crm:%20", "ext:crm:%0A"]
)
def test_only_an_own_id_can_be_put(admin, own):
    problem = refused(admin.send("PUT", f"/v1/affiliates/{own}", json={"email": "a@b.test"}), 422, "invalid_request")
    assert problem["errors"][0]["parameter"] == "affiliate_id"


def test_what_is_put_is_checked_as_what_is_posted(admin):
    for body in ({"email": "no"}, {"email": None}, {"emial": "a@b.test"}, {"membership": {}}):
        refused(admin.send("PUT", "/v1/affiliates/ext:crm:7", json=body), 422, "invalid_request")
    refused(admin.send("PUT", "/v1/affiliates/ext:crm:7", json={}), 422, "required_at_creation")


def test_another_organizations_own_ids_are_free(office, stage):
    refused(office.stranger.get("/v1/affiliates/ext:crm:a"), 404, "affiliate_not_found")
    answer = office.stranger.send("PUT", "/v1/affiliates/ext:crm:a", json={"email": "a@example.org"})
    assert answer.status_code == 201
    assert answer.json()["id"] != stage.get("/v1/affiliates/ext:crm:a").json()["id"]


def test_a_taken_id_names_who_has_it(stage):
    kim = stage.get("/v1/affiliates/ext:crm:a").json()["id"]
    taken = stage.post("/v1/affiliates", {"email": "b@example.org", "external_ids": {"crm": "a"}})
    problem = refused(taken, 409, "external_id_taken", existing_id=kim)
    assert problem["errors"][0]["pointer"] == "/external_ids/crm"


def test_a_dialects_own_id_is_frozen(stage):
    refused(stage.patch("/v1/programs/ext:crm:p", {"external_ids": {"tamio": "x"}}), 409, "external_id_frozen")


@pytest.fixture
def joined(stage):
    return stage.made("/v1/memberships", affiliate_id="ext:crm:a", program_id="ext:crm:p", external_ids={"crm": "m"})


SHOWN = [
    ("affiliates", "a", "rewardful", "id", "affiliates"),
    ("affiliates", "a", "insert_affiliate", "affiliate_id", "affiliates"),
    ("programs", "p", "rewardful", "id", "programs"),
    ("programs", "p", "tamio", "id", "programs"),
    ("memberships", "m", "tamio", "id", "memberships"),
    ("memberships", "m", "affonso", "affiliateProgramId", "programs"),
    ("memberships", "m", "affonso", "affiliateId", "affiliates"),
]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: f"{shown[2]} {shown[3]}")
def test_an_id_that_a_dialect_shows_is_found(stage, joined, shown):
    noun, own, dialect, member, where = shown
    stage.made("/v1/programs", name="Z")
    stage.made("/v1/affiliates", email="z@example.org")
    text = stage.get(f"/v1/{noun}/ext:crm:{own}", **{"as": dialect}).json()[member]
    [found] = stage.get(f"/v1/{where}", q=text).json()["data"]
    assert found["external_ids"] == {"crm": where[0]}


@pytest.mark.parametrize(("noun", "own"), [("affiliates", "a"), ("programs", "p"), ("memberships", "m")])
def test_numbers_ids_and_own_ids_are_found(stage, joined, noun, own):
    record = stage.get(f"/v1/{noun}/ext:crm:{own}").json()
    for text in (
        record["id"],
        str(record["number"]),
        f"ext:crm:{own}",
        f" {own} " if noun == "memberships" else record["id"],
    ):
        assert [one["id"] for one in stage.get(f"/v1/{noun}", q=text).json()["data"]] == [record["id"]], text
    assert stage.get(f"/v1/{noun}", q="99").json()["data"] == []


def test_a_search_stays_in_its_organization(office, stage, joined):
    kim = stage.get("/v1/affiliates/ext:crm:a").json()
    for text in (kim["id"], "ext:crm:a", "a", str(kim["number"])):
        assert office.stranger.get("/v1/affiliates", q=text).json()["data"] == []


def test_memberships_are_listed_by_group(stage, joined):
    group = stage.made("/v1/groups", name="Gold")["id"]
    assert stage.get("/v1/memberships", group_id=group).json()["data"] == []
    stage.patch("/v1/memberships/ext:crm:m", {"group_id": group})
    assert len(stage.get("/v1/memberships", group_id=group).json()["data"]) == 1


def test_an_id_with_a_slash_stands_in_a_path_percent_encoded(stage):
    for encoded, meant in (("a%2Fb", "a/b"), ("%2fconfirm", "/confirm"), ("x%252Fy", "x%2Fy"), ("%C3%A9%2F.", "é/.")):
        path = f"/v1/affiliates/ext:url:{encoded}"
        made = stage.send("PUT", path, json={"email": f"k{len(meant)}@example.org"})
        assert made.status_code == 201, made.text
        assert made.json()["external_ids"] == {"url": meant}
        assert made.headers["location"] == f"/v1/affiliates/{made.json()['id']}"
        assert stage.get(path).json() == made.json()
        assert stage.patch(path, {"city": "Bonn"}).json()["city"] == "Bonn"
        confirmed = stage.post(f"{path}/confirm")
        assert confirmed.json()["confirmed_at"]
        assert "location" not in confirmed.headers
        assert stage.get(f"/v1/affiliates/ext%3Aurl%3A{encoded}").status_code == 200
        assert stage.delete(path).status_code == 204


def test_a_slash_that_is_not_encoded_parts_the_path_as_ever(stage):
    refused(stage.get("/v1/affiliates/ext:url:a/b"), 404, "route_not_found")
    refused(stage.get("/v1%2Faffiliates"), 404, "route_not_found")
    problem = refused(stage.get("/v1/groups/a%2Fb"), 404, "group_not_found")
    assert "a/b" in problem["detail"]
    refused(stage.post("/v1/memberships/ext:url:a%2Fapprove"), 405, "method_not_allowed")
    refused(stage.get("/v1/affiliates/ext:url:a%2F%00"), 400, "malformed_url")


def test_a_batch_takes_an_id_with_a_slash(stage):
    path = "/v1/affiliates/ext:url:a%2Fb"
    operations = [
        {"method": "PUT", "path": path, "body": {"email": "kim@example.org"}},
        {"method": "POST", "path": f"{path}/confirm"},
    ]
    assert stage.post("/v1/batches", {"operations": operations}).status_code == 201
    assert stage.get(path).json()["confirmed_at"]
