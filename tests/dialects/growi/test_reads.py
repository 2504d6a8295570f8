"""Growi read: the page's own examples, in our values; what is odd but tolerable; what cannot be read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.dialects.base import Identity, Trust
from affwire.dialects.growi import dialect
from affwire.errors import Undecodable
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.registry import Affiliate
from affwire.model.wire import Answer, Message

AT = 1_778_000_000_000
ADDED = {
    "event": "campaign_affiliate.activated",
    "occurred_at": "2026-05-05T12:53:20-04:00",
    "campaign_affiliate_id": 9001,
    "campaign_id": 77,
    "organization_id": 5,
    "user_id": 1234,
    "status": "active",
    "campaign_name": "Harbour Lights",
    "organization_slug": "northwind-tea",
    "user_email": "kim@example.org",
    "user_name": "Kim van den Berg",
    "tag": "kim",
}
REMOVED = {name: ADDED[name] for name in list(ADDED)[:7]} | {
    "event": "campaign_affiliate.removed",
    "status": "removed",
}


def message(body, **changes):
    shown = {name: value for name, value in {**body, **changes}.items() if value is not ...}
    return Message(headers=(("Content-Type", "application/json"),), body=json.dumps(shown).encode())


def read(body, **changes):
    return dialect.decode(message(body, **changes))


def test_a_creator_added_is_read_whole():
    assert read(ADDED) == Reading(
        word="campaign_affiliate.activated",
        events=("membership.activated",),
        occurred_at=AT,
        organization=Told(kind="organization", fields={"number": 5, "slug": "northwind-tea"}),
        affiliate=Told(
            kind="affiliate",
            id="1234",
            fields={"first_name": "Kim", "last_name": "van den Berg", "email": "kim@example.org"},
        ),
        memberships=(
            ToldMembership(
                told=Told(kind="membership", id="9001", fields={"updated_at": AT, "status": "active", "tag": "kim"}),
                program=Told(kind="program", id="77", fields={"name": "Harbour Lights"}),
            ),
        ),
        own=0,
    )


def test_a_creator_removed_tells_no_optional_field():
    reading = read(REMOVED)
    assert reading.events == ("membership.removed",)
    assert reading.membership.told.fields == {"updated_at": AT, "status": "removed"}
    assert reading.membership.program == Told(kind="program", id="77")
    assert reading.affiliate == Told(kind="affiliate", id="1234")
    assert reading.unread == ()


@pytest.mark.parametrize(
    ("word", "raw", "status", "event", "unread"),
    [
        ("activated", "active", "active", "activated", ()),
        ("activated", "approved", "active", "activated", ("status",)),
        ("left", "left", "left", "left", ()),
        ("removed", ..., "removed", "removed", ()),
        ("pending", "pending", "pending", "requested", ()),
        ("rejected", "rejected", "rejected", "rejected", ()),
        ("paused", "paused", "paused", "changed", ()),
        ("paused", ..., "paused", "changed", ()),
        ("On Hold", "On Hold", "on_hold", "changed", ("status",)),
        ("on-hold", "on-hold", "on_hold", "changed", ("status",)),
    ],
)
def test_a_listed_word_decides_and_the_status_everywhere_else(word, raw, status, event, unread):
    reading = read(ADDED, event=f"campaign_affiliate.{word}", status=raw)
    assert reading.events == (f"membership.{event}",)
    assert reading.membership.told.fields["status"] == status
    assert reading.unread == unread


@pytest.mark.parametrize("status", ["", "17", "---", "Żółw", "a" * 33])
def test_what_can_be_no_status_is_undecodable(status):
    with pytest.raises(Undecodable, match="bad_status") as error:
        read(ADDED, event=f"campaign_affiliate.{status}", status=status or ...)
    assert error.value.facts == {"path": "status"}


@pytest.mark.parametrize("missing", ["campaign_affiliate_id", "campaign_id", "user_id", "occurred_at"])
@pytest.mark.parametrize("value", [..., None, True, [], ""])
def test_what_must_be_there_is_named_when_it_is_not(missing, value):
    with pytest.raises(Undecodable) as error:
        read(ADDED, **{missing: value})
    if error.value.code != "not_this_dialect":
        assert error.value.facts == {"path": missing}


def test_an_id_may_be_a_text():
    assert read(ADDED, campaign_affiliate_id="9001") == read(ADDED)
    assert dialect.identify(message(ADDED, campaign_affiliate_id="9001")) == dialect.identify(message(ADDED))


def test_the_key_is_the_place_the_time_and_the_word():
    key = "9001|2026-05-05T12:53:20-04:00|campaign_affiliate.activated"
    assert dialect.identify(message(ADDED)) == Identity("campaign_affiliate.activated", key)
    others = [
        dialect.identify(message(ADDED, **change)).dedupe_key
        for change in (
            {"event": "campaign_affiliate.left"},
            {"occurred_at": "2026-05-05T12:53:21-04:00"},
            {"campaign_affiliate_id": 9002},
        )
    ]
    assert len({key, *others}) == 4


def test_a_word_of_another_family_is_kept_without_a_meaning():
    unknown = message({"event": "content.posted", "post_id": 3})
    assert dialect.identify(unknown) == Identity("content.posted", None)
    assert dialect.decode(unknown) == Reading(word="content.posted", unread=("post_id",))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_a_name_of_any_shape_comes_back_as_a_whole(name):
    told = read(ADDED, user_name=name).affiliate.fields
    person = Affiliate(
        id="a",
        organization_id="o",
        number=1,
        email=None,
        first_name=told["first_name"],
        last_name=told["last_name"],
        created_at=0,
        updated_at=0,
    )
    assert person.name == name


def test_an_empty_address_and_name_are_none():
    fields = read(ADDED, user_email="", user_name="").affiliate.fields
    assert fields == {"email": None, "first_name": None, "last_name": None}


@pytest.mark.parametrize("name", ["organization_id", "campaign_name", "user_email", "user_name", "tag"])
def test_an_optional_value_of_another_type_is_unread_and_the_rest_is_read(name):
    reading = read(ADDED, **{name: {"en": "?"}})
    assert reading.unread == (name,)
    assert reading.events == ("membership.activated",)


def test_nobody_signs_so_nobody_is_doubted():
    for trust in (Trust(), Trust(secrets=("a-secret-of-somebody",))):
        dialect.verify(Message(headers=(), body=b"\xff"), trust, AT)


def test_it_is_answered_as_growi_counts_it():
    assert dialect.answer() == Answer()
    assert dialect.answer().status == 200
