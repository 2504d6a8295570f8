"""Events and deliveries through the API: the feed, what became of an event, replay and cancel."""

import pytest
from office import refused

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
