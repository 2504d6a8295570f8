"""Rewardful: what each action says (contracts A1), the bodies key by key, the signature."""

import hmac
import json
from hashlib import sha256

import pytest

from affwire.dialects.base import Attempt, Recipient, Saying
from affwire.dialects.rewardful import NOT_LEADING, SAME_CAMPAIGN, dialect
from affwire.errors import Unencodable
from affwire.model import ids
from affwire.rules.matching import wanted
from affwire.testing import events

SECRET = "a-signing-secret"
RECIPIENT = Recipient(
    endpoint_id=events.id_of("endpoint"), url="https://example.com/hooks", secrets=(SECRET, "older-one")
)
DELIVERY = events.id_of("delivery")
FIRST = Attempt(events.id_of("attempt"), 1, events.NOW)
KIM = events.id_of("affiliate")
UUID = ids.uuid_of(KIM)
CREATED, CONFIRMED, UPDATED, DELETED = (f"affiliate.{word}" for word in ("created", "confirmed", "updated", "deleted"))

EARLIER = events.view(1)
"""An accepted membership older than the one at hand: the campaign stays with it."""


def second(before, after, **fields):
    """Return the transition of membership 2 beside an older, accepted one."""
    own = events.view(2, before=before, status=after)
    return events.transition(before, after, own=own, others=(EARLIER,), **fields)


def first(before, after, **fields):
    """Return the transition of membership 1 beside a younger, accepted one."""
    return events.transition(before, after, others=(events.view(2),), **fields)


ROWS = {
    "1 create a program": (events.event("program.created"), "campaign.created"),
    "2 change a program": (events.event("program.updated", previous={"name": "Old"}), "campaign.updated"),
    "3 delete a program": (events.event("program.deleted"), "campaign.deleted"),
    "3b delete it by force": (events.transition("active", "removed"), UPDATED),
    "4 create an affiliate": (events.event("affiliate.created"), CREATED),
    "5 confirm the e-mail": (events.event("affiliate.confirmed", previous={"confirmed_at": None}), CONFIRMED),
    "5b complete onboarding": (events.event("affiliate.updated", previous={"onboarding_completed": False}), UPDATED),
    "6 change details": (events.event("affiliate.updated", previous={"city": None}), UPDATED),
    "6b change the e-mail": (events.event("affiliate.updated", previous={"email": "old@example.org"}), UPDATED),
    "6c change the account": (events.event("affiliate.updated", previous={"status": "pending"}), UPDATED),
    "7 ask to join": (events.transition(None, "pending"), None),
    "8 approve the first": (events.transition("pending", "active"), UPDATED),
    "8 approve a further one": (second("pending", "active"), None),
    "8 approve an earlier one": (first("pending", "active"), UPDATED),
    "9 add at once": (events.transition(None, "active"), UPDATED),
    "9 add to a further one": (second(None, "active"), None),
    "10 decline": (events.transition("pending", "rejected"), None),
    "11 remove the only one": (events.transition("active", "removed"), UPDATED),
    "11 remove the earliest": (first("active", "removed"), UPDATED),
    "11 remove a further one": (second("active", "removed"), None),
    "11 remove a pending one": (events.transition("pending", "removed"), None),
    "12 leave": (events.transition("paused", "left"), UPDATED),
    "13 any other status": (events.transition("active", "paused"), None),
    "13b back to active": (events.transition("paused", "active"), None),
    "14 delete: a membership": (events.transition("active", "removed", leads=False), None),
    "14 delete: the affiliate": (events.event("affiliate.deleted"), DELETED),
    "15 change a field": (events.event("membership.updated", previous={"tag": "OLD"}), None),
    "16 reactivate": (events.transition("removed", "active"), UPDATED),
    "16 reactivate a further one": (second("left", "active"), None),
    "16b activate a declined one": (events.transition("rejected", "active"), UPDATED),
    "16c ask again": (events.transition("removed", "pending"), None),
    "16d ask again, declined": (events.transition("rejected", "pending"), None),
    "17 affiliate with membership: affiliate": (events.event("affiliate.created"), CREATED),
    "17 affiliate with membership: membership": (events.transition(None, "active", leads=False), None),
    "18 promo codes": (events.event("membership.updated", previous={"promo_codes": []}), None),
}


def sent(event, attempt=FIRST, recipient=RECIPIENT):
    (saying,) = dialect.says(event)
    return dialect.request(event, saying, recipient, DELIVERY, attempt)


@pytest.mark.parametrize("row", ROWS)
def test_each_action_says_its_row(row):
    event, word = ROWS[row]
    subject = event.subject_id if event.type.startswith("program.") else KIM
    assert dialect.says(event) == ((Saying(word, subject),) if word else ())


def test_silence_tells_why():
    assert dialect.silence(events.transition(None, "active", leads=False)) == NOT_LEADING
    assert dialect.silence(events.transition(None, "pending")) == SAME_CAMPAIGN


@pytest.mark.parametrize("word", ["campaign.created", "campaign.updated", "campaign.deleted"])
def test_campaigns_are_told_only_to_endpoints_that_name_them(word):
    card = dialect.card.word(word)
    canonical = word.replace("campaign", "program")
    assert card.explicit
    assert not wanted((), canonical, word, explicit=card.explicit)
    assert not wanted(("*", "program.*"), canonical, word, explicit=card.explicit)
    assert wanted(("campaign.*",), canonical, word, explicit=card.explicit)


def test_two_memberships_of_one_program_are_one_campaign():
    """The earliest ends, but the next accepted one is in the same program: nothing the affiliate shows has changed."""
    same = events.view(2, program=events.program(1))
    assert dialect.says(events.transition("active", "left", others=(same,))) == ()


