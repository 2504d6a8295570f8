"""Events and deliveries through the API: the feed, what became of an event, replay and cancel."""

import base64
import json

import pytest
from office import DIALECTS, refused

from affwire.cli.demo.verify import verify

URL = "https://public.test/hooks"


@pytest.fixture
def endpoint(admin):
    return admin.made("/v1/endpoints", url=URL, dialect="standard")


def events(admin, **params):
    return admin.get("/v1/events", **params).json()


def fates(admin, event_id):
    return {fate["endpoint_id"]: fate for fate in admin.get(f"/v1/events/{event_id}").json()["endpoints"]}


def test_the_feed_is_the_log_in_order_and_can_be_polled(admin):
    for n in range(5):
        admin.made("/v1/affiliates", email=f"a{n}@b.test")
    first = events(admin, limit=2)
    second = events(admin, cursor=first["next_cursor"])
    seen = first["data"] + second["data"]
    assert [event["snapshot"]["affiliate"]["email"] for event in seen] == [f"a{n}@b.test" for n in range(5)]
    assert events(admin, after=second["next_cursor"]) == {"data": [], "next_cursor": None}
    admin.made("/v1/affiliates", email="late@b.test")
    assert len(events(admin, cursor=second["next_cursor"])["data"]) == 1
    assert len(events(admin, after=first["data"][0]["id"])["data"]) == 5


def test_the_feed_is_filtered_by_type_and_affiliate(admin):
    program = admin.made("/v1/programs", name="A")["id"]
    kim = admin.made("/v1/affiliates", email="kim@b.test", program_id=program)["id"]
    admin.made("/v1/affiliates", email="lee@b.test")
    assert [event["type"] for event in events(admin, type="membership.*")["data"]] == ["membership.activated"]
    assert [event["type"] for event in events(admin, affiliate_id=kim)["data"]] == [
        "affiliate.created",
        "membership.activated",
    ]
    assert len(events(admin, type="affiliate.created")["data"]) == 2
    refused(admin.get("/v1/events", type="affiliate.made"), 422, "unknown_event_type")
    refused(admin.get("/v1/events", after="evt_none"), 404, "event_not_found")


def test_an_event_tells_who_did_it(admin):
    admin.made("/v1/programs", name="A")
    event = events(admin)["data"][0]
    assert event["actor"]["kind"] == "key"
    assert event["actor"]["id"].startswith("key_")


def test_an_event_lists_every_endpoint_and_why_nothing_was_said(admin, endpoint):
    quiet = admin.made("/v1/endpoints", url=URL, dialect="growi")["id"]
    filtered = admin.made("/v1/endpoints", url=URL, dialect="standard", event_types=["program.*"])["id"]
    off = admin.made("/v1/endpoints", url=URL, dialect="standard", enabled=False)["id"]
    paused = admin.made("/v1/endpoints", url=URL, dialect="standard", paused=True)["id"]
    admin.made("/v1/affiliates", email="a@b.test")
    later = admin.made("/v1/endpoints", url=URL, dialect="standard")["id"]
    told = fates(admin, events(admin)["data"][0]["id"])
    assert told[endpoint["id"]]["outcome"] == "pending"
    assert told[endpoint["id"]]["deliveries"][0]["word"] == "affiliate.created"
    assert (told[quiet]["outcome"], told[quiet]["reason"]) == ("silent", "no word in this dialect")
    assert told[filtered]["reason"] == "not among the endpoint's event_types"
    assert told[off]["reason"] == "the endpoint is disabled by its owner"
    assert (told[paused]["outcome"], told[paused]["reason"]) == ("held", "the endpoint is paused")
    assert told[later]["reason"] == "the endpoint was created later"


def test_an_event_lists_a_deleted_endpoint_that_had_something(admin, endpoint):
    admin.made("/v1/affiliates", email="a@b.test")
    admin.delete(f"/v1/endpoints/{endpoint['id']}")
    admin.made("/v1/affiliates", email="b@b.test")
    first, second = (event["id"] for event in events(admin)["data"])
    assert fates(admin, first)[endpoint["id"]]["outcome"] == "cancelled"
    assert fates(admin, second) == {}


def test_deliveries_come_newest_first_and_are_filtered(office, endpoint):
    admin = office.admin
    for n in range(3):
        admin.made("/v1/affiliates", email=f"a{n}@b.test")
        office.clock.advance(60_000)
    page = admin.get("/v1/deliveries", limit=2).json()
    rest = admin.get("/v1/deliveries", limit=2, cursor=page["next_cursor"]).json()
    made = [one["created_at"] for one in page["data"] + rest["data"]]
    assert made == sorted(made, reverse=True)
    assert len(made) == 3
    assert rest["next_cursor"] is None
    assert len(admin.get("/v1/deliveries", since=made[1]).json()["data"]) == 2
    assert len(admin.get("/v1/deliveries", event_id=page["data"][0]["event_id"]).json()["data"]) == 1
    assert len(admin.get("/v1/deliveries", endpoint_id=endpoint["id"], status="pending").json()["data"]) == 3
    assert admin.get("/v1/deliveries", status="delivered").json()["data"] == []


