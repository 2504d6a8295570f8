"""Affonso as it comes in: the page's example, the docs site's form, three forms of signature, and whatever else arrives."""

import hmac
import json
from copy import deepcopy
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.dialects.affonso import dialect
from affwire.dialects.base import Identity, Trust
from affwire.errors import NotGenuine, Undecodable
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.wire import Message
from affwire.testing.events import NOW

SECRET = "whsec_a-signing-secret"
SIGNATURE, TIMESTAMP = "X-Affonso-Signature", "X-Affonso-Timestamp"
TRUST = Trust(secrets=(SECRET,))
SECONDS = NOW // 1000

AT = 1_736_416_800_000
DAY = 86_400_000

ON_THE_PAGE = {
    "id": "evt_k7",
    "type": "affiliate.created",
    "timestamp": "2025-01-09T10:00:00.000Z",
    "version": 1,
    "data": {
        "affiliateId": "aff_k7",
        "email": "kim@example.com",
        "accountStatus": "ACTIVE",
        "affiliateProgramId": "prog_k7",
        "partnershipStatus": "APPROVED",
        "trackingId": "KIM7",
        "source": "INVITE",
        "groupId": "grp_k7",
        "onboardingCompleted": True,
        "country": "SE",
        "promoCodes": [
            {
                "code": "SPRING15",
                "promoCodeId": "pc_k7",
                "couponId": "cp_k7",
                "discountType": "percent",
                "duration": "once",
                "discountValue": "15.00",
                "createdAt": "2025-01-08T10:00:00.000Z",
            }
        ],
        "createdAt": "2025-01-09T10:00:00.000Z",
        "updatedAt": "2025-01-09T10:00:00.000Z",
    },
    "attempt": 1,
    "webhook_id": "whd_k7",
    "endpoint_id": "whe_k7",
}
"""The reference page's example: its keys and types, values of our own."""

ON_THE_DOCS_SITE = {
    "id": "evt_k8",
    "type": "affiliate.created",
    "createdAt": "2025-01-09T10:00:00.000Z",
    "data": {
        "affiliateId": "aff_k7",
        "affiliateProgramId": "prog_k7",
        "trackingId": "KIM7",
        "status": "ACTIVE",
        "email": "kim@example.com",
        "name": "Kim van Berg",
    },
}


def body(word="affiliate.created", without=(), of=ON_THE_PAGE, **data):
    """Return an example as another word, with keys of its data changed, added or taken away."""
    made = deepcopy(of) | {"type": word}
    made["data"] |= data
    for name in without:
        del made["data"][name]
    return made


def docs(word="affiliate.created", without=(), **data):
    return body(word, without, ON_THE_DOCS_SITE, **data)


def digest(raw, *, seconds=SECONDS, secret=SECRET):
    signed = raw if seconds is None else f"{seconds}.".encode() + raw
    return hmac.new(secret.encode(), signed, sha256).hexdigest()


RAW = json.dumps(ON_THE_PAGE).encode()
GOOD = digest(RAW)


def message(*headers, raw=RAW):
    return Message(headers=headers, body=raw)


def decoded(made):
    return dialect.decode(message(raw=json.dumps(made).encode()))


def test_the_pages_example_is_read_field_by_field():
    assert decoded(ON_THE_PAGE) == Reading(
        word="affiliate.created",
        events=("membership.activated",),
        event_id="evt_k7",
        occurred_at=AT,
        previous={"status": None},
        affiliate=Told(
            kind="affiliate",
            id="aff_k7",
            fields={
                "email": "kim@example.com",
                "status": "active",
                "onboarding_completed": True,
                "country": "SE",
                "created_at": AT,
            },
        ),
        memberships=(
            ToldMembership(
                told=Told(
                    kind="membership",
                    fields={"status": "active", "tag": "KIM7", "source": "INVITE", "updated_at": AT},
                ),
                program=Told(kind="program", id="prog_k7"),
                group=Told(kind="group", id="grp_k7"),
                promo_codes=(
                    Told(
                        kind="promo_code",
                        id="pc_k7",
                        fields={
                            "code": "SPRING15",
                            "coupon_id": "cp_k7",
                            "discount_type": "percent",
                            "duration": "once",
                            "discount_value": "15.00",
                            "created_at": AT - DAY,
                        },
                    ),
                ),
            ),
        ),
        own=0,
    )


