"""Rewardful as it comes in: the page's example of 2019, today's object, the signature, and whatever else may arrive."""

import hmac
import json
from copy import deepcopy
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.dialects.base import Identity, Trust, load_samples
from affwire.dialects.rewardful import dialect
from affwire.errors import NotGenuine, Undecodable
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.wire import Message
from affwire.testing.events import NOW

SECRET = "a-signing-secret"
HEADER = "X-Rewardful-Signature"
TRUST = Trust(secrets=(SECRET,))

KIM = "3e0c1f7a-52d4-4a0b-9d1e-7c5b8a2f6d10"
LINK = "b7a90d52-1f3e-4c68-8a27-90e4d1c5f3b6"
CAMPAIGN = "5d8e2c41-7b06-49fa-a3c9-1e6f0b7d2845"
EVENT_ID = "c41d6e98-0a2b-4f57-b8d3-6a9e5c7f1032"

OF_2019 = {
    "object": {
        "id": KIM,
        "first_name": "Kim",
        "last_name": "Berg",
        "email": "kim@example.com",
        "created_at": "2019-06-24T00:43:36.097Z",
        "updated_at": "2019-06-27T18:38:41.684Z",
        "referrals": 42,
        "conversions": 3,
        "confirmed_at": "2019-06-24T00:43:36.095Z",
        "links": [
            {"id": LINK, "url": "https://example.com/?via=kim", "token": "kim", "referrals": 42, "conversions": 3}
        ],
        "campaign": {
            "id": CAMPAIGN,
            "name": "Friends of Example",
            "created_at": "2019-06-24T00:43:35.985Z",
            "updated_at": "2019-06-24T00:43:35.985Z",
        },
        "paypal_email": None,
        "sign_in_count": 0,
        "stripe_account_id": None,
        "unconfirmed_email": None,
        "stripe_customer_id": None,
        "paypal_email_confirmed_at": None,
        "receive_new_commission_notifications": True,
    },
    "event": {
        "id": EVENT_ID,
        "type": "affiliate.confirmed",
        "created_at": "2019-07-11T05:25:43.940Z",
        "api_version": "v1",
    },
    "request": {"id": "f2b5a7c3-6d18-4e90-9c4f-3a1e8b0d5276"},
}
"""The reference page's example: its keys and types, values of our own."""

TODAY = {
    "state": "suspicious",
    "visitors": 10,
    "leads": 4,
    "wise_email": "wise@example.com",
    "wise_email_confirmed_at": "2026-02-27T23:33:12.345Z",
    "coupon": None,
}

AT = 1_561_337_016_097
UPDATED_AT = 1_561_660_721_684
CONFIRMED_AT = 1_561_337_016_095
CAMPAIGN_AT = 1_561_337_015_985
OCCURRED_AT = 1_562_822_743_940


def body(word="affiliate.confirmed", without=(), event=None, **object_fields):
    """Return the example as another word, with fields of the object changed, added or taken away."""
    made = deepcopy(OF_2019)
    made["object"] |= object_fields
    made["event"] |= {"type": word} | (event or {})
    for name in without:
        del made["object"][name]
    return made


def message(made, *, secret=SECRET, headers=None):
    raw = made if isinstance(made, bytes) else json.dumps(made).encode()
    signed = ((HEADER, hmac.new(secret.encode(), raw, sha256).hexdigest()),)
    return Message(headers=signed if headers is None else headers, body=raw)


def decoded(made):
    return dialect.decode(message(made))