@pytest.mark.parametrize("params", [{"status": "lost"}, {"since": "yesterday"}, {"sort": "asc"}])
def test_a_filter_that_is_none_is_422(admin, params):
    refused(admin.get("/v1/deliveries", **params), 422, "invalid_request")


def test_a_delivery_is_cancelled_and_replayed(admin, endpoint):
    admin.made("/v1/affiliates", email="a@b.test")
    delivery = admin.get("/v1/deliveries").json()["data"][0]
    path = f"/v1/deliveries/{delivery['id']}"
    assert delivery["event_type"] == "affiliate.created"
    cancelled = admin.post(f"{path}/cancel")
    assert cancelled.status_code == 201
    assert (cancelled.json()["status"], cancelled.json()["due_at"]) == ("cancelled", None)
    assert cancelled.json()["settled_at"]
    refused(admin.post(f"{path}/cancel"), 409, "not_waiting")
    again = admin.post(f"{path}/replay").json()
    assert (again["status"], again["event_id"], again["attempts"]) == ("pending", delivery["event_id"], [])
    assert admin.get(path).json() == again


def test_a_delivery_to_a_deleted_endpoint_has_nowhere_to_go(admin, endpoint):
    admin.made("/v1/affiliates", email="a@b.test")
    admin.delete(f"/v1/endpoints/{endpoint['id']}")
    delivery = admin.get("/v1/deliveries").json()["data"][0]
    refused(admin.post(f"/v1/deliveries/{delivery['id']}/replay"), 409, "endpoint_deleted")


def test_an_event_is_shown_in_the_words_of_every_dialect_with_nothing_that_depends_on_a_secret(admin):
    admin.made("/v1/affiliates", email="a@b.test")
    event = events(admin)["data"][0]
    seen = admin.get(f"/v1/events/{event['id']}/render").json()
    assert (seen["event_id"], seen["type"]) == (event["id"], "affiliate.created")
    views = {view["dialect"]: view for view in seen["dialects"]}
    assert list(views) == list(DIALECTS)
    assert (views["growi"]["reason"], views["growi"]["requests"]) == ("no word in this dialect", [])
    [request] = views["standard"]["requests"]
    headers = dict(request["headers"])
    assert (headers["webhook-id"], headers["webhook-signature"]) == (event["id"], "****")
    assert json.loads(request["body"])["id"] == event["id"]


def test_one_dialect_may_be_chosen_and_must_be_one(admin):
    admin.made("/v1/programs", name="A")
    path = f"/v1/events/{events(admin)['data'][0]['id']}/render"
    assert [view["dialect"] for view in admin.get(path, dialect="tamio").json()["dialects"]] == ["tamio"]
    refused(admin.get(path, dialect="klingon"), 422, "unknown_dialect", known=sorted(DIALECTS))
    refused(admin.post(path, {"dialect": "klingon"}), 422, "unknown_dialect")
    refused(admin.get("/v1/events/evt_none/render"), 404, "event_not_found")


def test_a_reader_gets_an_event_signed_with_a_secret_of_their_own_which_nothing_keeps(office):
    office.admin.made("/v1/programs", name="A")
    event_id = events(office.admin)["data"][0]["id"]
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    proof = {"dialect": "standard", "secret": secret, "attempt": 3}
    answer = office.reader.post(f"/v1/events/{event_id}/render", proof)
    [request] = answer.json()["dialects"][0]["requests"]
    headers = dict(request["headers"])
    assert (
        verify("standard", headers, request["body"].encode(), secret, office.clock.now() / 1000).word
        == "program.created"
    )
    assert secret not in answer.text
    refused(office.admin.post(f"/v1/events/{event_id}/render", {**proof, "secret": "short"}), 422, "invalid_secret")
    refused(office.admin.post(f"/v1/events/{event_id}/render", {**proof, "attempt": 0}), 422, "invalid_request")


def test_the_feed_is_filtered_by_subject(admin):
    one, other = (admin.made("/v1/programs", name=name)["id"] for name in "AB")
    assert [event["program_id"] for event in events(admin, subject_id=other)["data"]] == [other]
    assert [event["program_id"] for event in events(admin, subject_id=one, type="program.*")["data"]] == [one]
