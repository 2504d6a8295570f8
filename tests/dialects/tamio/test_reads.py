"""Tamio as it comes in: the page's examples, its affiliates, both readings of its signature, and whatever else arrives."""

import hmac
import json
from copy import deepcopy
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.dialects.base import Identity, Trust, load_samples
from affwire.dialects.tamio import dialect
from affwire.errors import NotGenuine, Undecodable
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.wire import Message
from affwire.testing.events import NOW

SECRET = "tamio secret in text"
HEADER = "Tamio-Signature"
TRUST = Trust(secrets=(SECRET,))
SECONDS = NOW // 1000
TIMED = {"signed_text": "timestamp.body"}

PROGRAM_ID = "41f0b7d2-9c63-4a58-8e1f-0d7a5c2b9e64"
PRODUCT = "a8d35c10-6e2f-47b9-9b04-f1c7e2d80a53"

CREATED = {
    "event_id": "whev_k7d2m9x4q1w8z5t3b",
    "event_type": "affiliate-program-created",
    "api_version": 2,
    "object": "event",
    "data": {
        "affiliate_program": {
            "object": "affiliate_program",
            "products": [],
            "domain": "7c2e9a51-3d80-4f16-b5a7-8e04d6f1c392",
            "label": "15% Commission",
            "created_at": 1671644300,
            "signup_url": None,
            "id": PROGRAM_ID,
            "currency": "EUR",
            "commission_amount": 0,
            "commission_percent": 15,
            "description": "Tell your friends and receive 15% commission!",
            "payout_delay": 0,
            "subscription_commission_type": "once",
            "destinations": ["worldwide"],
            "payments": ["stripe"],
            "is_public": False,
            "auto_approve": False,
            "is_listed": False,
            "payment_count": None,
            "affiliate_notifications": False,
            "banners": None,
        }
    },
    "endpoint_id": "d90c4f72-1b5e-4a83-9f26-3e8a7d015bc4",
}
"""The reference page's example: its keys and types, values of our own."""

AFFILIATE = {
    "object": "affiliate",
    "id": "f4b81e06-2d97-4c5a-a3e0-6b9d7f1c8052",
    "email": "kim@example.com",
    "name": "Kim",
    "surname": None,
    "address": "12 Harbour Row",
    "city": "Malmo",
    "state": None,
    "country": "de",
    "postcode": "211 20",
    "vat": None,
    "telephone": "+46 40 000000",
    "affiliate_program_id": PROGRAM_ID,
    "affiliate_program_label": "15% Commission",
    "currency": "EUR",
    "sales": 0,
    "referrals": 0,
    "balance": 0,
    "bonus": 0,
    "approved": False,
    "payments": ["stripe"],
    "language": "en",
    "timezone": "Europe/Berlin",
    "timezone_offset": 3600,
}


def program(word="affiliate-program-created", **fields):
    made = deepcopy(CREATED) | {"event_type": word}
    made["data"]["affiliate_program"] |= fields
    return made


def affiliate(word="affiliate-signup", without=(), **fields):
    shown = {name: value for name, value in (AFFILIATE | fields).items() if name not in without}
    return CREATED | {"event_type": word, "data": {"affiliate": shown}}


def message(made, *headers):
    return Message(headers=headers, body=made if isinstance(made, bytes) else json.dumps(made).encode())


def decoded(made):
    return dialect.decode(message(made))


def test_the_pages_created_program_is_read_field_by_field():
    assert decoded(CREATED) == Reading(
        word="affiliate-program-created",
        events=("program.created",),
        event_id="whev_k7d2m9x4q1w8z5t3b",
        program=Told(
            kind="program",
            id=PROGRAM_ID,
            fields={
                "products": [],
                "domain": "7c2e9a51-3d80-4f16-b5a7-8e04d6f1c392",
                "name": "15% Commission",
                "created_at": 1_671_644_300_000,
                "signup_url": None,
                "currency": "EUR",
                "commission_amount": None,
                "commission_percent": 15.0,
                "description": "Tell your friends and receive 15% commission!",
                "payout_delay": 0,
                "subscription_commission_type": "once",
                "destinations": ["worldwide"],
                "payments": ["stripe"],
                "is_public": False,
                "auto_approve": False,
                "is_listed": False,
                "payment_count": None,
                "affiliate_notifications": False,
                "banners": None,
            },
        ),
    )


