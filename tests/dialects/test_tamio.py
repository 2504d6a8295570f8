"""Tamio: programs' changes and the rounds of a membership, version 2 of the envelope, signed per endpoint."""

import hmac
import json
import re
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.dialects.base import NO_WORD, Attempt, Recipient, Saying, load_samples
from affwire.dialects.tamio import dialect
from affwire.errors import Unencodable
from affwire.model import ids
from affwire.model.events import Event
from affwire.model.wire import Request
from affwire.rules.lifecycle import MEMBERSHIP
from affwire.testing.events import NOW, affiliate, event, id_of, program, promo_code, snapshot, transition, view

SECRET = "tamio secret in text"
RECIPIENT = Recipient(endpoint_id=id_of("endpoint"), url="https://example.com/hook", secrets=(SECRET, "older secret"))
SIGNUP, APPROVED, DECLINED, REMOVED = (f"affiliate-{word}" for word in ("signup", "approved", "declined", "removed"))
JOINED = [SIGNUP, APPROVED]

PROGRAM = {
    "object": "affiliate_program",
    "products": [],
    "domain": None,
    "label": "Program 1",
    "created_at": 1772148792,
    "signup_url": None,
    "id": ids.uuid_of(id_of("program")),
    "currency": "USD",
    "commission_amount": 0,
    "commission_percent": 0,
    "description": None,
    "payout_delay": 0,
    "subscription_commission_type": "once",
    "destinations": ["worldwide"],
    "payments": [],
    "is_public": False,
    "auto_approve": False,
    "is_listed": False,
    "payment_count": None,
    "affiliate_notifications": False,
    "banners": None,
}
AFFILIATE = {
    "object": "affiliate",
    "id": ids.uuid_of(id_of("membership")),
    "email": "Kim1@Example.org",
    "name": "Kim",
    "surname": "Berg",
    "address": None,
    "city": None,
    "state": None,
    "country": "se",
    "postcode": None,
    "vat": None,
    "telephone": None,
    "affiliate_program_id": ids.uuid_of(id_of("program")),
    "affiliate_program_label": "Program 1",
    "currency": "USD",
    "sales": 0,
    "referrals": 0,
    "balance": 0,
    "bonus": 0,
    "approved": True,
    "payments": None,
    "language": None,
    "timezone": None,
    "timezone_offset": None,
}


def request(happened: Event, saying: Saying, recipient: Recipient = RECIPIENT, number: int = 1) -> Request:
    attempt = Attempt(id_of("attempt", number), number, NOW + number * 60_000)
    return dialect.request(happened, saying, recipient, id_of("delivery", number), attempt)


def bodies(happened: Event) -> list[Any]:
    return [json.loads(request(happened, saying).body) for saying in dialect.says(happened)]


def words(happened: Event) -> list[str]:
    said = dialect.says(happened)
    assert {saying.subject for saying in said} <= {happened.membership_id or happened.subject_id}
    return [saying.word for saying in said]


ROWS: list[tuple[str, Event, list[str]]] = [
    ("1", event("program.created"), ["affiliate-program-created"]),
    ("2", event("program.updated", previous={"name": "Old"}), ["affiliate-program-updated"]),
    ("3", event("program.deleted"), ["affiliate-program-removed"]),
    ("4", event("affiliate.created"), []),
    ("5", event("affiliate.confirmed"), []),
    ("5b, 6", event("affiliate.updated", previous={"onboarding_completed": False}), []),
    ("6b", event("affiliate.updated", previous={"email": "old@example.org"}), []),
    ("6c", event("affiliate.updated", previous={"status": "active"}), []),
    ("7", transition(None, "pending"), [SIGNUP]),
    ("8", transition("pending", "active"), [APPROVED]),
    ("9", transition(None, "active"), JOINED),
    ("10", transition("pending", "rejected"), [DECLINED]),
    ("11 active", transition("active", "removed"), [REMOVED]),
    ("11 pending", transition("pending", "removed"), [REMOVED]),
    ("11 paused", transition("paused", "removed"), [REMOVED]),
    ("12", transition("active", "left"), [REMOVED]),
    ("12 pending", transition("pending", "left"), [REMOVED]),
    ("13", transition("active", "paused"), []),
    ("13b", transition("paused", "active"), []),
    ("14 removed", transition("active", "removed", leads=False, affiliate=affiliate(deleted_at=NOW)), [REMOVED]),
    ("14 deleted", event("affiliate.deleted"), []),
    ("15", event("membership.updated", previous={"tag": None}), []),
    ("16 removed", transition("removed", "active"), JOINED),
    ("16 left", transition("left", "active"), JOINED),
    ("16b", transition("rejected", "active"), [APPROVED]),
    ("16c", transition("removed", "pending"), [SIGNUP]),
    ("16d", transition("rejected", "pending"), [SIGNUP]),
    ("17 pending", transition(None, "pending", leads=False), [SIGNUP]),
    ("17 active", transition(None, "active", leads=False), JOINED),
    ("18", event("membership.updated", snapshot(view(promo_codes=(promo_code(),))), previous={"promo_codes": []}), []),
]


