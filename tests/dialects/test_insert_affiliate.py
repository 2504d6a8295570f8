"""Insert Affiliate: created and deactivated alternate, once per request, under an id that hangs on the address."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.dialects.base import NO_EMAIL, NO_WORD, Attempt, Recipient, Saying, load_samples
from affwire.dialects.insert_affiliate import CREATED, DEACTIVATED, dialect
from affwire.errors import Unencodable
from affwire.model.events import Event
from affwire.model.wire import Request
from affwire.testing.events import NOW, affiliate, event, id_of, program, snapshot, transition, view

URL = "https://example.com/hook"
PLAIN = Recipient(endpoint_id=id_of("endpoint"), url=URL)
KEYS = ["event", "affiliate_id", "email", "deep_link", "occurred_at"]
UNCHANGED = "standing did not change"
ONCE = "said once, on the request's leading event"


def words(happened: Event) -> list[str]:
    said = dialect.says(happened)
    assert {saying.subject for saying in said} <= {id_of("affiliate")}
    return [saying.word for saying in said]


def request(happened: Event, saying: Saying, recipient: Recipient = PLAIN, number: int = 1) -> Request:
    attempt = Attempt(id_of("attempt", number), number, NOW + number * 60_000)
    return dialect.request(happened, saying, recipient, id_of("delivery", number), attempt)


def bodies(happened: Event) -> list[Any]:
    return [json.loads(request(happened, saying).body) for saying in dialect.says(happened)]


def about(type_: str, before: bool, after: bool, *, leads: bool = True, **fields: Any) -> Event:
    return event(type_, leads=leads, standing_before=before, standing_after=after, **fields)


@pytest.mark.parametrize("type_", ["program.created", "program.updated", "program.deleted"])
def test_rows_1_to_3_programs_say_nothing(type_: str) -> None:
    assert words(event(type_)) == []
    assert dialect.silence(event(type_)) == NO_WORD


NEW_ADDRESS: dict[str, Any] = {"previous": {"email": "old@example.org"}}
ROWS: list[tuple[str, Event, list[str]]] = [
    ("4", about("affiliate.created", False, True), [CREATED]),
    ("5", about("affiliate.confirmed", True, True, previous={"confirmed_at": None}), []),
    ("5b", about("affiliate.updated", True, True, previous={"onboarding_completed": False}), []),
    ("6", about("affiliate.updated", True, True, previous={"city": "Lund"}), []),
    ("6b", about("affiliate.updated", True, True, **NEW_ADDRESS), [DEACTIVATED, CREATED]),
    ("6b by confirming", about("affiliate.confirmed", True, True, **NEW_ADDRESS), [DEACTIVATED, CREATED]),
    ("6b not standing", about("affiliate.updated", False, False, **NEW_ADDRESS), []),
    ("6c ends", about("affiliate.updated", True, False, previous={"status": "active"}), [DEACTIVATED]),
    ("6c begins", about("affiliate.updated", False, True, previous={"status": "disabled"}), [CREATED]),
    ("6c stays", about("affiliate.updated", True, True, previous={"status": "active"}), []),
    ("6b and 6c ends", about("affiliate.updated", True, False, **NEW_ADDRESS), [DEACTIVATED]),
    ("6b and 6c begins", about("affiliate.updated", False, True, **NEW_ADDRESS), [CREATED]),
    ("7", transition(None, "pending"), []),
    ("8", transition("pending", "active", standing_after=True), [CREATED]),
    ("8 standing", transition("pending", "active", standing_before=True, standing_after=True), []),
    ("9", transition(None, "active", standing_after=True), [CREATED]),
    ("10", transition("pending", "rejected"), []),
    ("11 last", transition("active", "removed", standing_before=True), [DEACTIVATED]),
    ("11 not last", transition("active", "removed", standing_before=True, standing_after=True), []),
    ("11 pending", transition("pending", "removed"), []),
    ("12 last", transition("active", "left", standing_before=True), [DEACTIVATED]),
    ("13", transition("active", "paused", standing_before=True, standing_after=True), []),
    ("13b", transition("paused", "active", standing_before=True, standing_after=True), []),
    ("14 leads", about("affiliate.deleted", True, False), [DEACTIVATED]),
    ("14 follows", transition("active", "removed", leads=False, standing_before=True), []),
    ("14 not standing", about("affiliate.deleted", False, False), []),
    ("15, 18", about("membership.updated", True, True), []),
    ("16", transition("left", "active", standing_after=True), [CREATED]),
    ("16b", transition("rejected", "active", standing_after=True), [CREATED]),
    ("16c", transition("left", "pending"), []),
    ("16d", transition("rejected", "pending"), []),
    ("17 active leads", about("affiliate.created", False, True), [CREATED]),
    ("17 active follows", transition(None, "active", leads=False, standing_after=True), []),
    ("17 pending", about("affiliate.created", False, False), []),
    ("17 pending follows", transition(None, "pending", leads=False), []),
]


@pytest.mark.parametrize(("row", "happened", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_each_row_says_what_becomes_of_the_standing(row: str, happened: Event, expected: list[str]) -> None:
    assert words(happened) == expected, row
    assert all(dialect.card.word(word) for word in expected)
    for word in expected:
        assert happened.type in dialect.card.word(word).canonical  # type: ignore[union-attr]  # asserted above


@pytest.mark.parametrize(
    ("happened", "why"),
    [
        (transition("active", "paused", standing_before=True, standing_after=True), UNCHANGED),
        (transition(None, "pending", leads=False), UNCHANGED),
        (transition(None, "active", leads=False, standing_after=True), ONCE),
    ],
)
def test_silence_tells_why(happened: Event, why: str) -> None:
    assert words(happened) == []
    assert dialect.silence(happened) == why


@pytest.mark.parametrize("email", [None, ""])
@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True)])
def test_who_has_no_address_cannot_be_named(email: str | None, before: bool, after: bool) -> None:
    around = snapshot(affiliate=affiliate(email=email))
    happened = event("affiliate.updated", around, standing_before=before, standing_after=after)
    assert words(happened) == []
    assert dialect.silence(happened) == NO_EMAIL


def test_the_first_address_of_one_who_stands_is_a_creation_only() -> None:
    happened = about("affiliate.updated", True, True, previous={"email": None})
    assert words(happened) == [CREATED]


def test_an_erased_affiliate_is_deactivated_under_the_address_it_had() -> None:
    around = snapshot(affiliate=affiliate(email=None, deleted_at=NOW, erased_at=NOW))
    gone = event("affiliate.deleted", around, standing_before=True, previous={"email": "kim@example.org"})
    assert [(body["event"], body["email"]) for body in bodies(gone)] == [(DEACTIVATED, "kim@example.org")]


def test_a_new_address_ends_the_old_id_and_begins_the_new_one_in_one_moment() -> None:
    old, new = bodies(about("affiliate.updated", True, True, **NEW_ADDRESS))
    assert (old["email"], new["email"]) == ("old@example.org", "Kim1@Example.org")
    assert old["affiliate_id"] != new["affiliate_id"]
    assert old["occurred_at"] == new["occurred_at"] == "2026-02-27T23:33:12.345Z"


CHANGES = st.lists(st.tuples(st.booleans(), st.sampled_from(["a@example.org", "A@example.org ", "b@example.org"])))


@given(st.none() | st.just("a@example.org"), CHANGES)
def test_created_and_deactivated_alternate_with_equal_ids_in_a_pair(
    email: str | None, changes: list[tuple[bool, str]]
) -> None:
    standing, open_id = False, None
    for stands, address in changes:
        previous = {"email": email} if address != email else {"city": None}
        around = snapshot(affiliate=affiliate(email=address))
        happened = event(
            "affiliate.updated", around, standing_before=standing, standing_after=stands, previous=previous
        )
        for body in bodies(happened):
            assert (body["event"] == CREATED) == (open_id is None)
            assert open_id in (None, body["affiliate_id"])
            open_id = body["affiliate_id"] if open_id is None else None
        standing, email = stands, address
        assert standing == (open_id is not None)


def body_of(email: str, **fields: Any) -> Any:
    around = snapshot(affiliate=affiliate(email=email, **fields))
    return bodies(event("affiliate.created", around, standing_after=True))[0]


def test_a_body_has_the_page_s_keys_in_the_page_s_order() -> None:
    happened = transition(None, "active", own=view(before=None, deep_link="https://l.example/k"), standing_after=True)
    made = request(happened, dialect.says(happened)[0])
    derived = body_of("kim1@example.org")["affiliate_id"].encode()
    assert made.body == (
        b'{"event":"affiliate.created","affiliate_id":"' + derived + b'","email":"Kim1@Example.org",'
        b'"deep_link":"https://l.example/k","occurred_at":"2026-02-27T23:33:12.345Z"}'
    )


def test_the_id_hangs_on_the_address_without_case_and_blanks_and_on_nothing_else() -> None:
    known = body_of("Kim@Example.org")["affiliate_id"]
    assert re.fullmatch(r"ia_[0-9a-f]{8}", known)
    assert body_of(" kim@example.ORG\n", id=id_of("affiliate", 5), number=7)["affiliate_id"] == known
    assert body_of("kim@example.net")["affiliate_id"] != known


def test_the_id_never_changes_between_versions() -> None:
    assert body_of("kim@example.org")["affiliate_id"] == "ia_a8b330e6"


def test_the_address_keeps_its_case_on_the_wire() -> None:
    assert body_of("Kim@Example.org")["email"] == "Kim@Example.org"


@pytest.mark.parametrize("external", ["ia_0a1b2c3d", "ia_0A1B2C3D", "0a1b2c3d", ""])
def test_an_affiliate_from_insert_affiliate_keeps_its_id(external: str) -> None:
    known = body_of("kim@example.org", external_ids={"insert_affiliate": external})["affiliate_id"]
    derived = body_of("kim@example.org")["affiliate_id"]
    assert known == (external if external == "ia_0a1b2c3d" else derived)


def test_an_id_that_goes_with_the_old_address_is_said_of_the_old_address_only() -> None:
    previous: dict[str, Any] = {"email": "old@example.org", "external_ids": {"insert_affiliate": "ia_0a1b2c3d"}}
    old, new = bodies(about("affiliate.updated", True, True, previous=previous))
    assert old["affiliate_id"] == "ia_0a1b2c3d"
    assert new["affiliate_id"] == body_of("kim1@example.org")["affiliate_id"]


def link(happened: Event) -> str:
    shown: str = bodies(happened)[0]["deep_link"]
    return shown


def test_no_deep_link_is_an_empty_text() -> None:
    assert link(about("affiliate.created", False, True)) == ""


def test_the_event_s_own_membership_s_deep_link_comes_first() -> None:
    own, earlier = view(2, before=None, deep_link="https://l.example/2"), view(1, deep_link="https://l.example/1")
    assert link(transition(None, "active", own=own, others=(earlier,), standing_after=True)) == "https://l.example/2"


def test_else_the_earliest_membership_s_that_has_one() -> None:
    others = (view(2), view(3, deep_link="https://l.example/3"), view(4, deep_link="https://l.example/4"))
    happened = transition(None, "active", others=others, standing_after=True)
    assert link(happened) == "https://l.example/3"


@pytest.mark.parametrize(
    ("before", "status", "shown"),
    [
        ("active", "removed", "https://l.example/1"),  # ended by this request
        ("pending", "pending", "https://l.example/1"),  # live, though not decided
        ("removed", "removed", ""),  # ended long ago
        ("rejected", "rejected", ""),
    ],
)
def test_a_membership_lends_its_deep_link_while_live_or_ended_by_the_request(
    before: str, status: str, shown: str
) -> None:
    around = snapshot(view(before=before, status=status, deep_link="https://l.example/1"))
    assert link(event("affiliate.deleted", around, standing_before=True)) == shown


def test_a_token_is_sent_as_bearer_and_without_one_there_is_no_authentication() -> None:
    happened = about("affiliate.created", False, True)
    saying = dialect.says(happened)[0]
    guarded = Recipient(endpoint_id=id_of("endpoint"), url=URL, bearer_token="s3cret-token")
    plain = (("Content-Type", "application/json"),)
    assert request(happened, saying).headers == plain
    assert request(happened, saying, guarded).headers == (*plain, ("Authorization", "Bearer s3cret-token"))
    assert request(happened, saying, guarded).url == URL


def test_every_try_gets_the_same_bytes() -> None:
    happened = about("affiliate.created", False, True)
    saying = dialect.says(happened)[0]
    assert request(happened, saying, number=1) == request(happened, saying, number=2)


def test_a_saying_without_an_address_cannot_be_encoded() -> None:
    for around in (snapshot(affiliate=affiliate(email=None)), snapshot(affiliate=None, program=program())):
        with pytest.raises(Unencodable, match="no_email"):
            request(event("program.created", around, program_id="p", subject_id="p"), Saying(CREATED, "aff"))


def test_an_affiliate_is_shown_as_the_body_without_word_and_time() -> None:
    around = snapshot(view(deep_link="https://l.example/1"))
    body = bodies(event("affiliate.created", around, standing_after=True))[0]
    shown = dialect.object("affiliate", id_of("affiliate"), around)
    assert shown == {name: body[name] for name in ("affiliate_id", "email", "deep_link")}


def test_other_records_and_who_has_no_address_have_no_object() -> None:
    assert dialect.object("affiliate", id_of("affiliate", 2), snapshot()) is None
    assert dialect.object("membership", id_of("membership"), snapshot(view())) is None
    assert dialect.object("affiliate", id_of("affiliate"), snapshot(affiliate=affiliate(email=None))) is None
    assert dialect.object("affiliate", id_of("affiliate"), snapshot(affiliate=None)) is None


def test_the_card_keeps_insert_affiliate_s_promise() -> None:
    policy = dialect.card.policy()
    assert (policy.total_timeout, policy.retry_schedule, policy.success) == (10, (), "2xx")
    assert (dialect.card.endpoints_max, dialect.card.authentication.kind) == (1, "bearer")


def test_the_samples_have_the_page_s_keys() -> None:
    samples = load_samples("affwire.dialects.insert_affiliate")
    assert set(samples) == {word.name for word in dialect.card.words}
    for name, body in samples.items():
        shown = json.loads(body)
        assert (list(shown), shown["event"]) == (KEYS, name)
        assert re.fullmatch(r"ia_[0-9a-f]{8}", shown["affiliate_id"])