def test_the_pages_example_of_2019_is_read_field_by_field():
    assert decoded(OF_2019) == Reading(
        word="affiliate.confirmed",
        events=("affiliate.confirmed",),
        event_id=EVENT_ID,
        occurred_at=OCCURRED_AT,
        affiliate=Told(
            kind="affiliate",
            id=KIM,
            fields={
                "first_name": "Kim",
                "last_name": "Berg",
                "email": "kim@example.com",
                "created_at": AT,
                "updated_at": UPDATED_AT,
                "confirmed_at": CONFIRMED_AT,
                "paypal_email": None,
                "sign_in_count": 0,
                "stripe_account_id": None,
                "unconfirmed_email": None,
                "stripe_customer_id": None,
                "paypal_email_confirmed_at": None,
                "receive_new_commission_notifications": True,
            },
        ),
        memberships=(
            ToldMembership(
                told=Told(kind="membership", fields={"status": "active"}),
                program=Told(
                    kind="program",
                    id=CAMPAIGN,
                    fields={"name": "Friends of Example", "created_at": CAMPAIGN_AT, "updated_at": CAMPAIGN_AT},
                ),
            ),
        ),
        own=0,
        whole=True,
        links=(Told(kind="link", id=LINK, fields={"url": "https://example.com/?via=kim", "token": "kim"}),),
        unread=(
            "object.referrals",
            "object.conversions",
            "object.links[].referrals",
            "object.links[].conversions",
        ),
    )


def test_todays_keys_are_read_beside_the_old_ones():
    fields = decoded(body(**TODAY)).affiliate.fields
    assert fields["status"] == "suspicious"
    assert fields["wise_email"] == "wise@example.com"
    assert fields["wise_email_confirmed_at"] == NOW


def test_a_state_that_is_not_shown_is_not_told():
    assert "status" not in decoded(OF_2019).affiliate.fields


@pytest.mark.parametrize("state", ["frozen", "", 7, ["active"], {"a": 1}, True])
def test_a_state_in_an_unknown_word_is_kept_unread(state):
    reading = decoded(body(state=state))
    assert "status" not in reading.affiliate.fields
    assert "object.state" in reading.unread


@pytest.mark.parametrize(
    ("word", "campaign", "events"),
    [
        ("affiliate.created", True, ("affiliate.created", "membership.activated")),
        ("affiliate.created", False, ("affiliate.created",)),
        ("affiliate.confirmed", True, ("affiliate.confirmed",)),
        ("affiliate.updated", True, ("affiliate.updated",)),
        ("affiliate.updated", False, ("affiliate.updated",)),
        ("affiliate.deleted", True, ("membership.removed", "affiliate.deleted")),
        ("affiliate.deleted", False, ("affiliate.deleted",)),
    ],
)
def test_a_word_is_what_happened_to_the_affiliate_and_its_campaign(word, campaign, events):
    reading = decoded(body(word) if campaign else body(word, campaign=None))
    assert reading.events == events
    assert (reading.own, len(reading.memberships)) == ((0, 1) if campaign else (None, 0))


def test_who_is_deleted_is_no_member_of_the_campaign_any_more():
    assert decoded(body("affiliate.deleted")).membership.told.fields == {"status": "removed"}


def test_a_deleted_affiliate_may_be_no_more_than_an_id():
    reading = decoded(body("affiliate.deleted", without=[name for name in OF_2019["object"] if name != "id"]))
    assert reading.affiliate == Told(kind="affiliate", id=KIM)
    assert (reading.events, reading.memberships, reading.links) == (("affiliate.deleted",), (), None)


def test_an_address_that_is_empty_is_none():
    assert decoded(body(email="")).affiliate.fields["email"] is None


def test_no_links_is_something_else_than_links_not_told():
    assert decoded(body(links=[])).links == ()
    assert decoded(body(without=["links"])).links is None


def test_a_link_without_id_and_address_is_kept_unread():
    reading = decoded(body(links=[{"token": "kim"}, 7, {"id": LINK, "url": 5}]))
    assert reading.links == (Told(kind="link", id=LINK),)
    assert {"object.links[]", "object.links[].url"} <= set(reading.unread)


def test_a_campaign_without_an_id_is_kept_unread():
    reading = decoded(body(campaign={"name": "Friends"}))
    assert reading.memberships == ()
    assert "object.campaign" in reading.unread