@pytest.mark.parametrize(("row", "happened", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_each_row_says_its_words_in_order(row: str, happened: Event, expected: list[str]) -> None:
    assert words(happened) == expected, row
    for body, word in zip(bodies(happened), expected, strict=True):
        assert body["event_type"] == word
        assert happened.type in dialect.card.word(word).canonical  # type: ignore[union-attr]  # the card has each word


@pytest.mark.parametrize("field", ["metadata", "external_ids"])
def test_a_program_whose_changed_fields_tamio_lacks_says_nothing(field: str) -> None:
    happened = event("program.updated", previous={field: {}})
    assert words(happened) == []
    assert dialect.silence(happened) == "Tamio has none of the changed fields"


def test_silence_always_has_a_reason() -> None:
    assert dialect.silence(transition("paused", "active")) == "approved before"
    assert dialect.silence(transition("active", "paused")) == NO_WORD
    assert dialect.silence(event("affiliate.updated")) == NO_WORD


@given(st.lists(st.sampled_from(["request", "activate", "reject", "remove", "leave", "change"]), max_size=14))
def test_every_legal_history_is_rounds_from_signup_to_removed(actions: list[str]) -> None:
    status: str | None = None
    letters = ""
    for action in actions:
        row = status if status in MEMBERSHIP else "X"
        if (step := MEMBERSHIP[row].get(action)) is None:
            continue
        after = ("paused" if status != "paused" else "resting") if action == "change" else step.status
        letters += "".join(word.removeprefix("affiliate-")[0] for word in words(transition(status, after)))
        status = after
    assert re.fullmatch(r"(s[ads]*r)*(s[ads]*)?", letters)


def test_a_created_program_has_the_page_s_keys_types_and_order() -> None:
    made = program(
        name="20% Commission",
        commission_percent=20.0,
        domain="dom-1",
        payments=["stripe"],
        description="Ours",
        number=9,
    )
    happened = event("program.created", snapshot(affiliate=None, program=made))
    body = bodies(happened)[0]
    expected = PROGRAM | {
        "label": "20% Commission",
        "commission_percent": 20,
        "domain": "dom-1",
        "payments": ["stripe"],
        "description": "Ours",
    }
    assert list(body) == ["event_id", "event_type", "api_version", "object", "data", "endpoint_id"]
    assert list(body["data"]) == ["affiliate_program"]
    assert list(body["data"]["affiliate_program"].items()) == list(expected.items())
    assert (body["api_version"], body["object"]) == (2, "event")
    assert UUID(body["endpoint_id"]).int == ids.number_of(RECIPIENT.endpoint_id)


@pytest.mark.parametrize(
    ("percent", "written"), [(None, b"0"), (0.0, b"0"), (20.0, b"20"), (12.5, b"12.5"), (20, b"20")]
)
def test_a_commission_is_a_whole_number_where_it_is_whole(percent: float | None, written: bytes) -> None:
    happened = event("program.created", snapshot(affiliate=None, program=program(commission_percent=percent)))
    body = request(happened, dialect.says(happened)[0]).body
    assert b'"commission_percent":' + written + b"," in body


def test_an_updated_program_names_the_changed_fields_in_tamio_s_words_and_has_counts() -> None:
    around = snapshot(affiliate=None, program=program(), program_affiliates=4, program_sales=0)
    previous = {"metadata": {}, "payout_delay": 7, "name": "Old", "products": ["other"], "updated_at": 1}
    data = bodies(event("program.updated", around, previous=previous))[0]["data"]
    assert list(data["affiliate_program"].items()) == [*PROGRAM.items(), ("affiliates", 4), ("sales", 0)]
    assert data["changes"] == ["products", "label", "payout_delay"]
    assert list(data) == ["affiliate_program", "changes"]


@pytest.mark.parametrize("field", [name for name in PROGRAM if name not in {"object", "id", "created_at"}])
def test_each_field_of_tamio_s_program_is_told_when_it_changes(field: str) -> None:
    ours = "name" if field == "label" else field
    other = {"commission_percent": 99.5, "commission_amount": 99, "payment_count": 99, "payout_delay": 99}
    before = other.get(ours, not PROGRAM[field] if isinstance(PROGRAM[field], bool) else "other")
    assert bodies(event("program.updated", previous={ours: before}))[0]["data"]["changes"] == [field]


def test_a_field_that_tamio_shows_alike_before_and_after_did_not_change() -> None:
    around = snapshot(affiliate=None, program=program(commission_percent=0.0))
    assert dialect.says(event("program.updated", around, previous={"commission_percent": None})) == ()


def test_what_is_removed_is_only_an_id() -> None:
    assert bodies(event("program.deleted"))[0]["data"] == {"affiliate_program": {"id": PROGRAM["id"]}}
    assert bodies(transition("active", "removed"))[0]["data"] == {"affiliate": {"id": AFFILIATE["id"]}}


def test_an_approved_affiliate_has_tamio_s_keys_types_and_order() -> None:
    data = bodies(transition("pending", "active"))[0]["data"]
    assert list(data["affiliate"].items()) == list(AFFILIATE.items())


def test_every_detail_of_an_affiliate_finds_its_key() -> None:
    told: dict[str, Any] = {
        "address": "12 Row",
        "city": "Lund",
        "state": "Skane",
        "postcode": "22",
        "vat": "SE1",
        "telephone": "+46",
    }
    told |= {"language": "sv", "timezone": "Asia/Kolkata"}
    kim = affiliate(payments=["paypal"], **told)
    own = view(program=program(4, name="Tea", currency="SEK"), before="pending")
    shown = bodies(event("membership.activated", snapshot(own, affiliate=kim)))[0]["data"]["affiliate"]
    expected = AFFILIATE | told | {"payments": ["paypal"], "timezone_offset": 19_800, "currency": "SEK"}
    expected |= {"affiliate_program_id": ids.uuid_of(id_of("program", 4)), "affiliate_program_label": "Tea"}
    assert shown == expected


def test_an_affiliate_without_anything_is_all_null() -> None:
    bare = affiliate(email=None, first_name=None, last_name=None, country=None)
    shown = bodies(transition(None, "pending", affiliate=bare))[0]["data"]["affiliate"]
    assert [shown[name] for name in ("email", "name", "surname", "country")] == [None] * 4


@pytest.mark.parametrize(
    ("zone", "at", "seconds"),
    [
        ("Europe/Stockholm", NOW, 3600),
        ("Europe/Stockholm", NOW + 15_552_000_000, 7200),
        ("America/New_York", NOW, -18_000),
        ("UTC", NOW, 0),
        ("No/Such_Zone", NOW, None),
        ("../etc", NOW, None),
        ("Europe", NOW, None),
    ],
)
def test_the_offset_is_that_of_the_event_s_time_and_null_for_an_odd_zone(
    zone: str, at: int, seconds: int | None
) -> None:
    happened = transition(None, "pending", affiliate=affiliate(timezone=zone), occurred_at=at)
    assert bodies(happened)[0]["data"]["affiliate"]["timezone_offset"] == seconds


@pytest.mark.parametrize(
    ("before", "after", "approved"),
    [
        (None, "pending", [False]),
        (None, "active", [False, True]),
        ("left", "active", [False, True]),
        ("rejected", "active", [True]),
        ("pending", "rejected", [False]),
    ],
)
def test_whoever_only_signs_up_or_is_declined_is_not_approved(
    before: str | None, after: str, approved: list[bool]
) -> None:
    assert [body["data"]["affiliate"]["approved"] for body in bodies(transition(before, after))] == approved


@pytest.mark.parametrize("status", ["active", "paused"])
def test_an_affiliate_is_its_membership(status: str) -> None:
    around = snapshot(view(1), view(2, status=status))
    shown = dialect.object("membership", id_of("membership", 2), around)
    assert shown == AFFILIATE | {
        "id": ids.uuid_of(id_of("membership", 2)),
        "affiliate_program_id": ids.uuid_of(id_of("program", 2)),
        "affiliate_program_label": "Program 2",
    }


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_a_membership_that_is_not_accepted_is_shown_unapproved(status: str) -> None:
    shown = dialect.object("membership", id_of("membership"), snapshot(view(status=status)))
    assert shown == AFFILIATE | {"approved": False}


def test_a_program_is_shown_without_counts_and_other_kinds_not_at_all() -> None:
    around = snapshot(view(), program=program(), program_affiliates=3)
    assert dialect.object("program", id_of("program"), around) == PROGRAM
    assert dialect.object("program", id_of("program", 2), around) is None
    assert dialect.object("program", id_of("program"), snapshot()) is None
    assert dialect.object("affiliate", id_of("affiliate"), around) is None
    assert dialect.object("membership", id_of("membership"), snapshot(view(), affiliate=None)) is None


def test_records_from_tamio_keep_its_ids() -> None:
    theirs, odd = "0199f3a2-7b10-7c03-8a55-2d9e4f7b6a10", "not-a-uuid"
    own = view(external_ids={"tamio": theirs}, program=program(external_ids={"tamio": odd}), before="pending")
    shown = bodies(event("membership.activated", snapshot(own)))[0]["data"]["affiliate"]
    assert (shown["id"], shown["affiliate_program_id"]) == (theirs, PROGRAM["id"])
    assert bodies(event("membership.removed", snapshot(own)))[0]["data"]["affiliate"]["id"] == theirs


def test_an_event_id_differs_by_event_word_and_subject_and_is_the_same_on_every_try() -> None:
    happened, later = transition(None, "active"), transition(None, "active", nth=2)
    shown = [body["event_id"] for each in (happened, later) for body in bodies(each)]
    assert len(set(shown)) == 4
    assert all(re.fullmatch(r"whev_[0-9a-z]{16,17}", each) for each in shown)
    saying = dialect.says(happened)[0]
    assert request(happened, saying, number=1).body == request(happened, saying, number=7).body


def signed(recipient: Recipient, number: int = 1) -> tuple[tuple[str, str], bytes]:
    happened = transition(None, "pending")
    made = request(happened, dialect.says(happened)[0], recipient, number)
    assert made.url == recipient.url
    assert made.headers[0] == ("Content-Type", "application/json")
    assert len(made.headers) == 2
    return made.headers[1], made.body


def test_the_newest_secret_signs_the_body_alone() -> None:
    (name, value), body = signed(RECIPIENT)
    digest = hmac.digest(SECRET.encode(), body, "sha256").hex()
    assert (name, value) == ("Tamio-Signature", f"t={NOW // 1000 + 60},s={digest}")


def test_only_the_time_of_the_signature_differs_between_tries() -> None:
    (_, first), (_, second) = signed(RECIPIENT, 1)[0], signed(RECIPIENT, 2)[0]
    assert first != second
    assert first.partition(",")[2] == second.partition(",")[2]


def test_the_header_s_name_and_the_signed_text_are_options() -> None:
    options = {"signature_header": "X-Signature", "signed_text": "timestamp.body"}
    recipient = Recipient(
        endpoint_id=id_of("endpoint"), url="https://example.com/h", secrets=(SECRET,), options=options
    )
    (name, value), body = signed(recipient)
    seconds = NOW // 1000 + 60
    digest = hmac.digest(SECRET.encode(), f"{seconds}.".encode() + body, "sha256").hex()
    assert (name, value) == ("X-Signature", f"t={seconds},s={digest}")


def test_each_endpoint_has_its_own_id_in_its_body() -> None:
    other = Recipient(endpoint_id=id_of("endpoint", 2), url="https://example.com/2", secrets=(SECRET,))
    shown = [json.loads(signed(recipient)[1])["endpoint_id"] for recipient in (RECIPIENT, other)]
    assert shown == [ids.uuid_of(id_of("endpoint", nth)) for nth in (1, 2)]


def test_without_a_secret_nothing_is_sent() -> None:
    bare = Recipient(endpoint_id=id_of("endpoint"), url="https://example.com/hook")
    with pytest.raises(Unencodable, match="no_secret"):
        signed(bare)


@pytest.mark.parametrize(
    ("happened", "word", "code"),
    [
        (event("affiliate.created"), SIGNUP, "no_membership"),
        (event("affiliate.created"), "affiliate-program-created", "no_program"),
    ],
)
def test_what_the_event_does_not_hold_cannot_be_encoded(happened: Event, word: str, code: str) -> None:
    with pytest.raises(Unencodable, match=code):
        request(happened, Saying(word, happened.subject_id))


def test_the_card_says_what_is_not_published() -> None:
    card, policy = dialect.card, dialect.card.policy()
    assert (policy.success, policy.total_timeout, len(policy.retry_schedule)) == ("2xx", 10, 9)
    assert (card.endpoints_max, card.authentication.kind) == (100, "hmac")
    assert sum(policy.retry_schedule) == 72 * 3600
    assert any(note.startswith("Time not authenticated") for note in card.notes)


def test_the_samples_have_the_pages_keys() -> None:
    samples = {name: json.loads(body) for name, body in load_samples("affwire.dialects.tamio").items()}
    assert set(samples) == {word.name for word in dialect.card.words}
    happened = [event("program.created"), event("program.updated", previous={"name": "Old"}), event("program.deleted")]
    happened += [transition(None, "active"), transition("pending", "rejected"), transition("active", "left")]
    for body in (body for each in happened for body in bodies(each)):
        sample = samples[body["event_type"]]
        assert (list(sample), list(sample["data"])) == (list(body), list(body["data"]))
        for name in set(body["data"]) - {"changes"}:
            assert list(sample["data"][name]) == list(body["data"][name])
