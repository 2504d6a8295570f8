"""Erasure: who it happened to is nowhere any more, what happened still is."""

import base64

import pytest
from inflow import Platform
from registry_walk import HOOKS

from affwire.errors import Conflict, NotFound
from affwire.model.deliveries import AttemptRecord
from affwire.model.registry import Affiliate
from affwire.model.wire import Request, Response
from affwire.rules.delivery import Dead, Delivered
from affwire.services import affiliates, deliveries, endpoints, erasure, journal, memberships, perks, programs
from affwire.services.deliveries import Result

PERSON = {
    "email": "kim.secret@example.org",
    "first_name": "Kimsecret",
    "last_name": "Bergsecret",
    "company": "Companysecret",
    "country": "SE",
    "address": "Streetsecret",
    "city": "Citysecret",
    "state": "Statesecret",
    "postcode": "Postsecret",
    "telephone": "+46secret",
    "vat": "Vatsecret",
    "language": "sv",
    "timezone": "Europe/Stockholm",
    "unconfirmed_email": "new.secret@example.org",
    "paypal_email": "pay.secret@example.org",
    "wise_email": "wise.secret@example.org",
    "stripe_customer_id": "cus_secret",
    "stripe_account_id": "acct_secret",
    "payments": ["secretpay"],
    "external_ids": {"crm": "crmsecret"},
    "metadata": {"note": "notesecret"},
}
OTHER = {name: "old" + value for name, value in PERSON.items() if isinstance(value, str) and "secret" in value}


@pytest.fixture
def endpoint(house):
    return house.endpoint("standard", HOOKS)


@pytest.fixture
def kim(house, endpoint):
    """A person with a history: every personal field was changed once, and everything that can hang on a membership."""
    program = house.act(programs.create, {"name": "Spring"})
    kim, membership = house.act(affiliates.create, {**PERSON, **OTHER}, program_id=program.id)
    house.act(
        affiliates.update, kim.id, {**PERSON, "metadata": {"extra": "moresecret"}, "external_ids": {"erp": "erpsecret"}}
    )
    fields = {"tag": "KIMsecret", "source": "sourcesecret", "deep_link": "https://example.com/kimsecret"}
    fields |= {"metadata": {"a": "secretmeta"}, "external_ids": {"shop": "shopsecret"}}
    house.act(memberships.update, membership.id, fields)
    house.act(memberships.update, membership.id, {**fields, "tag": "secretKIM", "metadata": {"a": "metasecret"}})
    house.act(perks.create_link, membership.id, {"url": "https://example.com/?via=kimsecret", "token": "kimsecret"})
    code = house.act(perks.create_promo_code, membership.id, {"code": "KIMSECRET10"})
    house.act(perks.update_promo_code, code.id, {"code": "KIMSECRET20"})
    house.act(affiliates.confirm, kim.id)
    return kim


def finish(house, verdict=None):
    """Have everything that is due end, with requests and answers on record that tell the person's data."""

    def work(tx):
        batch = deliveries.claim(tx, house.dialects, worker="w", limit=1000, room=lambda *_: 1000)
        return deliveries.settle(tx, house.dialects, [ended(one) for one in batch.claims])

    def ended(one):
        dialect = house.dialects[one.endpoint.dialect]
        saying = dialect.says(one.event)[0]
        request = dialect.request(one.event, saying, one.recipient, one.delivery.id, one.attempt)
        record = AttemptRecord(
            delivery_id=one.delivery.id,
            number=one.attempt.number,
            id=one.attempt.id,
            started_at=0,
            ended_at=0,
            outcome="ok",
            request=journal.kept_request(Request(request.url, request.headers, request.body), frozenset()),
            response=journal.kept_response(Response(200, (), request.body)),
        )
        return Result(one, verdict or Delivered(), record)

    return house.run(work)


def erase(house, limit=100):
    return house.run(lambda tx: erasure.erase_due(tx, limit=limit))


def trace(house):
    """Return every place in the database that still knows something of the person."""
    rows = [(table, repr(row)) for table, rows in house.everything().items() for row in rows if table != "endpoints"]
    return [(table, text[:2000]) for table, text in rows if "secret" in text.lower()]


def test_everything_about_the_person_is_known_before(house, kim):
    finish(house)
    assert {table for table, _ in trace(house)} >= {
        "affiliates",
        "memberships",
        "links",
        "promo_codes",
        "events",
        "attempts",
    }
    text = repr(house.everything())
    for value in PERSON.values():
        for one in value.values() if isinstance(value, dict) else [value]:
            assert str(one) in text


def test_after_an_erasure_the_whole_database_holds_no_trace_of_the_person(house, kim, endpoint):
    house.act(affiliates.delete, kim.id, erase=True)
    finish(house)
    assert erase(house) == 1
    assert trace(house) == []
    text = repr(house.everything())
    for plain in (kim.email, PERSON["email"], PERSON["timezone"]):
        assert plain not in text
        assert base64.b64encode(plain.encode()).decode()[:-4] not in text