@pytest.mark.parametrize(
    ("made", "whole"),
    [
        (body(), True),
        (body(campaign=None), True),
        (body(without=["campaign"]), False),
        (body(campaign={"name": "Friends"}), False),
        (body(campaign="Friends"), False),
        (body("campaign.updated", campaign=None), False),
        (body("sale.created", campaign=None), False),
    ],
)
def test_an_affiliate_has_no_other_campaign_than_the_one_that_is_shown(made, whole):
    """null ends the membership that was there; a campaign that is not shown, or not as one, ends none."""
    assert decoded(made).whole is whole


def test_a_campaigns_own_webhook_is_a_programs():
    sample = json.loads(load_samples("affwire.dialects.rewardful")["campaign.updated"])
    sample["object"] |= {"commission_amount_cents": 500, "commission_amount_currency": "EUR", "private": True}
    reading = decoded(sample)
    assert reading.events == ("program.updated",)
    assert reading.affiliate is None
    assert reading.program == Told(
        kind="program",
        id="019c6dd2-4800-7380-8000-000000000042",
        fields={
            "name": "Best Friends of Example",
            "created_at": 1_771_421_200_000,
            "updated_at": NOW,
            "signup_url": "https://example.org/join",
            "is_public": False,
            "commission_percent": 20.0,
            "commission_amount": 500,
            "currency": "EUR",
            "payment_count": 12,
            "payout_delay": 30,
        },
    )
    assert reading.unread == ()


def test_a_campaigns_field_is_none_of_an_affiliate():
    """`name` and `url` are a campaign's: an affiliate that shows them one day does not become one."""
    reading = decoded(body(name="Kim Berg", url="https://example.com"))
    assert reading.membership.program.fields["name"] == "Friends of Example"
    assert {"object.name", "object.url"} <= set(reading.unread)


@pytest.mark.parametrize("family", ["affiliate_link", "affiliate_coupon", "referral", "sale", "commission", "payout"])
def test_words_that_we_have_no_record_for_are_known_by_their_envelope_alone(family):
    reading = decoded(body(f"{family}.created"))
    assert (reading.word, reading.event_id, reading.occurred_at) == (f"{family}.created", EVENT_ID, OCCURRED_AT)
    assert (reading.events, reading.affiliate, reading.memberships) == ((), None, ())
    assert "object.id" in reading.unread


def test_a_word_that_does_not_exist_yet_is_kept():
    assert decoded(body("affiliate.merged")).events == ()


def test_a_repeat_has_the_same_key_and_another_request():
    repeat = deepcopy(OF_2019)
    repeat["request"]["id"] = "0b6e2d18-94c7-4f3a-8e5d-2c1a7f9b6034"
    assert dialect.identify(message(OF_2019)) == dialect.identify(message(repeat))
    assert dialect.identify(message(OF_2019)) == Identity("affiliate.confirmed", EVENT_ID)


def test_counts_that_are_not_kept_here_are_unread_unless_they_are_0():
    assert "object.visitors" in decoded(body(visitors=10)).unread
    assert decoded(body(visitors=0, referrals=0, conversions=0, coupon=None, links=[])).unread == ()
    assert decoded(body(visitors=0, referrals=0, conversions=0, coupon={"id": "c"}, links=[])).unread == (
        "object.coupon",
    )