def test_the_pages_updated_program_names_what_changed_but_not_from_what():
    updated = program("affiliate-program-updated", products=[PRODUCT], affiliates=4, sales=0)
    updated["data"]["changes"] = ["products"]
    reading = decoded(updated)
    assert (reading.events, reading.previous, reading.unread) == (("program.updated",), {}, ())
    assert reading.program.fields["products"] == [PRODUCT]


def test_of_the_pages_removed_program_only_the_id_is_left():
    removed = CREATED | {
        "event_type": "affiliate-program-removed",
        "data": {"affiliate_program": {"id": PROGRAM_ID}},
    }
    reading = decoded(removed)
    assert (reading.events, reading.program) == (("program.deleted",), Told(kind="program", id=PROGRAM_ID))


def test_a_signup_is_read_field_by_field():
    assert decoded(affiliate()) == Reading(
        word="affiliate-signup",
        events=("membership.requested",),
        event_id="whev_k7d2m9x4q1w8z5t3b",
        affiliate=Told(
            kind="affiliate",
            fields={
                "email": "kim@example.com",
                "first_name": "Kim",
                "last_name": None,
                "address": "12 Harbour Row",
                "city": "Malmo",
                "state": None,
                "country": "DE",
                "postcode": "211 20",
                "vat": None,
                "telephone": "+46 40 000000",
                "payments": ["stripe"],
                "language": "en",
                "timezone": "Europe/Berlin",
            },
        ),
        memberships=(
            ToldMembership(
                told=Told(kind="membership", id=AFFILIATE["id"], fields={"status": "pending"}),
                program=Told(kind="program", id=PROGRAM_ID, fields={"name": "15% Commission", "currency": "EUR"}),
            ),
        ),
        own=0,
    )


@pytest.mark.parametrize(
    ("word", "approved", "event", "status"),
    [
        ("affiliate-signup", False, "membership.requested", "pending"),
        ("affiliate-signup", None, "membership.requested", "pending"),
        ("affiliate-signup", True, "membership.activated", "active"),
        ("affiliate-approved", True, "membership.activated", "active"),
        ("affiliate-approved", None, "membership.activated", "active"),
        ("affiliate-declined", False, "membership.rejected", "rejected"),
    ],
)
def test_a_word_is_the_status_of_the_membership(word, approved, event, status):
    reading = decoded(affiliate(word, approved=approved))
    assert reading.events == (event,)
    assert reading.membership.told.fields == {"status": status}
    assert reading.unread == ()


def test_whoever_is_approved_was_pending():
    assert decoded(affiliate("affiliate-approved", approved=True)).previous == {"status": "pending"}


@pytest.mark.parametrize(
    ("word", "approved"),
    [
        ("affiliate-approved", False),
        ("affiliate-declined", True),
        ("affiliate-signup", "yes"),
        ("affiliate-signup", 1),
        ("affiliate-signup", [True]),
    ],
)
def test_approved_that_contradicts_the_word_is_kept_unread(word, approved):
    assert decoded(affiliate(word, approved=approved)).unread == ("data.affiliate.approved",)


def test_of_a_removed_affiliate_only_the_membership_is_known():
    removed = CREATED | {"event_type": "affiliate-removed", "data": {"affiliate": {"id": AFFILIATE["id"]}}}
    assert decoded(removed) == Reading(
        word="affiliate-removed",
        events=("membership.removed",),
        event_id=CREATED["event_id"],
        memberships=(ToldMembership(told=Told(kind="membership", id=AFFILIATE["id"], fields={"status": "removed"})),),
        own=0,
    )


def test_sums_and_counts_are_unread_unless_they_are_0():
    assert decoded(affiliate(balance=500, sales=3)).unread == ("data.affiliate.sales", "data.affiliate.balance")