def test_what_happened_stays_on_record(house, kim, endpoint):
    house.act(affiliates.delete, kim.id, erase=True)
    finish(house)
    before = [
        (event.id, event.type, event.sequence, event.occurred_at, set(event.previous)) for event in house.events()
    ]
    rows = house.deliveries(endpoint)
    erase(house)
    assert [
        (event.id, event.type, event.sequence, event.occurred_at, set(event.previous)) for event in house.events()
    ] == before
    assert house.deliveries(endpoint) == rows
    kept = house.run(lambda tx: tx.registry.get_even_deleted(Affiliate, house.organization.id, kim.id))
    assert (kept.id, kept.number, kept.sequence, kept.deleted_at is not None) == (
        kim.id,
        kim.number,
        len(before) - 1,
        True,
    )
    shown = house.run(lambda tx: journal.event(tx, house.organization.id, before[-1][0]))
    assert shown["snapshot"]["affiliate"]["email"] is None
    assert shown["snapshot"]["memberships"][0]["program"]["name"] == "Spring"


def test_pending_deliveries_first_get_the_data(house, kim, endpoint):
    house.act(affiliates.delete, kim.id, erase=True)
    assert erase(house) == 0
    last = house.events()[-1]
    assert last.snapshot.affiliate.email == PERSON["email"]
    finish(house)
    row = house.run(lambda tx: tx.outbox.of_event(last.id))[0]
    [attempt] = house.run(lambda tx: tx.outbox.attempts_of([row.id]))[row.id]
    assert b"kim.secret@example.org" in attempt.request
    assert erase(house) == 1
    assert erase(house) == 0


@pytest.mark.parametrize("state", ["held", "leased", "pending"])
def test_nothing_is_erased_while_a_delivery_is_unfinished(house, kim, endpoint, state):
    house.act(affiliates.delete, kim.id, erase=True)
    if state == "leased":
        house.run(lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=1, room=lambda *_: 1))
    if state == "held":
        wish = endpoints.Wish(fields={"paused": True})
        house.run(lambda tx: endpoints.update(tx, house.organization, house.dialects, endpoint.id, wish))
    with house.changes_nothing():
        assert erase(house) == 0


def test_a_delivery_that_gave_up_does_not_stand_in_the_way(house, kim):
    house.act(affiliates.delete, kim.id, erase=True)
    finish(house, Dead("why"))
    assert erase(house) == 1
    assert trace(house) == []


def test_one_who_still_waits_does_not_stand_in_anothers_way(house, kim, endpoint):
    finish(house)
    wish = endpoints.Wish(fields={"paused": True})
    house.run(lambda tx: endpoints.update(tx, house.organization, house.dialects, endpoint.id, wish))
    house.act(affiliates.delete, kim.id, erase=True)
    wish = endpoints.Wish(fields={"enabled": False})
    house.run(lambda tx: endpoints.update(tx, house.organization, house.dialects, endpoint.id, wish))
    later = house.act(affiliates.create, {"email": "later@example.org"})[0]
    house.act(affiliates.delete, later.id, erase=True)
    assert erase(house, limit=1) == 1
    assert "later@example.org" not in repr(house.everything())


def test_an_ordinary_delete_erases_nothing_and_an_erasure_can_be_asked_for_afterwards(house, kim, endpoint):
    house.act(affiliates.delete, kim.id)
    finish(house)
    assert erase(house) == 0
    said = house.types()
    house.act(affiliates.delete, kim.id, erase=True)
    assert house.types() == said
    assert erase(house) == 1
    assert trace(house) == []


def test_nobody_else_is_touched(house, kim):
    other = house.act(affiliates.create, {"email": "other@example.org", "metadata": {"a": 1}})[0]
    house.act(affiliates.delete, kim.id, erase=True)
    finish(house)
    erase(house)
    assert house.run(lambda tx: tx.registry.get(Affiliate, house.organization.id, other.id)).email == other.email
    own = [event for event in house.events() if event.affiliate_id == other.id]
    assert own[0].snapshot.affiliate.email == other.email


def test_the_address_is_free_at_once(house, kim):
    house.act(affiliates.delete, kim.id, erase=True)
    assert house.act(affiliates.create, {"email": PERSON["email"]})[0].id != kim.id


def test_a_replay_after_an_erasure_is_refused_for_there_is_nothing_left_to_say(house, kim, endpoint):
    house.act(affiliates.delete, kim.id, erase=True)
    finish(house)
    erase(house)
    for row in [row for row in house.deliveries(endpoint) if not row.word.startswith("program.")]:
        with house.refuses("affiliate_erased"):
            house.run(lambda tx, row=row: deliveries.replay(tx, house.organization.id, row.id))


def test_one_of_whom_only_a_relay_told_can_be_erased_too(house, endpoint):
    house.clock.advance(400 * 86_400_000)
    relay = Platform(house, "rewardful", mode="relay")
    told = {
        "object__email": PERSON["email"],
        "object__last_name": PERSON["last_name"],
        "object__campaign": {"id": "c-1", "name": "Spring"},
    }
    message = relay.send("affiliate.created", **told)
    with pytest.raises(Conflict) as waits:
        house.act(affiliates.delete, message.affiliate_id, erase=True)
    assert waits.value.code == "deliveries_unfinished"
    finish(house)
    with pytest.raises(NotFound):
        house.act(affiliates.delete, message.affiliate_id)
    assert trace(house)
    for _ in range(2):
        house.act(affiliates.delete, message.affiliate_id, erase=True)
        assert trace(house) == []
    assert house.types() == ["affiliate.created", "membership.activated"]
    again = relay.send("affiliate.updated", **told)
    assert again.status == "applied"
    assert again.affiliate_id != message.affiliate_id