def test_the_docs_sites_form_is_read_as_well():
    assert decoded(ON_THE_DOCS_SITE) == Reading(
        word="affiliate.created",
        events=("membership.activated",),
        event_id="evt_k8",
        occurred_at=AT,
        previous={"status": None},
        affiliate=Told(
            kind="affiliate",
            id="aff_k7",
            fields={"first_name": "Kim", "last_name": "van Berg", "status": "active", "email": "kim@example.com"},
        ),
        memberships=(
            ToldMembership(
                told=Told(kind="membership", fields={"tag": "KIM7", "status": "active"}),
                program=Told(kind="program", id="prog_k7"),
            ),
        ),
        own=0,
    )


def test_a_deleted_partnership_of_the_docs_site_has_four_keys():
    reading = decoded(docs("affiliate.deleted", without=["status", "name"]))
    assert (reading.events, reading.previous, reading.unread) == (("membership.removed",), {}, ())
    assert reading.membership.told.fields == {"tag": "KIM7", "status": "removed"}


@pytest.mark.parametrize(
    ("status", "account", "partnership"),
    [("PENDING", "pending", "pending"), ("ACTIVE", "active", "active"), ("INACTIVE", "disabled", None)],
)
def test_the_docs_sites_one_status_is_the_accounts_and_as_far_as_it_goes_the_partnerships(status, account, partnership):
    reading = decoded(docs("affiliate.updated", status=status))
    assert reading.affiliate.fields["status"] == account
    assert reading.membership.told.fields.get("status") == partnership
    assert reading.unread == ()


def test_of_both_kinds_of_statuses_the_finer_counts():
    reading = decoded(body(accountStatus="PENDING", status="ACTIVE"))
    assert reading.affiliate.fields["status"] == "pending"
    assert reading.unread == ("data.status",)


@pytest.mark.parametrize(
    ("word", "partnership", "events", "status", "previous"),
    [
        ("affiliate.created", "PENDING", "membership.requested", "pending", {"status": None}),
        ("affiliate.created", "APPROVED", "membership.activated", "active", {"status": None}),
        ("affiliate.created", "REJECTED", "membership.rejected", "rejected", {"status": None}),
        ("affiliate.confirmed", "APPROVED", "affiliate.confirmed", "active", {"onboarding_completed": False}),
        ("affiliate.updated", "REJECTED", "affiliate.updated", "rejected", {}),
        ("affiliate.deleted", "PENDING", "membership.removed", "removed", {"status": "pending"}),
        ("affiliate.deleted", "APPROVED", "membership.removed", "removed", {"status": "active"}),
        ("affiliate.deleted", "REJECTED", "membership.removed", "removed", {"status": "rejected"}),
    ],
)
def test_a_word_and_a_status_are_what_happened_to_the_partnership(word, partnership, events, status, previous):
    reading = decoded(body(word, partnershipStatus=partnership))
    assert reading.events == (events,)
    assert reading.membership.told.fields["status"] == status
    assert reading.previous == previous


@pytest.mark.parametrize("onboarded", [False, None, "yes"])
def test_who_is_confirmed_before_onboarding_is_complete_has_confirmed_the_address(onboarded):
    assert decoded(body("affiliate.confirmed", onboardingCompleted=onboarded)).previous == {}


@pytest.mark.parametrize("kind", ["accountStatus", "partnershipStatus"])
@pytest.mark.parametrize("status", ["SUSPENDED", "active", "", 1, ["ACTIVE"], {"a": "ACTIVE"}, True])
def test_a_status_in_an_unknown_word_is_kept_unread(kind, status):
    reading = decoded(body("affiliate.updated", **{kind: status}))
    told = reading.affiliate if kind == "accountStatus" else reading.membership.told
    assert "status" not in told.fields
    assert f"data.{kind}" in reading.unread


@pytest.mark.parametrize("status", ["LOST", [], {}])
def test_so_is_one_on_the_docs_site(status):
    reading = decoded(docs("affiliate.updated", status=status))
    assert "status" not in reading.affiliate.fields | reading.membership.told.fields
    assert reading.unread == ("data.status",)


def test_a_partnership_that_begins_without_a_status_we_know_is_active():
    """ "Affiliate joins your program (or is created by you)", says the page."""
    assert decoded(body(partnershipStatus="TRIAL")).events == ("membership.activated",)