def test_one_familys_object_is_not_read_from_anothers():
    both = affiliate()
    both["data"]["affiliate_program"] = {"id": PRODUCT, "label": "Another"}
    reading = decoded(both)
    assert reading.membership.program.id == PROGRAM_ID
    assert set(reading.unread) == {"data.affiliate_program.id", "data.affiliate_program.label"}


@pytest.mark.parametrize("word", ["customer-created", "teammate-removed", "affiliate-updated", "order-paid"])
def test_words_that_we_have_no_record_for_are_known_by_their_envelope_alone(word):
    reading = decoded(affiliate(word))
    assert (reading.word, reading.event_id, reading.events) == (word, CREATED["event_id"], ())
    assert (reading.affiliate, reading.memberships) == (None, ())
    assert "data.affiliate.id" in reading.unread


def test_a_value_of_another_type_is_kept_unread():
    reading = decoded(program(label=7, is_public="no", products="all", created_at="soon", payout_delay=-1))
    assert reading.program.fields.keys().isdisjoint({"name", "is_public", "products", "created_at", "payout_delay"})
    assert set(reading.unread) == {
        f"data.affiliate_program.{name}" for name in ("label", "is_public", "products", "created_at", "payout_delay")
    }


@pytest.mark.parametrize("version", [1, 3, "2", None, [2]])
def test_another_version_is_not_guessed_at(version):
    with pytest.raises(Undecodable) as caught:
        decoded(CREATED | {"api_version": version})
    assert caught.value.code == "unknown_version"


def test_another_version_still_has_its_word_and_its_key():
    """It is kept and parked once: whoever learns to read it can have it read again."""
    assert dialect.identify(message(CREATED | {"api_version": 3})).dedupe_key == CREATED["event_id"]


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (program(id=None), "data.affiliate_program.id"),
        (program(id=[]), "data.affiliate_program.id"),
        (CREATED | {"data": None}, "data.affiliate_program.id"),
        (affiliate(id=""), "data.affiliate.id"),
        (affiliate(without=["id"]), "data.affiliate.id"),
        (affiliate("affiliate-removed", id={}), "data.affiliate.id"),
        (affiliate(affiliate_program_id=None), "data.affiliate.affiliate_program_id"),
        (affiliate("affiliate-approved", without=["affiliate_program_id"]), "data.affiliate.affiliate_program_id"),
    ],
)
def test_who_is_told_of_has_an_id(broken, path):
    with pytest.raises(Undecodable) as caught:
        decoded(broken)
    assert caught.value.facts["path"] == path


@pytest.mark.parametrize(
    "envelope",
    [{}, {"event_id": "whev_1"}, {"event_type": "a"}, {"event_id": 1, "event_type": "a"}, [], 7, None],
)
def test_who_has_no_id_and_no_word_is_none_of_tamios(envelope):
    with pytest.raises(Undecodable):
        dialect.identify(message(envelope))


def test_a_repeat_to_another_endpoint_has_the_same_key():
    repeat = CREATED | {"endpoint_id": PRODUCT}
    assert dialect.identify(message(repeat)) == Identity("affiliate-program-created", CREATED["event_id"])


RAW = json.dumps(CREATED).encode()


def digest(raw=RAW, *, seconds=None, secret=SECRET):
    signed = raw if seconds is None else f"{seconds}.".encode() + raw
    return hmac.new(secret.encode(), signed, sha256).hexdigest()


def alone(raw=RAW, header=HEADER, seconds=SECONDS):
    return message(raw, (header, f"t={seconds},s={digest(raw)}"))


def timed(raw=RAW, header=HEADER, seconds=SECONDS):
    return message(raw, (header, f"t={seconds},s={digest(raw, seconds=seconds)}"))


@pytest.mark.parametrize("signed", [alone(), timed(), alone(header="tamio-signature")])
def test_both_readings_of_the_page_are_genuine(signed):
    dialect.verify(signed, Trust(secrets=("an-older-one", SECRET)), NOW)


def test_a_time_counts_only_where_it_is_signed():
    dialect.verify(alone(), TRUST, NOW + 10**12)
    dialect.verify(timed(), TRUST, (SECONDS + 300) * 1000)
    for seconds in (-301, 301):
        with pytest.raises(NotGenuine) as caught:
            dialect.verify(timed(), TRUST, (SECONDS + seconds) * 1000)
        assert caught.value.code == "stale"


