"""Organizations see nothing of each other: another's id is as good as none, in every argument of every service."""

import pytest
from registry_walk import HOOKS

from affwire.model.endpoints import Endpoint
from affwire.model.events import Actor
from affwire.model.registry import Affiliate, Group, Link, Membership, Program, PromoCode
from affwire.services import (
    affiliates,
    deliveries,
    endpoints,
    events,
    journal,
    memberships,
    organizations,
    perks,
    programs,
)
from affwire.services.actions import Caller


@pytest.fixture
def theirs(house):
    """One record of each kind in another organization."""
    fields = {"slug": "other", "name": "Other", "unlimited_endpoints": True}
    other = house.run(lambda tx: organizations.create(tx, fields))[0]
    mine, house.organization = house.organization, other
    found = {"endpoint": house.endpoint("standard", HOOKS), "organization": other}
    found["program"] = house.act(programs.create, {"name": "Theirs"})
    found["affiliate"], found["membership"] = house.act(
        affiliates.create, {"email": "kim@example.org"}, program_id=found["program"].id
    )
    found["group"] = house.act(perks.create_group, {"name": "Theirs"})
    found["link"] = house.act(perks.create_link, found["membership"].id, {"url": "https://example.com", "token": "t"})
    found["code"] = house.act(perks.create_promo_code, found["membership"].id, {"code": "THEIRS"})
    found["event"] = house.events()[0]
    found["delivery"] = house.deliveries(found["endpoint"])[0]
    found["key"] = house.run(lambda tx: tx.keys.page(other.id, after=None, limit=1))[0]
    house.organization = mine
    return found


@pytest.fixture
def mine(house):
    program = house.act(programs.create, {"name": "Mine"})
    affiliate, membership = house.act(affiliates.create, {"email": "me@example.org"}, program_id=program.id)
    return {"program": program, "affiliate": affiliate, "membership": membership}


ACTIONS = {
    "program_not_found": [
        (programs.update, "program", {"name": "X"}),
        (lambda action, id_: programs.delete(action, id_, force=True), "program"),
        (lambda action, id_: programs.delete(action, id_, force=False), "program"),
        (lambda action, id_: affiliates.create(action, {"email": "x@example.org"}, program_id=id_), "program"),
    ],
    "affiliate_not_found": [
        (affiliates.update, "affiliate", {"city": "X"}),
        (affiliates.confirm, "affiliate"),
        (affiliates.delete, "affiliate"),
        (lambda action, id_: affiliates.delete(action, id_, erase=True), "affiliate"),
    ],
    "membership_not_found": [
        (memberships.update, "membership", {"tag": "X"}),
        (memberships.update, "membership", {"status": "left"}),
        (memberships.command, "membership", "leave"),
        (perks.create_link, "membership", {"url": "https://example.com", "token": "t"}),
        (perks.create_promo_code, "membership", {"code": "X"}),
    ],
    "group_not_found": [(perks.update_group, "group", {"name": "X"}), (perks.delete_group, "group")],
    "link_not_found": [(perks.update_link, "link", {"token": "x"}), (perks.delete_link, "link")],
    "promo_code_not_found": [(perks.update_promo_code, "code", {"code": "X"}), (perks.delete_promo_code, "code")],
}


@pytest.mark.parametrize(
    ("code", "attempt"), [(code, attempt) for code, all_of in ACTIONS.items() for attempt in all_of]
)
def test_anothers_record_cannot_be_changed(house, theirs, code, attempt):
    do, kind, *args = attempt
    with house.refuses(code):
        house.act(do, theirs[kind].id, *args)


def test_anothers_record_cannot_be_mixed_into_ones_own(house, theirs, mine):
    with house.refuses("program_not_found"):
        house.act(memberships.create, mine["affiliate"].id, theirs["program"].id, {})
    with house.refuses("affiliate_not_found"):
        house.act(memberships.create, theirs["affiliate"].id, mine["program"].id, {})
    with house.refuses("unknown_group", field="group_id"):
        house.act(memberships.update, mine["membership"].id, {"group_id": theirs["group"].id})
    with house.refuses("unknown_group"):
        fields = {"email": "x@example.org"}
        in_theirs = {"group_id": theirs["group"].id}
        house.act(affiliates.create, fields, program_id=mine["program"].id, membership=in_theirs)