def test_a_value_that_was_told_to_be_empty_is_none_and_one_not_told_is_absent():
    empty = decoded(body(trackingId=None, source=None, groupId=None, country=None, promoCodes=[]))
    assert empty.membership.told.fields["tag"] is None
    assert empty.affiliate.fields["country"] is None
    assert (empty.membership.group, empty.membership.promo_codes) == (None, ())
    assert empty.membership.told.fields["group_id"] is None
    absent = decoded(body(without=["trackingId", "country", "groupId", "promoCodes"]))
    assert absent.membership.told.fields.keys().isdisjoint({"tag", "group_id"})
    assert "country" not in absent.affiliate.fields
    assert (absent.membership.group, absent.membership.promo_codes) == (None, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [("10.00", "10.00"), (10, "10"), (12.5, "12.5"), (10.0, "10"), (1e-7, "0.0000001"), (None, None)],
)
def test_a_discount_may_be_a_number(value, text):
    (code,) = decoded(body(promoCodes=[{"code": "SPRING15", "discountValue": value}])).membership.promo_codes
    assert code.fields["discount_value"] == text


def test_what_is_no_promo_code_is_kept_unread():
    codes = [{"duration": "once"}, "SPRING", {"code": "KIM15", "discountValue": True, "duration": 3}]
    reading = decoded(body(promoCodes=codes))
    assert reading.membership.promo_codes == (Told(kind="promo_code", fields={"code": "KIM15"}),)
    assert set(reading.unread) == {
        "data.promoCodes[]",
        "data.promoCodes[].discountValue",
        "data.promoCodes[].duration",
    }


@pytest.mark.parametrize("word", ["referral.updated", "transaction.paid", "payout.created", "affiliate.merged"])
def test_words_that_we_have_no_record_for_are_known_by_their_envelope_alone(word):
    reading = decoded(body(word))
    assert (reading.word, reading.event_id, reading.occurred_at) == (word, "evt_k7", AT)
    assert (reading.events, reading.affiliate, reading.memberships) == ((), None, ())
    assert "data.affiliateId" in reading.unread


def test_a_retry_has_the_same_key_and_another_attempt():
    retry = json.dumps(ON_THE_PAGE | {"attempt": 2, "webhook_id": "whd_k9"}).encode()
    assert (
        dialect.identify(message(raw=retry)) == dialect.identify(message()) == Identity("affiliate.created", "evt_k7")
    )


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (body(without=["affiliateId"]), "data.affiliateId"),
        (body(affiliateId=""), "data.affiliateId"),
        (body(affiliateId=["aff"]), "data.affiliateId"),
        (body(without=["affiliateProgramId"]), "data.affiliateProgramId"),
        (body(affiliateProgramId=None), "data.affiliateProgramId"),
        (body("affiliate.deleted", affiliateProgramId={}), "data.affiliateProgramId"),
        (ON_THE_PAGE | {"data": None}, "data.affiliateId"),
        (ON_THE_PAGE | {"data": []}, "data.affiliateId"),
        (ON_THE_PAGE | {"data": "x"}, "data.affiliateId"),
    ],
)
def test_who_is_told_of_has_an_id(broken, path):
    with pytest.raises(Undecodable) as caught:
        decoded(broken)
    assert caught.value.facts["path"] == path


@pytest.mark.parametrize(
    "envelope",
    [{}, {"id": "evt_1"}, {"type": "affiliate.created"}, {"id": 1, "type": "a"}, {"id": "", "type": "a"}, []],
)
def test_who_has_no_id_and_no_word_is_none_of_affonsos(envelope):
    with pytest.raises(Undecodable):
        dialect.identify(message(raw=json.dumps(envelope).encode()))


FORMS = {
    "A: two headers": ((SIGNATURE, GOOD), (TIMESTAMP, str(SECONDS))),
    "B: one header": ((SIGNATURE, f"t={SECONDS},v1={GOOD}"),),
    "B: both headers agree": ((SIGNATURE, f"t={SECONDS},v1={GOOD}"), (TIMESTAMP, str(SECONDS))),
    "B: several signatures": ((SIGNATURE, f"t={SECONDS},v1={'0' * 64},v1={GOOD}"),),
    "B: another version beside": ((SIGNATURE, f"t={SECONDS},v2=abc,v1={GOOD}"),),
    "B: in another order": ((SIGNATURE.lower(), f"v1={GOOD},t={SECONDS}"),),
}


@pytest.mark.parametrize("form", FORMS)
def test_both_published_forms_over_time_and_body_are_genuine(form):
    dialect.verify(message(*FORMS[form]), Trust(secrets=("an-older-one", SECRET)), NOW)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seconds", [-301, 301, 10**6])
def test_five_minutes_to_either_side_are_too_much(form, seconds):
    with pytest.raises(NotGenuine) as caught:
        dialect.verify(message(*FORMS[form]), TRUST, NOW + seconds * 1000)
    assert caught.value.code == "stale"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_are_not(seconds):
    dialect.verify(message(*FORMS["B: one header"]), TRUST, (SECONDS + seconds) * 1000)


