"""What is kept of requests and responses, and how a delivery's history reads."""

import base64

import pytest
from office import open_office

from affwire.model.deliveries import AttemptRecord
from affwire.model.wire import Request, Response, Timings
from affwire.services import journal
from affwire.store.queued import Lease, Settlement

URL = "https://public.test/hooks"


@pytest.fixture
def office():
    office = open_office()
    yield office
    office.desk.store._engine.close()


def test_credentials_and_the_owners_headers_are_masked_in_any_case():
    headers = (
        ("authorization", "Bearer hush"),
        ("COOKIE", "hush"),
        ("x-KEY", "hush"),
        ("Content-Type", "application/json"),
    )
    kept = journal.kept_request(Request(URL, headers, b"{}"), frozenset({"X-Key"}))
    assert b"hush" not in kept
    assert journal.read(kept) == {
        "url": URL,
        "headers": [
            ["authorization", "****"],
            ["COOKIE", "****"],
            ["x-KEY", "****"],
            ["Content-Type", "application/json"],
        ],
        "body": "{}",
        "body_base64": False,
    }


def test_a_body_that_is_no_text_is_kept_in_base64():
    kept = journal.read(journal.kept_response(Response(200, (("Set-Cookie", "hush"),), b"\xff\x00", truncated=True)))
    assert kept == {
        "status": 200,
        "headers": [["Set-Cookie", "****"]],
        "body": "/wA=",
        "body_base64": True,
        "truncated": True,
    }


@pytest.mark.parametrize("body", [b"", b"\n", b'{"a": "b"}\n{}\n', b"\xff\n\x00"])
def test_a_body_is_kept_byte_for_byte(body):
    kept = journal.read(journal.kept_request(Request(URL, (), body), frozenset()))
    assert (base64.b64decode(kept["body"]) if kept["body_base64"] else kept["body"].encode()) == body


def test_what_was_kept_with_its_body_in_the_json_is_still_read():
    assert journal.read(b'{"url": "u", "headers": [], "body": "b", "body_base64": false}')["body"] == "b"


@pytest.mark.parametrize("value", ["\ud800", "caf\u00e9", "\x00"])
def test_headers_of_strange_bytes_are_kept_somehow(value):
    assert journal.read(journal.kept_response(Response(200, (("X", value),))))["headers"][0][0] == "X"


def settle(tx, status, **attempt):
    delivery = tx.outbox.page(tx.registry.organizations()[0].id, before=None, limit=1)[0]
    [leased] = tx.outbox.lease([Lease(delivery, tx.now + 1000, "att_1")], now=tx.now, worker="w")
    record = AttemptRecord(
        delivery_id=delivery.id,
        number=1,
        id="att_1",
        started_at=tx.now,
        ended_at=tx.now + 12,
        outcome="ok",
        status_code=200,
        timings=Timings(dns_ms=1.5, total_ms=12),
        **attempt,
    )
    assert tx.outbox.settle([Settlement(leased, status, None, None, 0, record)], tx.now) == [True]
    return delivery.id


def test_a_delivery_lists_its_attempts(office):
    office.admin.made("/v1/endpoints", url=URL, dialect="standard")
    office.admin.made("/v1/affiliates", email="a@b.test")
    request = journal.kept_request(Request(URL, (), b"{}"), frozenset())
    response = journal.kept_response(Response(200, (), b"ok"))
    delivery_id = office.desk.store.submit(
        lambda tx: settle(tx, "delivered", request=request, response=response)
    ).result()
    shown = office.admin.get(f"/v1/deliveries/{delivery_id}").json()
    assert (shown["status"], shown["attempts_made"]) == ("delivered", 1)
    attempt = shown["attempts"][0]
    assert attempt["number"] == 1
    assert attempt["outcome"] == "ok"
    assert attempt["timings"]["dns_ms"] == 1.5
    assert attempt["request"]["url"] == URL
    assert attempt["response"]["body"] == "ok"
    event = office.admin.get(f"/v1/events/{shown['event_id']}").json()
    assert event["endpoints"][0]["outcome"] == "delivered"


def test_a_forgotten_delivery_is_told_from_an_endpoint_made_later(office):
    endpoint = office.admin.made("/v1/endpoints", url=URL, dialect="standard")
    office.clock.advance(5)
    office.admin.made("/v1/affiliates", email="a@b.test")
    office.clock.advance(5)
    office.desk.store.submit(lambda tx: settle(tx, "delivered")).result()
    office.desk.store.submit(lambda tx: tx.outbox.forget(tx.now + 1, limit=10)).result()
    event = office.admin.get("/v1/events").json()["data"][0]["id"]
    fate = office.admin.get(f"/v1/events/{event}").json()["endpoints"][0]
    assert fate == {
        "endpoint_id": endpoint["id"],
        "dialect": "standard",
        "url": URL,
        "event_types": [],
        "outcome": "silent",
        "reason": journal.FORGOTTEN,
        "deliveries": [],
    }


def test_the_delivery_that_needs_most_attention_tells_the_outcome(office):
    admin = office.admin
    program = admin.made("/v1/programs", name="A")["id"]
    admin.made("/v1/endpoints", url=URL, dialect="tamio")
    admin.made("/v1/affiliates", email="a@b.test", program_id=program)
    newest = admin.get("/v1/deliveries").json()["data"]
    assert [one["word"] for one in newest] == ["affiliate-approved", "affiliate-signup"]
    office.desk.store.submit(lambda tx: settle(tx, "delivered")).result()
    fate = admin.get(f"/v1/events/{newest[0]['event_id']}").json()["endpoints"][0]
    assert fate["outcome"] == "pending"
    assert [one["status"] for one in fate["deliveries"]] == ["pending", "delivered"]
