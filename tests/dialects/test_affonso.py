"""Affonso: what each action says (contracts A1), the bodies key by key, the signature."""

import hmac
import json
from hashlib import sha256

import pytest

from affwire.dialects.affonso import NO_PARTNERSHIP, dialect
from affwire.dialects.base import NO_EMAIL, NO_WORD, Attempt, Recipient, Saying
from affwire.errors import Unencodable
from affwire.testing import events

SECRET = "whsec_a-text-of-ours"
RECIPIENT = Recipient(
    endpoint_id=events.id_of("endpoint"), url="https://example.com/hooks", secrets=(SECRET, "older-one")
)
DELIVERY = events.id_of("delivery")
FIRST = Attempt(events.id_of("attempt"), 1, events.NOW)
M1, M2, M3 = (events.id_of("membership", nth) for nth in (1, 2, 3))
CREATED, CONFIRMED, UPDATED, DELETED = (f"affiliate.{word}" for word in ("created", "confirmed", "updated", "deleted"))

ENDED_PROGRAM = events.program(1, deleted_at=events.NOW)
TWO = (events.view(1), events.view(2, before="rejected", status="rejected"))


def on_affiliate(suffix, views=TWO, previous=None, **fields):
    after = events.snapshot(*views, affiliate=events.affiliate(**fields))
    return events.event(f"affiliate.{suffix}", after, previous=previous or {})


def removal(before="active", **fields):
    return events.view(1, before=before, status="removed", **fields)


ROWS = {
    "1 create a program": (events.event("program.created"), []),
    "2 change a program": (events.event("program.updated", previous={"name": "Old"}), []),
    "3 delete a program": (events.event("program.deleted"), []),
    "3b delete it by force": (
        events.transition("active", "removed", own=removal(program=ENDED_PROGRAM)),
        [(DELETED, M1)],
    ),
    "4 create an affiliate": (on_affiliate("created", ()), []),
    "5 confirm the e-mail": (
        on_affiliate("confirmed", confirmed_at=events.NOW, previous={"confirmed_at": None}),
        [(CONFIRMED, M1), (CONFIRMED, M2)],
    ),
    "5 confirm it after onboarding": (
        on_affiliate("confirmed", confirmed_at=events.NOW, onboarding_completed=True, previous={"confirmed_at": None}),
        [(UPDATED, M1), (UPDATED, M2)],
    ),
    "5 confirm it, in no program": (on_affiliate("confirmed", (), confirmed_at=events.NOW), []),
    "5b complete onboarding": (
        on_affiliate("updated", onboarding_completed=True, previous={"onboarding_completed": False}),
        [(CONFIRMED, M1), (CONFIRMED, M2)],
    ),
    "5b complete it after confirming": (
        on_affiliate(
            "updated", onboarding_completed=True, confirmed_at=events.SINCE, previous={"onboarding_completed": False}
        ),
        [(UPDATED, M1), (UPDATED, M2)],
    ),
    "5 and 5b in one request": (
        on_affiliate(
            "confirmed",
            onboarding_completed=True,
            confirmed_at=events.NOW,
            previous={"onboarding_completed": False, "confirmed_at": None},
        ),
        [(CONFIRMED, M1), (CONFIRMED, M2)],
    ),
    "6 change details": (on_affiliate("updated", previous={"city": None}), [(UPDATED, M1), (UPDATED, M2)]),
    "6b change the e-mail": (
        on_affiliate("updated", previous={"email": "old@example.org"}),
        [(UPDATED, M1), (UPDATED, M2)],
    ),
    "6c change the account": (on_affiliate("updated", previous={"status": "pending"}), [(UPDATED, M1), (UPDATED, M2)]),
    "7 ask to join": (events.transition(None, "pending"), [(CREATED, M1)]),
    "8 approve": (events.transition("pending", "active"), [(UPDATED, M1)]),
    "9 add at once": (events.transition(None, "active"), [(CREATED, M1)]),
    "10 decline": (events.transition("pending", "rejected"), [(UPDATED, M1)]),
    "11 remove": (events.transition("active", "removed"), [(DELETED, M1)]),
    "11 remove a pending one": (events.transition("pending", "removed"), [(DELETED, M1)]),
    "12 leave": (events.transition("paused", "left"), [(DELETED, M1)]),
    "13 any other status": (events.transition("active", "paused"), [(UPDATED, M1)]),
    "13b back to active": (events.transition("paused", "active"), [(UPDATED, M1)]),
    "14 delete: the live ones": (events.transition("active", "removed", leads=False), [(DELETED, M1)]),
    "14 delete: the rest": (
        on_affiliate(
            "deleted", (removal(), *TWO[1:], events.view(3, before="left", status="left")), deleted_at=events.NOW
        ),
        [(DELETED, M2)],
    ),
    "15 change a field": (events.event("membership.updated", previous={"tag": "OLD"}), [(UPDATED, M1)]),
    "16 reactivate": (events.transition("removed", "active"), [(CREATED, M1)]),
    "16 reactivate who left": (events.transition("left", "active"), [(CREATED, M1)]),
    "16b activate a declined one": (events.transition("rejected", "active"), [(UPDATED, M1)]),
    "16c ask again": (events.transition("removed", "pending"), [(CREATED, M1)]),
    "16d ask again, declined": (events.transition("rejected", "pending"), [(UPDATED, M1)]),
    "17 affiliate with membership: affiliate": (on_affiliate("created", (events.view(1, before=None),)), []),
    "17 affiliate with membership: pending": (events.transition(None, "pending", leads=False), [(CREATED, M1)]),
    "17 affiliate with membership: active": (events.transition(None, "active", leads=False), [(CREATED, M1)]),
    "18 promo codes": (events.event("membership.updated", previous={"promo_codes": []}), [(UPDATED, M1)]),
}