FORGED = {
    "nothing": (),
    "form A without its time": ((SIGNATURE, GOOD),),
    "form A with another time": ((SIGNATURE, GOOD), (TIMESTAMP, str(SECONDS + 1))),
    "form A with its time twice": ((SIGNATURE, GOOD), (TIMESTAMP, str(SECONDS)), (TIMESTAMP, str(SECONDS))),
    "form A in upper case": ((SIGNATURE, GOOD.upper()), (TIMESTAMP, str(SECONDS))),
    "form B with another time": ((SIGNATURE, f"t={SECONDS + 1},v1={GOOD}"),),
    "form B with two times": ((SIGNATURE, f"t={SECONDS},t={SECONDS},v1={GOOD}"),),
    "form B without a time": ((SIGNATURE, f"v1={GOOD}"), (TIMESTAMP, str(SECONDS))),
    "form B without a signature": ((SIGNATURE, f"t={SECONDS}"),),
    "form B under another version": ((SIGNATURE, f"t={SECONDS},v0={GOOD}"),),
    "form B in upper case": ((SIGNATURE, f"t={SECONDS},v1={GOOD.upper()}"),),
    "both times disagree": ((SIGNATURE, f"t={SECONDS},v1={GOOD}"), (TIMESTAMP, str(SECONDS + 1))),
    "the second time is empty": ((SIGNATURE, f"t={SECONDS},v1={GOOD}"), (TIMESTAMP, "")),
    "the second time stands twice": (
        (SIGNATURE, f"t={SECONDS},v1={GOOD}"),
        (TIMESTAMP, str(SECONDS)),
        (TIMESTAMP.lower(), str(SECONDS)),
    ),
    "twice": ((SIGNATURE, f"t={SECONDS},v1={GOOD}"), (SIGNATURE.lower(), f"t={SECONDS},v1={GOOD}")),
    "beyond ASCII": ((SIGNATURE, f"t={SECONDS},v1={GOOD}\xe9"),),
    "a time beyond ASCII": ((SIGNATURE, GOOD), (TIMESTAMP, "\xb9" * 10)),
    "form C": ((SIGNATURE, f"sha256={digest(RAW, seconds=None)}"),),
    "form C dressed as form B": ((SIGNATURE, f"t={SECONDS},v1={digest(RAW, seconds=None)}"),),
}


@pytest.mark.parametrize("form", FORGED)
def test_any_other_form_is_not_genuine(form):
    with pytest.raises(NotGenuine):
        dialect.verify(message(*FORGED[form]), TRUST, NOW)


def test_form_c_counts_where_the_source_says_so_and_there_the_others_too():
    told = Trust(secrets=(SECRET,), options={"signature_form": "C"})
    dialect.verify(message(*FORGED["form C"]), told, NOW + 10**12)
    dialect.verify(message(*FORMS["B: one header"]), told, NOW)
    with pytest.raises(NotGenuine):
        dialect.verify(message((SIGNATURE, f"sha256={GOOD}")), told, NOW)


@pytest.mark.parametrize("secrets", [(), ("",), ("another-secret",), (SECRET.removeprefix("whsec_"),)])
def test_nobody_elses_secret_verifies(secrets):
    with pytest.raises(NotGenuine):
        dialect.verify(message(*FORMS["B: one header"]), Trust(secrets=secrets), NOW)


def test_an_empty_secret_verifies_nothing():
    signed = message((SIGNATURE, f"t={SECONDS},v1={digest(RAW, secret='')}"))
    with pytest.raises(NotGenuine):
        dialect.verify(signed, Trust(secrets=("",)), NOW)


def test_no_byte_of_the_body_may_change():
    for place in range(len(RAW)):
        raw = bytearray(RAW)
        raw[place] ^= 1
        with pytest.raises(NotGenuine):
            dialect.verify(message(*FORMS["B: one header"], raw=bytes(raw)), TRUST, NOW)


_ANY = st.text(st.characters(max_codepoint=255), max_size=80)


@given(st.binary(max_size=200), _ANY | _ANY.map("t=1772235192,v1={}".format), st.none() | _ANY)
def test_a_strangers_bytes_are_not_genuine_and_nothing_else(raw, value, stamp):
    headers = ((SIGNATURE, value), *(() if stamp is None else ((TIMESTAMP, stamp),)))
    with pytest.raises(NotGenuine):
        dialect.verify(message(*headers, raw=raw), TRUST, NOW)


def test_what_counts_as_received_is_any_2xx():
    assert dialect.answer().status == 200