def test_a_source_that_knows_its_time_is_signed_takes_nothing_else():
    told = Trust(secrets=(SECRET,), options=TIMED)
    dialect.verify(timed(), told, NOW)
    with pytest.raises(NotGenuine):
        dialect.verify(alone(), told, NOW)


def test_a_signature_with_its_time_is_none_of_the_body_that_has_the_time_in_it():
    """HMAC over `{t}.{body}` is also that of a body which begins with the time: no body of Tamio's does."""
    moved = message(b"%d.%b" % (SECONDS, RAW), (HEADER, f"t={SECONDS},s={digest(seconds=SECONDS)}"))
    with pytest.raises(NotGenuine):
        dialect.verify(moved, TRUST, NOW)


def test_the_header_is_the_one_that_the_source_names():
    told = Trust(secrets=(SECRET,), options={"signature_header": "X-Tamio"})
    dialect.verify(alone(header="x-tamio"), told, NOW)
    with pytest.raises(NotGenuine):
        dialect.verify(alone(), told, NOW)


FORGED = {
    "missing": (),
    "twice": ((HEADER, f"t=1,s={digest()}"), (HEADER.lower(), f"t=1,s={digest()}")),
    "without a time": ((HEADER, f"s={digest()}"),),
    "with two times": ((HEADER, f"t=1,t=2,s={digest()}"),),
    "with a time that is none": ((HEADER, f"t=now,s={digest()}"),),
    "without a signature": ((HEADER, "t=1"),),
    "in another version": ((HEADER, f"t=1,v1={digest()}"),),
    "in upper case": ((HEADER, f"t=1,s={digest().upper()}"),),
    "with a blank": ((HEADER, f"t=1, s={digest()}"),),
    "beyond ASCII": ((HEADER, f"t=1,s={digest()}\xe9"),),
    "a time beyond ASCII": ((HEADER, f"t=\xb9,s={digest()}"),),
    "bare": ((HEADER, digest()),),
    "with another time signed": ((HEADER, f"t={SECONDS + 1},s={digest(seconds=SECONDS)}"),),
    "of another body": ((HEADER, f"t=1,s={digest(b'{}')}"),),
}


@pytest.mark.parametrize("form", FORGED)
def test_any_other_form_is_not_genuine(form):
    with pytest.raises(NotGenuine):
        dialect.verify(message(RAW, *FORGED[form]), TRUST, NOW)


@pytest.mark.parametrize("secrets", [(), ("",), ("another-secret",), (SECRET[:-1],)])
def test_nobody_elses_secret_verifies(secrets):
    with pytest.raises(NotGenuine):
        dialect.verify(alone(), Trust(secrets=secrets), NOW)


def test_an_empty_secret_verifies_nothing():
    signed = message(RAW, (HEADER, f"t={SECONDS},s={digest(secret='')}"))
    with pytest.raises(NotGenuine):
        dialect.verify(signed, Trust(secrets=("",)), NOW)


@pytest.mark.parametrize("signed", [alone(), timed()])
def test_no_byte_of_the_body_may_change(signed):
    for place in range(len(RAW)):
        raw = bytearray(RAW)
        raw[place] ^= 1
        with pytest.raises(NotGenuine):
            dialect.verify(Message(headers=signed.headers, body=bytes(raw)), TRUST, NOW)


_ANY = st.text(st.characters(max_codepoint=255), max_size=80)


@given(st.binary(max_size=200), _ANY | _ANY.map("t=1772235192,s={}".format))
def test_a_strangers_bytes_are_not_genuine_and_nothing_else(raw, value):
    with pytest.raises(NotGenuine):
        dialect.verify(message(raw, (HEADER, value)), TRUST, NOW)


def test_every_sample_is_read_without_a_rest():
    for word, sample in load_samples("affwire.dialects.tamio").items():
        reading = dialect.decode(message(sample))
        assert (reading.word, reading.unread, reading.occurred_at) == (word, (), None)


def test_what_counts_as_received_is_any_2xx():
    assert dialect.answer().status == 200