@pytest.mark.parametrize("no_time", ["yesterday", "2026-02-27T23:33:12", [], True, "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none_is_kept_unread(no_time):
    reading = decoded(body(created_at=no_time, event={"created_at": no_time}))
    assert (reading.occurred_at, "created_at" in reading.affiliate.fields) == (None, False)
    assert {"object.created_at", "event.created_at"} <= set(reading.unread)


def test_an_event_without_a_time_is_of_no_time():
    made = deepcopy(OF_2019)
    del made["event"]["created_at"]
    assert decoded(made).occurred_at is None


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (body(without=["id"]), "object.id"),
        (body(id=None), "object.id"),
        (body(id=""), "object.id"),
        (body(id={"a": 1}), "object.id"),
        (body(id=True), "object.id"),
        ({**OF_2019, "object": []}, "object.id"),
        ({**OF_2019, "object": None}, "object.id"),
        (body("campaign.created", without=["id"]), "object.id"),
    ],
)
def test_who_is_told_of_has_an_id(broken, path):
    with pytest.raises(Undecodable) as caught:
        decoded(broken)
    assert caught.value.facts["path"] == path


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"event": "affiliate.created"},
        {"event": {"id": EVENT_ID}},
        {"event": {"type": "affiliate.created"}},
        {"event": {"id": "", "type": "affiliate.created"}},
        {"event": {"id": 5, "type": "affiliate.created"}},
        {"event": {"id": "a\nb", "type": "affiliate.created"}},
        {"event": {"id": "a" * 256, "type": "affiliate.created"}},
        {"event": {"id": EVENT_ID, "type": None}},
    ],
)
def test_who_has_no_id_and_no_word_is_none_of_rewardfuls(envelope):
    with pytest.raises(Undecodable):
        dialect.identify(message(envelope))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", 5),
        ("first_name", ["Kim"]),
        ("sign_in_count", "3"),
        ("sign_in_count", -1),
        ("receive_new_commission_notifications", "yes"),
        ("paypal_email", {"a": None}),
    ],
)
def test_a_value_of_another_type_is_kept_unread(field, value):
    reading = decoded(body(**{field: value}))
    assert field not in reading.affiliate.fields
    assert f"object.{field}" in reading.unread


def test_unknown_keys_are_listed():
    made = body(tier="gold", campaign={**OF_2019["object"]["campaign"], "default": True}) | {"livemode": True}
    assert {"object.tier", "object.campaign.default", "livemode"} <= set(decoded(made).unread)


def test_the_signature_is_lower_case_hex_over_the_raw_body():
    dialect.verify(message(OF_2019), TRUST, NOW)
    dialect.verify(message(OF_2019), Trust(secrets=("an-older-one", SECRET)), NOW)


def test_no_time_is_signed_so_none_is_too_late():
    dialect.verify(message(OF_2019), TRUST, NOW + 10**12)


@pytest.mark.parametrize("secrets", [(), ("",), ("another-secret",), (SECRET[:-1],), (SECRET.upper(),)])
def test_nobody_elses_secret_verifies(secrets):
    with pytest.raises(NotGenuine):
        dialect.verify(message(OF_2019), Trust(secrets=secrets), NOW)


def test_an_empty_secret_verifies_nothing():
    with pytest.raises(NotGenuine):
        dialect.verify(message(OF_2019, secret=""), Trust(secrets=("",)), NOW)


def _altered():
    good = hmac.new(SECRET.encode(), json.dumps(OF_2019).encode(), sha256).hexdigest()
    return {
        "missing": (),
        "twice": ((HEADER, good), (HEADER.lower(), good)),
        "empty": ((HEADER, ""),),
        "upper case": ((HEADER, good.upper()),),
        "prefixed": ((HEADER, f"sha256={good}"),),
        "shorter": ((HEADER, good[:-1]),),
        "blank": ((HEADER, f" {good}"),),
        "beyond ASCII": ((HEADER, good[:-1] + "\xe9"),),
        "another header": (("X-Signature", good),),
    }


@pytest.mark.parametrize("case", _altered())
def test_a_signature_in_another_form_is_none(case):
    with pytest.raises(NotGenuine):
        dialect.verify(message(OF_2019, headers=_altered()[case]), TRUST, NOW)


def test_no_byte_of_the_body_may_change():
    genuine = message(OF_2019)
    for place in range(len(genuine.body)):
        raw = bytearray(genuine.body)
        raw[place] ^= 1
        with pytest.raises(NotGenuine):
            dialect.verify(Message(headers=genuine.headers, body=bytes(raw)), TRUST, NOW)


@given(st.binary(max_size=200), st.text(st.characters(max_codepoint=255), max_size=80))
def test_a_strangers_bytes_are_not_genuine_and_nothing_else(raw, value):
    with pytest.raises(NotGenuine):
        dialect.verify(Message(headers=((HEADER, value),), body=raw), TRUST, NOW)


def test_what_counts_as_received_is_exactly_200():
    assert dialect.answer().status == 200
