"""Who may do what: keys, scopes, and the wall between organizations."""

import pytest
from office import Client, apply, refused

from affwire.model.inbound import Kept

REGISTRY_LISTS = ("programs", "affiliates", "memberships", "groups", "links", "promo-codes")
LISTS = (*REGISTRY_LISTS, "events", "deliveries")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic abc"},
        {"Authorization": "awk_x"},
    ],
)
def test_no_key_is_401_with_a_challenge(office, headers):
    answer = office.http.get("/v1/programs", headers=headers)
    refused(answer, 401, "key_missing")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("key", ["awk_unknown", "x" * 5000])
def test_an_unknown_key_is_401(office, key):
    refused(Client(office.http, key).get("/v1/programs"), 401, "invalid_key")


def test_a_key_of_strange_bytes_is_401(office):
    answer = office.http.get("/v1/programs", headers={b"Authorization": b"Bearer \xff\xfe"})
    refused(answer, 401, "invalid_key")


def test_authentication_comes_before_validation(office):
    refused(office.nobody.post("/v1/programs", {"nonsense": 1}), 401, "key_missing")


def test_a_revoked_key_is_refused_at_once(office):
    key = office.admin.made("/v1/keys", scope="read", name="a")
    client = Client(office.http, key["api_key"])
    assert client.get("/v1/programs").status_code == 200
    assert office.admin.delete(f"/v1/keys/{key['id']}").status_code == 204
    refused(client.get("/v1/programs"), 401, "invalid_key")


def test_an_expired_key_is_refused(office):
    key = office.admin.made("/v1/keys", scope="read", name="a", expires_at="2026-02-25T07:00:00Z")
    client = Client(office.http, key["api_key"])
    assert client.get("/v1/programs").status_code == 200
    office.clock.advance(3_600_000)
    refused(client.get("/v1/programs"), 401, "invalid_key")


@pytest.mark.parametrize("noun", LISTS)
def test_a_read_key_reads(office, noun):
    assert office.reader.get(f"/v1/{noun}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", f"/v1/{noun}") for noun in (*REGISTRY_LISTS, "keys", "endpoints", "organizations")),
        *(
            (method, f"/v1/{noun}/x")
            for noun in (*REGISTRY_LISTS, "endpoints")
            for method in ("PATCH", "DELETE")
            if noun != "memberships" or method == "PATCH"
        ),
        ("POST", "/v1/affiliates/x/confirm"),
        ("POST", "/v1/memberships/x/approve"),
        ("POST", "/v1/deliveries/x/replay"),
        ("POST", "/v1/deliveries/x/cancel"),
        ("DELETE", "/v1/keys/x"),
    ],
)
def test_a_read_key_that_writes_is_403(office, method, path):
    answer = office.reader.send(method, path, json={})
    assert answer.status_code == 403
    assert answer.json()["code"] in {"scope_insufficient", "operator_key_needed"}


@pytest.mark.parametrize("noun", LISTS)
def test_a_registry_key_sees_the_registry_and_what_became_of_it(office, noun):
    assert office.registry.get(f"/v1/{noun}").status_code == 200


def test_a_registry_key_writes_the_registry(office):
    assert office.registry.made("/v1/programs", name="A")


@pytest.mark.parametrize("noun", ["endpoints", "keys", "sources"])
def test_a_registry_key_touches_neither_endpoints_nor_keys_nor_sources(office, noun):
    refused(office.registry.get(f"/v1/{noun}"), 403, "scope_insufficient")
    refused(office.registry.post(f"/v1/{noun}", {}), 403, "scope_insufficient")
    refused(office.registry.delete(f"/v1/{noun}/x"), 403, "scope_insufficient")


@pytest.mark.parametrize("noun", [*LISTS, "keys", "endpoints", "sources", "messages"])
def test_the_operator_does_nothing_inside_an_organization(office, noun):
    problem = refused(office.operator.get(f"/v1/{noun}"), 403, "organization_key_needed")
    assert "key of the organization" in problem["detail"]


def records(office):
    """Return the address of one record of every kind."""
    admin = office.admin
    program = admin.made("/v1/programs", name="A")
    endpoint = admin.made("/v1/endpoints", url="https://public.test/", dialect="standard")
    joined = admin.made("/v1/affiliates", email="a@b.test", program_id=program["id"])
    membership = joined["membership"]["id"]
    return {
        "programs": program["id"],
        "affiliates": joined["id"],
        "memberships": membership,
        "groups": admin.made("/v1/groups", name="G")["id"],
        "links": admin.made("/v1/links", membership_id=membership, url="https://a.test/x", token="t")["id"],
        "promo-codes": admin.made("/v1/promo-codes", membership_id=membership, code="TEN")["id"],
        "endpoints": endpoint["id"],
        "keys": admin.get("/v1/keys").json()["data"][0]["id"],
        "organizations": office.organization["id"],
        "events": admin.get("/v1/events").json()["data"][0]["id"],
        "deliveries": admin.get("/v1/deliveries").json()["data"][0]["id"],
        "jobs": admin.post("/v1/deliveries/replay", {}).json()["id"],
        "sources": (source := admin.made("/v1/sources", dialect="growi"))["id"],
        "messages": message(office, source),
        "users": admin.made("/v1/users", email="ada@example.org", role="admin")["id"],
        "mails": mail(office),
    }