WORKS = {
    "endpoint_not_found": [
        lambda tx, h, t: endpoints.update(
            tx, h.organization, h.dialects, t["endpoint"].id, endpoints.Wish(fields={"paused": True})
        ),
        lambda tx, h, t: endpoints.delete(tx, h.organization, t["endpoint"].id),
    ],
    "delivery_not_found": [
        lambda tx, h, t: deliveries.get(tx, h.organization.id, t["delivery"].id),
        lambda tx, h, t: deliveries.replay(tx, h.organization.id, t["delivery"].id),
        lambda tx, h, t: deliveries.cancel(tx, h.organization.id, t["delivery"].id),
        lambda tx, h, t: journal.delivery(tx, h.organization.id, t["delivery"].id),
    ],
    "event_not_found": [lambda tx, h, t: journal.event(tx, h.organization.id, t["event"].id)],
    "key_not_found": [lambda tx, h, t: organizations.revoke_key(tx, h.organization.id, t["key"].id)],
}


@pytest.mark.parametrize(("code", "work"), [(code, work) for code, works in WORKS.items() for work in works])
def test_anothers_endpoint_delivery_event_or_key_is_not_there(house, theirs, code, work):
    with house.refuses(code):
        house.run(lambda tx: work(tx, house, theirs))


KINDS = (Program, Affiliate, Membership, Group, Link, PromoCode, Endpoint)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_another_is_listed_or_found(house, theirs, kind):
    assert house.run(lambda tx: tx.registry.find(kind, house.organization.id)) == []
    assert house.run(lambda tx: tx.registry.page(kind, house.organization.id, after=None, limit=10)) == []
    name = {"PromoCode": "code"}.get(kind.__name__, kind.__name__.lower())
    for look in (lambda tx: tx.registry.get, lambda tx: tx.registry.get_even_deleted):
        assert house.run(lambda tx, look=look: look(tx)(kind, house.organization.id, theirs[name].id)) is None


def test_history_keys_and_counts_are_ones_own(house, theirs):
    own = house.organization.id
    assert house.events() == []
    assert house.run(lambda tx: tx.log.page(own, after=0, limit=9, affiliate_id=theirs["affiliate"].id)) == []
    assert house.run(lambda tx: tx.log.position_of(own, theirs["event"].id)) is None
    assert house.run(lambda tx: tx.outbox.page(own, before=None, limit=9)) == []
    assert house.run(lambda tx: tx.outbox.counts(own)) == {}
    assert house.run(lambda tx: tx.keys.get(own, theirs["key"].id)) is None
    assert theirs["key"] not in house.run(lambda tx: tx.keys.page(own, after=None, limit=9))


def test_the_same_address_slug_free_numbers_and_limits_count_per_organization(house, theirs):
    kim = house.act(affiliates.create, {"email": "kim@example.org"})[0]
    assert kim.number == theirs["affiliate"].number
    assert house.endpoint("standard", HOOKS).number == theirs["endpoint"].number


def test_ones_own_events_go_to_ones_own_endpoints_alone(house, theirs):
    before = house.deliveries(theirs["endpoint"])
    house.act(programs.create, {"name": "Mine"})
    other = theirs["organization"].id
    rows = house.run(lambda tx: tx.outbox.page(other, before=None, limit=99))
    assert len(rows) == len(house.run(lambda tx: tx.log.page(other, after=None, limit=99)))
    assert before == []
    [event] = house.events()
    entry = house.run(lambda tx: tx.log.get(house.organization.id, event.id))
    assert entry.silences == {}


def test_a_key_acts_in_its_own_organization(house, theirs):
    def work(tx):
        identity = organizations.Identity(theirs["organization"].id, "registry", "key_1")
        with events.acting(tx, identity.caller, house.dialects) as action:
            return programs.create(action, {"name": "X"})

    assert house.run(work).organization_id == theirs["organization"].id
    assert organizations.Identity("operator", "operator").caller == Caller("operator", Actor("operator"))
