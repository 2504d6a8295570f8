"""The relay: every message once, in the order it came, under ids that outlive a platform, and no registry touched."""

import json

import pytest
from inflow import Platform
from registry_walk import HOOKS

from affwire.dialects.base import Attempt, Recipient, Saying
from affwire.dialects.passing import written
from affwire.model.registry import Affiliate, Program
from affwire.testing.house import MemoryHouse

EMAIL = "noor.haddad@example.com"
SPRING = {"id": "82f26208-778e-4e98-a467-6ee264cf96d5", "name": "Spring"}


@pytest.fixture
def house():
    house = MemoryHouse()
    house.clock.advance(400 * 24 * 3_600_000)
    return house


def relay(house, dialect, **fields):
    return Platform(house, dialect, mode="relay", **fields)


def tell(platform, word, number, **changes):
    told = {"object__campaign": SPRING, "object__email": EMAIL, **changes}
    at = f"2026-03-{number:02}T12:00:00.000Z"
    return platform.send(
        "affiliate.updated", event__type=word, event__id=f"{word}{number}", event__created_at=at, **told
    )


def on(number):
    return {"occurred_at": f"2026-03-{number:02}T12:00:00Z"}


def types(house):
    return [event.type for event in house.events()]


def test_a_message_becomes_the_events_it_stands_for_and_no_record(house):
    message = tell(relay(house, "rewardful"), "affiliate.created", 1)
    assert types(house) == ["affiliate.created", "membership.activated"]
    assert (message.status, len(message.events)) == ("applied", 2)
    for kind in (Affiliate, Program):
        assert house.run(lambda tx, kind=kind: tx.registry.find(kind, house.organization.id)) == []
    assert [event.sequence for event in house.events()] == [1, 2]


def test_another_platform_goes_on_where_the_former_left_off(house):
    tell(relay(house, "rewardful"), "affiliate.created", 1)
    relay(house, "growi").send("campaign_affiliate.left", user_email=EMAIL, campaign_name="Spring", **on(2))
    first, last = house.events()[1], house.events()[-1]
    assert (last.affiliate_id, last.program_id, last.membership_id) == (
        first.affiliate_id,
        first.program_id,
        first.membership_id,
    )
    assert [event.sequence for event in house.events()] == [1, 2, 3]


def test_a_source_that_goes_by_ids_alone_takes_nobody_for_another(house):
    tell(relay(house, "rewardful"), "affiliate.created", 1)
    relay(house, "growi", match="id").send("campaign_affiliate.left", user_email=EMAIL, campaign_name="Spring", **on(2))
    assert house.events()[0].affiliate_id != house.events()[-1].affiliate_id


def test_what_a_message_leaves_out_is_as_it_was_told_last(house):
    growi = relay(house, "growi")
    growi.send("campaign_affiliate.activated", **on(1))
    growi.send("campaign_affiliate.removed", user_email=..., user_name=..., campaign_name=..., tag=..., **on(2))
    last = house.events()[-1]
    assert last.snapshot.affiliate.email == "kim@example.org"
    assert last.own.program.name == "Harbour Lights"
    assert (last.own.status_before, last.own.membership.status) == ("active", "removed")


def test_tamio_ends_a_membership_by_its_id_alone(house):
    tamio = relay(house, "tamio")
    tamio.send("affiliate-signup")
    tamio.send("affiliate-removed")
    first, last = house.events()
    assert (first.affiliate_id, first.membership_id, first.program_id) == (
        last.affiliate_id,
        last.membership_id,
        last.program_id,
    )
    assert last.snapshot.affiliate.email == first.snapshot.affiliate.email


def test_an_update_that_shows_another_status_is_the_change_of_status(house):
    affonso = relay(house, "affonso")
    affonso.send("affiliate.created", data__partnershipStatus="PENDING", timestamp="2026-03-01T12:00:00.000Z")
    affonso.send("affiliate.updated", data__partnershipStatus="APPROVED", timestamp="2026-03-03T12:00:00.000Z")
    affonso.send("affiliate.updated", data__partnershipStatus="PENDING", timestamp="2026-03-02T12:00:00.000Z")
    assert types(house) == ["membership.requested", "membership.activated", "affiliate.updated"], (
        "late news is passed on as what it was said to be"
    )
    affonso.send("affiliate.updated", data__partnershipStatus="REJECTED", timestamp="2026-03-04T12:00:00.000Z")
    assert types(house)[-1] == "membership.rejected"


def test_in_its_own_dialect_a_message_goes_on_with_the_body_it_came_in(house):
    endpoint = house.endpoint("rewardful", HOOKS)
    platform = relay(house, "rewardful")
    tell(platform, "affiliate.created", 1, object__something_new={"a": [1, None]})
    [delivery] = house.deliveries(endpoint)
    leading = house.events()[0]
    recipient = Recipient(endpoint_id=endpoint.id, url=endpoint.url, secrets=("secretsecret",))
    attempt = Attempt(house.world.new_id("attempt"), 1, 0)
    said = written(
        platform.dialect,
        leading,
        Saying(delivery.word, delivery.subject_id),
        recipient,
        delivery_id=delivery.id,
        attempt=attempt,
    )
    came, went = leading.origin.body, json.loads(said.body)
    assert went["object"] == came["object"]
    assert went["event"] == came["event"]
    assert went["request"]["id"] != came["request"]["id"]


def test_a_relayed_message_is_said_in_every_other_dialect(house):
    endpoints = {name: house.endpoint(name, HOOKS) for name in ("growi", "affonso", "insert_affiliate", "tamio")}
    tell(relay(house, "rewardful"), "affiliate.created", 1)
    said = {name: [row.word for row in house.deliveries(endpoint)] for name, endpoint in endpoints.items()}
    assert said == {
        "growi": ["campaign_affiliate.activated"],
        "affonso": ["affiliate.created"],
        "insert_affiliate": ["affiliate.created"],
        "tamio": ["affiliate-signup", "affiliate-approved"],
    }


def test_nothing_goes_back_to_where_it_came_from_and_loops_end(house):
    platform = relay(house, "rewardful")
    back = house.endpoint("rewardful", HOOKS, source_id=platform.source.id)
    tell(platform, "affiliate.created", 1)
    assert house.deliveries(back) == []
    message = platform.send("affiliate.updated", hops=5)
    assert (message.status, len(message.events)) == ("unchanged", 0)


def test_a_relay_and_a_mirror_of_one_platform_do_not_meet(house):
    tell(relay(house, "rewardful"), "affiliate.created", 1)
    tell(Platform(house, "rewardful"), "affiliate.updated", 2)
    tell(relay(house, "rewardful"), "affiliate.updated", 3)
    assert len({event.affiliate_id for event in house.events() if event.affiliate_id}) == 2


def test_program_words_are_relayed_too(house):
    platform = relay(house, "rewardful")
    platform.send("campaign.updated")
    assert types(house) == ["program.updated"]
    assert house.events()[0].subject_id == house.events()[0].program_id