def said(event):
    return [(saying.word, saying.subject) for saying in dialect.says(event)]


def sent(event, attempt=FIRST, recipient=RECIPIENT):
    return [dialect.request(event, saying, recipient, DELIVERY, attempt) for saying in dialect.says(event)]


@pytest.mark.parametrize("row", ROWS)
def test_each_action_says_its_row(row):
    event, expected = ROWS[row]
    assert said(event) == expected


def test_silence_names_what_is_missing():
    nameless = events.affiliate(email=None)
    assert dialect.silence(events.event("program.created")) == NO_WORD
    assert dialect.silence(events.transition(None, "active", affiliate=nameless)) == NO_EMAIL
    assert dialect.silence(on_affiliate("created", ())) == NO_PARTNERSHIP


@pytest.mark.parametrize(("before", "after"), [(None, "active"), ("pending", "rejected"), ("active", "removed")])
def test_without_an_email_nothing_is_said(before, after):
    assert said(events.transition(before, after, affiliate=events.affiliate(email=None))) == []


def test_the_first_email_creates_every_partnership_that_stood():
    views = (*TWO, events.view(3, before="left", status="left"))
    assert said(on_affiliate("updated", views, previous={"email": None})) == [(CREATED, M1), (CREATED, M2)]


def test_a_first_email_together_with_other_changes_keeps_the_order_created_to_deleted():
    """One inbound request brings the address, ends membership 1, begins membership 2 and moves membership 3."""
    views = (removal(), events.view(2, before=None), events.view(3, before="pending", status="active"))
    around = events.snapshot(*views)
    request = [
        events.event("affiliate.updated", around, previous={"email": None}),
        events.event("membership.removed", around, membership_id=M1, nth=2, leads=False),
        events.event("membership.activated", around, membership_id=M2, nth=3, leads=False),
        events.event("membership.activated", around, membership_id=M3, nth=4, leads=False),
    ]
    assert [pair for event in request for pair in said(event)] == [
        (CREATED, M1),
        (CREATED, M3),
        (DELETED, M1),
        (CREATED, M2),
        (UPDATED, M3),
    ]


def test_an_ended_partnership_changes_in_silence():
    left = events.snapshot(events.view(before="left", status="left"))
    assert said(events.event("membership.updated", left, previous={"tag": "OLD"})) == []
    orphan = events.snapshot(events.view(before="rejected", status="rejected", program=ENDED_PROGRAM))
    assert said(events.event("membership.updated", orphan, previous={"tag": "OLD"})) == []
    assert said(events.event("affiliate.updated", orphan, previous={"city": None})) == []
    assert said(events.event("affiliate.deleted", orphan)) == []


def test_the_body_is_the_reference_pages_key_for_key():
    code = events.promo_code(coupon_id="cp", discount_type="percent", duration="once", discount_value="12.50")
    own = events.view(
        before="pending", tag="KIM7", source="INVITE", group=events.group(5), promo_codes=(code,), updated_at=events.NOW
    )
    kim = events.affiliate(country="se", onboarding_completed=True, confirmed_at=events.SINCE)
    event = events.transition("pending", "active", own=own, affiliate=kim)
    body = sent(event)[0].body
    body_of = events.id_of("affiliate").removeprefix("aff_")
    expected = {
        "id": json.loads(body)["id"],
        "type": "affiliate.updated",
        "timestamp": "2026-02-27T23:33:12.345Z",
        "version": 1,
        "data": {
            "affiliateId": f"aff_{body_of}",
            "email": "Kim1@Example.org",
            "accountStatus": "ACTIVE",
            "affiliateProgramId": f"prog_{body_of}",
            "partnershipStatus": "APPROVED",
            "trackingId": "KIM7",
            "source": "INVITE",
            "groupId": events.id_of("group", 5),
            "onboardingCompleted": True,
            "country": "SE",
            "promoCodes": [
                {
                    "code": "CODE1",
                    "promoCodeId": f"pc_{body_of}",
                    "couponId": "cp",
                    "discountType": "percent",
                    "duration": "once",
                    "discountValue": "12.50",
                    "createdAt": "2026-02-26T23:33:12.345Z",
                }
            ],
            "createdAt": "2026-02-26T23:33:12.345Z",
            "updatedAt": "2026-02-27T23:33:12.345Z",
        },
        "attempt": 1,
        "webhook_id": f"whd_{body_of}",
        "endpoint_id": f"whe_{body_of}",
    }
    assert body == json.dumps(expected, separators=(",", ":")).encode()