def mail(office):
    """Have somebody apply, and return the id of the mail that asks for a confirmation."""
    apply(office)
    return office.admin.get("/v1/mails").json()["data"][0]["id"]


def message(office, source):
    """Have a message come in, and return its id."""
    kept = Kept(
        id=office.desk.world.new_id("message"),
        organization_id=source["organization_id"],
        source_id=source["id"],
        dialect="growi",
        received_at=0,
    )
    office.desk.store.submit(lambda tx: tx.inbox.keep([kept])).result()
    return kept.id


def routes_with_an_id(office):
    paths = office.http.get("/openapi.json").json()["paths"]
    return [(method, path) for path, of in paths.items() if "{" in path for method in of]


def patch_body(noun):
    return {
        "links": {"token": "z"},
        "promo-codes": {"code": "Z"},
        "endpoints": {"paused": True},
        "memberships": {"tag": "z"},
        "affiliates": {"city": "Z"},
        "users": {"role": "viewer"},
    }.get(noun, {"name": "Z"})


def test_every_route_with_another_organizations_id_is_404_and_says_no_more_than_for_an_unknown_one(office):
    mine = records(office)
    seen = 0
    for method, path in routes_with_an_id(office):
        noun = path.split("/")[2]
        if noun == "organizations" and method == "patch":
            continue  # the operator's
        if method == "put":
            continue  # by an id of one's own: the other organization's is free (test_own_ids.py)
        ids = {"foreign": mine[noun], "unknown": mine[noun][:-4] + "zzzz"}
        told = {}
        for which, record_id in ids.items():
            place = path.replace("{command}", "approve")
            place = f"/{'/'.join(record_id if '{' in part else part for part in place.strip('/').split('/'))}"
            bodies = {"post": {"json": {"since": "2026-01-01T00:00:00Z"}} if path.endswith("/recover") else {}}
            answer = office.stranger.send(method.upper(), place, **bodies.get(method, {"json": patch_body(noun)}))
            assert answer.status_code == 404, (which, method, path, answer.text)
            problem = answer.json()
            told[which] = problem["code"], problem["detail"].replace(record_id, "ID"), sorted(problem)
        assert told["foreign"] == told["unknown"], (method, path)
        seen += 1
    assert seen > 25


def test_nothing_of_it_changed_anything(office):
    mine = records(office)
    before = {noun: office.admin.get(f"/v1/{noun}/{mine[noun]}").json() for noun in REGISTRY_LISTS}
    for noun in REGISTRY_LISTS:
        office.stranger.patch(f"/v1/{noun}/{mine[noun]}", patch_body(noun))
        office.stranger.delete(f"/v1/{noun}/{mine[noun]}")
    assert {noun: office.admin.get(f"/v1/{noun}/{mine[noun]}").json() for noun in REGISTRY_LISTS} == before


@pytest.mark.parametrize("noun", [*LISTS, "endpoints", "sources", "messages"])
def test_lists_hold_nothing_of_another_organization(office, noun):
    records(office)
    assert office.stranger.get(f"/v1/{noun}").json() == {"data": [], "next_cursor": None}


def test_bodies_that_name_another_organizations_records_find_nothing(office):
    mine = records(office)
    stranger = office.stranger
    program = stranger.made("/v1/programs", name="A")["id"]
    joined = stranger.made("/v1/affiliates", email="a@b.test", program_id=program)
    for path, body, status in [
        ("/v1/affiliates", {"email": "x@b.test", "program_id": mine["programs"]}, 404),
        ("/v1/memberships", {"affiliate_id": mine["affiliates"], "program_id": program}, 404),
        ("/v1/memberships", {"affiliate_id": joined["id"], "program_id": mine["programs"]}, 404),
        ("/v1/links", {"membership_id": mine["memberships"], "url": "https://a.test", "token": "t"}, 404),
        ("/v1/promo-codes", {"membership_id": mine["memberships"], "code": "X"}, 404),
    ]:
        assert stranger.post(path, body).status_code == status, path
    answer = stranger.patch(f"/v1/memberships/{joined['membership']['id']}", {"group_id": mine["groups"]})
    refused(answer, 422, "unknown_group")
    refused(stranger.get("/v1/events", after=mine["events"]), 404, "event_not_found")