def test_the_body_is_the_reference_pages_with_the_newer_keys_behind():
    kim = events.affiliate(confirmed_at=events.SINCE, sign_in_count=2)
    after = events.snapshot(events.view(1), affiliate=kim, links=(events.link(1),))
    event = events.event("affiliate.confirmed", after, previous={"confirmed_at": None})
    since = "2026-02-26T23:33:12.345Z"
    expected = {
        "object": {
            "id": UUID,
            "first_name": "Kim",
            "last_name": "Berg",
            "email": "Kim1@Example.org",
            "created_at": since,
            "updated_at": since,
            "referrals": 0,
            "conversions": 0,
            "confirmed_at": since,
            "links": [
                {
                    "id": UUID,
                    "url": "https://example.com/?via=kim1",
                    "token": "kim1",
                    "referrals": 0,
                    "visitors": 0,
                    "leads": 0,
                    "conversions": 0,
                }
            ],
            "campaign": {"id": UUID, "name": "Program 1", "created_at": since, "updated_at": since},
            "paypal_email": None,
            "sign_in_count": 2,
            "stripe_account_id": None,
            "unconfirmed_email": None,
            "stripe_customer_id": None,
            "paypal_email_confirmed_at": None,
            "receive_new_commission_notifications": True,
            "state": "active",
            "wise_email": None,
            "wise_email_confirmed_at": None,
            "visitors": 0,
            "leads": 0,
            "coupon": None,
        },
        "event": {
            "id": UUID,
            "type": "affiliate.confirmed",
            "created_at": "2026-02-27T23:33:12.345Z",
            "api_version": "v1",
        },
        "request": {"id": UUID},
    }
    assert sent(event).body == json.dumps(expected, separators=(",", ":")).encode()


def test_an_affiliate_without_a_program_has_no_campaign_and_no_email_is_null():
    event = events.event("affiliate.created", events.snapshot(affiliate=events.affiliate(email=None)))
    shown = json.loads(sent(event).body)["object"]
    assert (shown["campaign"], shown["email"], shown["links"]) == (None, None, [])


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", "active"),
        ("active", "active"),
        ("disabled", "disabled"),
        ("rejected", "disabled"),
        ("suspicious", "suspicious"),
    ],
)
def test_an_account_has_one_of_three_states(status, state):
    event = events.event("affiliate.updated", events.snapshot(affiliate=events.affiliate(status=status)))
    assert json.loads(sent(event).body)["object"]["state"] == state


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"commission_percent": 20.0}, ("percent", 20.0, None, None)),
        ({"commission_amount": 500, "currency": "EUR"}, ("amount", None, 500, "EUR")),
        ({}, ("percent", None, None, None)),
    ],
)
def test_a_campaign_rewards_by_percent_or_amount(fields, shown):
    after = events.snapshot(affiliate=None, program=events.program(**fields), program_affiliates=3)
    body = json.loads(sent(events.event("program.updated", after)).body)
    campaign = body["object"]
    names = ("reward_type", "commission_percent", "commission_amount_cents", "commission_amount_currency")
    assert tuple(campaign[name] for name in names) == shown
    assert (body["event"]["type"], campaign["affiliates"]) == ("campaign.updated", 3)


def test_ids_that_came_from_rewardful_go_out_again_unless_they_are_no_uuids():
    theirs = "0a1b2c3d-0000-4000-8000-000000000001"
    known = events.snapshot(affiliate=events.affiliate(external_ids={"rewardful": theirs}))
    assert json.loads(sent(events.event("affiliate.created", known)).body)["object"]["id"] == theirs
    odd = events.snapshot(affiliate=events.affiliate(external_ids={"rewardful": "kim"}))
    assert json.loads(sent(events.event("affiliate.created", odd)).body)["object"]["id"] == UUID


def test_the_signature_is_lower_case_hex_over_the_raw_body():
    request = sent(events.event("affiliate.created"))
    assert request.headers == (
        ("Content-Type", "application/json"),
        ("X-Rewardful-Signature", hmac.digest(SECRET.encode(), request.body, sha256).hex()),
    )


def test_a_new_try_is_a_new_request_of_the_same_event():
    event = events.event("affiliate.created")
    retry = Attempt(events.id_of("attempt", 2), 2, events.NOW + 60_000)
    first_body, second_body = json.loads(sent(event).body), json.loads(sent(event, retry).body)
    assert first_body["request"] != second_body["request"]
    assert second_body == first_body | {"request": {"id": ids.uuid_of(retry.id)}}


def test_what_cannot_be_put_into_words_is_refused():
    event = events.event("affiliate.created")
    with pytest.raises(Unencodable, match="no_record"):
        dialect.request(event, Saying(CREATED, events.id_of("affiliate", 2)), RECIPIENT, DELIVERY, FIRST)
    with pytest.raises(Unencodable, match="no_secret"):
        sent(event, recipient=Recipient(endpoint_id=RECIPIENT.endpoint_id, url=RECIPIENT.url))


def test_the_object_is_the_bodys_and_links_stand_alone_too():
    after = events.snapshot(events.view(1), links=(events.link(1),))
    event = events.event("affiliate.updated", after)
    shown = dialect.object("affiliate", KIM, after)
    assert shown == json.loads(sent(event).body)["object"]
    assert dialect.object("link", events.id_of("link"), after) == shown["links"][0] | {"affiliate_id": UUID}
    assert dialect.object("membership", events.id_of("membership"), after) is None
    assert dialect.object("affiliate", events.id_of("affiliate", 2), after) is None