def test_what_is_missing_is_null_and_never_left_out():
    event = events.transition(None, "active", affiliate=events.affiliate(country=None))
    data = json.loads(sent(event)[0].body)["data"]
    assert [name for name, value in data.items() if value is None] == ["trackingId", "source", "groupId", "country"]
    assert data["promoCodes"] == []


@pytest.mark.parametrize(
    ("status", "account"),
    [
        ("pending", "PENDING"),
        ("active", "ACTIVE"),
        ("disabled", "REJECTED"),
        ("suspicious", "REJECTED"),
        ("rejected", "REJECTED"),
    ],
)
def test_an_account_has_one_of_three_statuses(status, account):
    event = on_affiliate("updated", previous={"status": "pending"}, status=status)
    assert {json.loads(request.body)["data"]["accountStatus"] for request in sent(event)} == {account}


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (None, "pending", "PENDING"),
        ("pending", "active", "APPROVED"),
        ("active", "paused", "APPROVED"),
        ("pending", "rejected", "REJECTED"),
        ("pending", "removed", "PENDING"),
        ("paused", "left", "APPROVED"),
    ],
)
def test_a_partnership_shows_its_status_and_at_the_end_the_last_one_before(before, after, shown):
    assert json.loads(sent(events.transition(before, after))[0].body)["data"]["partnershipStatus"] == shown


def test_a_rejected_partnership_is_deleted_as_rejected():
    deletion = on_affiliate("deleted", TWO[1:], deleted_at=events.NOW)
    assert json.loads(sent(deletion)[0].body)["data"]["partnershipStatus"] == "REJECTED"


def test_ids_that_came_from_affonso_go_out_again():
    kim = events.affiliate(external_ids={"affonso": "aff_k1"})
    own = events.view(before=None, program=events.program(external_ids={"affonso": "prog_p1"}))
    data = json.loads(sent(events.transition(None, "active", own=own, affiliate=kim))[0].body)["data"]
    assert (data["affiliateId"], data["affiliateProgramId"]) == ("aff_k1", "prog_p1")


def test_both_signature_forms_sign_the_time_and_the_body():
    request = sent(events.transition(None, "active"))[0]
    headers = dict(request.headers)
    signed = hmac.digest(SECRET.encode(), b"%d." % (events.NOW // 1000) + request.body, sha256).hex()
    assert headers == {
        "Content-Type": "application/json",
        "X-Affonso-Signature": f"t={events.NOW // 1000},v1={signed}",
        "X-Affonso-Timestamp": str(events.NOW // 1000),
    }


def test_every_try_is_rendered_and_signed_anew_under_the_same_id():
    event = events.transition(None, "active")
    first, second = sent(event)[0], sent(event, Attempt(events.id_of("attempt", 2), 2, events.NOW + 60_000))[0]
    assert first.headers != second.headers
    assert json.loads(first.body) | {"attempt": 2} == json.loads(second.body)


def test_the_envelope_id_differs_by_event_and_subject_and_keeps_the_events_time():
    requests = [*sent(ROWS["6 change details"][0]), *sent(events.transition(None, "active", nth=2))]
    found = [json.loads(request.body)["id"] for request in requests]
    assert len(set(found)) == 3
    assert {text[:13] for text in found} == {events.id_of("event")[:13]}


def test_what_cannot_be_put_into_words_is_refused():
    event = events.transition(None, "active")
    with pytest.raises(Unencodable, match="no_partnership"):
        dialect.request(event, Saying(CREATED, M2), RECIPIENT, DELIVERY, FIRST)
    with pytest.raises(Unencodable, match="no_secret"):
        sent(event, recipient=Recipient(endpoint_id=RECIPIENT.endpoint_id, url=RECIPIENT.url))


def test_a_partnership_is_the_only_object_and_only_while_it_is_one():
    event = events.transition("pending", "active")
    assert dialect.object("membership", M1, event.snapshot) == json.loads(sent(event)[0].body)["data"]
    assert dialect.object("membership", M2, event.snapshot) is None
    assert dialect.object("affiliate", events.id_of("affiliate"), event.snapshot) is None
    long_gone = events.snapshot(events.view(before="left", status="left"))
    assert dialect.object("membership", M1, long_gone) is None
