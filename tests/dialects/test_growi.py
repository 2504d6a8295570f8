"""Growi: one flat object for each change of a membership's status, exactly as its page shows it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.dialects.base import NO_WORD, Attempt, Recipient, Saying, load_samples
from affwire.dialects.growi import dialect
from affwire.errors import Unencodable
from affwire.model.events import EVENT_TYPES, Event
from affwire.model.wire import Request
from affwire.rules.lifecycle import MEMBERSHIP
from affwire.testing.events import (
    NOW,
    affiliate,
    event,
    id_of,
    membership,
    organization,
    program,
    promo_code,
    snapshot,
    transition,
    view,
)

RECIPIENT = Recipient(endpoint_id=id_of("endpoint"), url="https://example.com/hook?a=1")
REQUIRED = {
    "event": str,
    "occurred_at": str,
    "campaign_affiliate_id": int,
    "campaign_id": int,
    "organization_id": int,
    "user_id": int,
    "status": str,
}
OPTIONAL = ["campaign_name", "organization_slug", "user_email", "user_name", "tag"]

ROWS = [
    ("7", None, "pending", "campaign_affiliate.pending"),
    ("8", "pending", "active", "campaign_affiliate.activated"),
    ("9", None, "active", "campaign_affiliate.activated"),
    ("10", "pending", "rejected", "campaign_affiliate.rejected"),
    ("11 pending", "pending", "removed", "campaign_affiliate.removed"),
    ("11 active", "active", "removed", "campaign_affiliate.removed"),
    ("11 paused", "paused", "removed", "campaign_affiliate.removed"),
    ("12 pending", "pending", "left", "campaign_affiliate.left"),
    ("12 active", "active", "left", "campaign_affiliate.left"),
    ("13", "active", "paused", "campaign_affiliate.paused"),
    ("13 again", "paused", "on_hold_2", "campaign_affiliate.on_hold_2"),
    ("13b", "paused", "active", "campaign_affiliate.activated"),
    ("16 removed", "removed", "active", "campaign_affiliate.activated"),
    ("16 left", "left", "active", "campaign_affiliate.activated"),
    ("16b", "rejected", "active", "campaign_affiliate.activated"),
    ("16c removed", "removed", "pending", "campaign_affiliate.pending"),
    ("16c left", "left", "pending", "campaign_affiliate.pending"),
    ("16d", "rejected", "pending", "campaign_affiliate.pending"),
]


def sent(happened: Event, number: int = 1) -> Any:
    """Return the body of the first thing said."""
    return json.loads(request(happened, number).body)


def request(happened: Event, number: int = 1) -> Request:
    delivery, attempt = id_of("delivery", number), Attempt(id_of("attempt", number), number, NOW + number * 60_000)
    return dialect.request(happened, dialect.says(happened)[0], RECIPIENT, delivery, attempt)


@pytest.mark.parametrize("type_", [name for name in EVENT_TYPES if not name.startswith("membership.")])
def test_programs_and_affiliates_by_themselves_say_nothing(type_: str) -> None:
    assert dialect.says(event(type_)) == ()
    assert dialect.silence(event(type_)) == NO_WORD


@pytest.mark.parametrize("previous", [{"tag": "old"}, {"promo_codes": []}, {"deep_link": None, "group_id": None}])
def test_rows_15_and_18_fields_and_promo_codes_say_nothing(previous: dict[str, Any]) -> None:
    happened = event("membership.updated", snapshot(view(promo_codes=(promo_code(),))), previous=previous)
    assert dialect.says(happened) == ()
    assert dialect.silence(happened) == "the status did not change"


@pytest.mark.parametrize(("row", "before", "after", "word"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.parametrize("leads", [True, False])
def test_each_change_of_status_is_said_once_leading_or_not(
    row: str, before: str | None, after: str, word: str, *, leads: bool
) -> None:
    happened = transition(before, after, leads=leads)
    assert dialect.says(happened) == (Saying(word, id_of("membership")),), row
    assert (sent(happened)["event"], sent(happened)["status"]) == (word, after)


def test_row_14_a_deleted_affiliate_is_removed_from_each_program_under_its_own_number() -> None:
    after = snapshot(*(view(nth, status="removed") for nth in (1, 2, 3)), affiliate=affiliate(deleted_at=NOW))
    removed = [event("membership.removed", after, membership_id=id_of("membership", nth)) for nth in (1, 2, 3)]
    assert [sent(each)["campaign_affiliate_id"] for each in removed] == [1_000_000_001, 1_000_000_002, 1_000_000_003]
    assert {sent(each)["event"] for each in removed} == {"campaign_affiliate.removed"}
    assert dialect.says(event("affiliate.deleted", after)) == ()


def test_row_3b_a_deleted_program_removes_its_members_and_still_has_its_name() -> None:
    own = view(status="removed", program=program(deleted_at=NOW))
    assert sent(event("membership.removed", snapshot(own)))["campaign_name"] == "Program 1"


@given(st.lists(st.sampled_from(["request", "activate", "reject", "remove", "leave", "change"]), max_size=12))
def test_every_legal_history_is_one_saying_per_change(actions: list[str]) -> None:
    status: str | None = None
    for action in actions:
        row = status if status in MEMBERSHIP else "X"
        if (step := MEMBERSHIP[row].get(action)) is None:
            continue
        after = ("paused" if status != "paused" else "resting") if action == "change" else step.status
        said = dialect.says(transition(status, after))
        assert [saying.subject for saying in said] == [id_of("membership")]
        assert dialect.card.word(said[0].word) is not None
        status = after


def test_a_full_body_has_the_page_s_keys_in_the_page_s_order() -> None:
    happened = event("membership.activated", snapshot(view(before=None, tag="kim-1")))
    assert request(happened).body == (
        b'{"event":"campaign_affiliate.activated","occurred_at":"2026-02-27T18:33:12-05:00",'
        b'"campaign_affiliate_id":1000000001,"campaign_id":1000000001,"organization_id":1000000001,'
        b'"user_id":1000000001,"status":"active","campaign_name":"Program 1","organization_slug":"org-1",'
        b'"user_email":"Kim1@Example.org","user_name":"Kim Berg","tag":"kim-1"}'
    )


@pytest.mark.parametrize("nothing", [None, ""])
def test_optional_fields_without_a_value_are_omitted_never_null(nothing: str | None) -> None:
    bare = affiliate(email=nothing, first_name=nothing, last_name=nothing)
    own = view(tag=nothing, status="removed", program=program(name=""))
    body = sent(event("membership.removed", snapshot(own, affiliate=bare, organization=organization(slug=""))))
    assert list(body) == list(REQUIRED)
    assert {name: type(value) for name, value in body.items()} == REQUIRED


@pytest.mark.parametrize(
    ("zone", "at", "text"),
    [
        ("UTC", NOW, "2026-02-27T23:33:12+00:00"),
        ("Asia/Kolkata", NOW, "2026-02-28T05:03:12+05:30"),
        ("America/New_York", NOW + 15_552_000_000, "2026-08-26T19:33:12-04:00"),
        ("America/New_York", NOW // 1000 * 1000 + 999, "2026-02-27T18:33:12-05:00"),
    ],
)
def test_the_time_is_the_membership_s_own_in_whole_seconds_of_the_organization_s_zone(
    zone: str, at: int, text: str
) -> None:
    after = snapshot(view(updated_at=at), organization=organization(timezone=zone))
    assert sent(event("membership.activated", after, occurred_at=NOW + 5_000))["occurred_at"] == text


def test_ids_are_numbers_of_the_records_themselves() -> None:
    own = view(3, program=program(7), number=1_000_000_044)
    around = snapshot(own, affiliate=affiliate(5), organization=organization(2))
    body = sent(event("membership.activated", around))
    shown = [body[f"{name}_id"] for name in ("campaign_affiliate", "campaign", "organization", "user")]
    assert shown == [1_000_000_044, 1_000_000_007, 1_000_000_002, 1_000_000_005]


@pytest.mark.parametrize(("external", "shown"), [("77", 77), ("077", None), ("x7", None), ("", None), ("9" * 16, None)])
def test_a_record_from_growi_keeps_growi_s_integers(external: str, shown: int | None) -> None:
    known: dict[str, Any] = {"external_ids": {"growi": external, "tamio": "5"}}
    around = snapshot(view(program=program(**known), **known), affiliate=affiliate(**known))
    body = sent(event("membership.activated", around))
    own = {body[f"{name}_id"] for name in ("campaign_affiliate", "campaign", "user")}
    assert own == {shown or 1_000_000_001}


def test_text_is_utf_8_and_survives() -> None:
    own = view(tag="ä☕", program=program(name='Ström & "Co"'))
    body = sent(event("membership.activated", snapshot(own, affiliate=affiliate(first_name="Åsa", last_name=None))))
    assert (body["tag"], body["campaign_name"], body["user_name"]) == ("ä☕", 'Ström & "Co"', "Åsa")


def test_there_is_no_authentication_and_the_url_is_untouched() -> None:
    made = request(transition(None, "active"))
    assert (made.url, made.headers) == (RECIPIENT.url, (("Content-Type", "application/json"),))


def test_every_try_and_every_endpoint_gets_the_same_bytes() -> None:
    happened = transition(None, "active")
    other = Recipient(endpoint_id=id_of("endpoint", 2), url=RECIPIENT.url, secrets=("not used by Growi",))
    again = dialect.request(happened, dialect.says(happened)[0], other, id_of("delivery", 9), Attempt("att", 4, NOW))
    assert request(happened, 1) == request(happened, 2) == again


def test_a_saying_about_a_membership_that_is_not_there_cannot_be_encoded() -> None:
    saying = Saying("campaign_affiliate.left", id_of("membership", 8))
    with pytest.raises(Unencodable, match="no_membership"):
        dialect.request(transition("active", "left"), saying, RECIPIENT, "dlv", Attempt("att", 1, NOW))


def test_a_membership_is_shown_as_the_body_without_word_and_time() -> None:
    happened = transition("pending", "active")
    shown = dialect.object("membership", id_of("membership"), happened.snapshot)
    body = sent(happened)
    assert shown == {name: body[name] for name in body if name not in {"event", "occurred_at"}}


def test_other_kinds_of_records_have_no_object() -> None:
    around = snapshot(view(), program=program())
    assert dialect.object("affiliate", affiliate().id, around) is None
    assert dialect.object("program", program().id, around) is None
    assert dialect.object("membership", membership(2).id, around) is None
    assert dialect.object("membership", membership().id, snapshot(view(), affiliate=None)) is None


def test_the_card_keeps_growi_s_promise() -> None:
    policy = dialect.card.policy()
    assert (policy.connect_timeout, policy.read_timeout, policy.total_timeout) == (10, 10, 20)
    assert (policy.success, policy.retry_schedule) == ("2xx", (60, 300, 1800))
    assert (dialect.card.endpoints_max, dialect.card.authentication.kind) == (1, "none")


def test_the_samples_have_the_page_s_keys() -> None:
    samples = {name: json.loads(body) for name, body in load_samples("affwire.dialects.growi").items()}
    assert {dialect.card.word(name) for name in samples} == set(dialect.card.words)
    for name, body in samples.items():
        assert body["event"] == name
        assert list(body) == [*REQUIRED, *OPTIONAL]
