"""The laws of converting: in its own dialect a message is itself; there and back, only what cards declare is lost, never silently."""

import json
from functools import cache
from itertools import permutations

import pytest
from msgspec import UNSET

from affwire.dialects.base import load_samples
from affwire.dialects.converting import convert, read
from affwire.errors import Undecodable
from affwire.model.events import EVENT_TYPES
from affwire.model.wire import Message
from affwire.plugins import load_dialects
from affwire.rules.lifecycle import is_member
from affwire.rules.losses import losses
from affwire.testing.stage import over_sayings, request_of, samples_of

AT = 1_772_000_000_000
DIALECTS = load_dialects()
PAIRS = list(permutations(DIALECTS, 2))
REWARDFUL_2019 = {
    "object": {
        "id": "5b0e3c9e-5a34-4d0e-9c27-6f8f9a4b1d11",
        "first_name": "Lena",
        "last_name": "Ohm",
        "email": "lena@example.org",
        "created_at": "2019-06-24T00:43:36.097Z",
        "updated_at": "2019-06-27T18:38:41.684Z",
        "referrals": 42,
        "conversions": 3,
        "confirmed_at": "2019-06-24T00:43:36.095Z",
        "links": [
            {
                "id": "0b7d1a52-0c8f-4a4e-8d1c-1a2b3c4d5e6f",
                "url": "",
                "token": "lena",
                "referrals": 42,
                "conversions": 3,
            }
        ],
        "campaign": {
            "id": "7a6b5c4d-1111-4222-8333-444455556666",
            "name": "Friends",
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
        "id": "1c2d3e4f-aaaa-4bbb-8ccc-ddddeeeeffff",
        "type": "affiliate.confirmed",
        "created_at": "2019-07-11T05:25:43.940Z",
        "api_version": "v1",
    },
    "request": {"id": "9f8e7d6c-1234-4abc-9def-001122334455"},
}
GROWI_REMOVED = {
    "event": "campaign_affiliate.removed",
    "occurred_at": "2026-02-27T18:35:02-05:00",
    "campaign_affiliate_id": 7,
    "campaign_id": 8,
    "organization_id": 9,
    "user_id": 10,
    "status": "removed",
}
ODD = {
    "growi": [
        GROWI_REMOVED,
        GROWI_REMOVED | {"event": "campaign_affiliate.on_ice", "status": "on_ice", "shoe": [1.5, None, {"a": "é"}]},
        GROWI_REMOVED | {"event": "something.else"},
    ],
    "rewardful": [
        REWARDFUL_2019,
        REWARDFUL_2019 | {"object": REWARDFUL_2019["object"] | {"state": "frozen", "new": {"key": 1}}},
        REWARDFUL_2019 | {"event": REWARDFUL_2019["event"] | {"type": "sale.created"}},
    ],
    "affonso": [
        {
            "id": "evt_1",
            "type": "affiliate.deleted",
            "createdAt": "2025-01-09T10:00:00.000Z",
            "data": {"affiliateId": "aff_1", "affiliateProgramId": "p_1", "trackingId": "T", "email": "a@example.org"},
        },
        {"id": "evt_2", "type": "payout.updated", "createdAt": "2025-01-09T10:00:00.000Z", "data": {"amount": 49.5}},
    ],
    "insert_affiliate": [{"event": "affiliate.paused", "affiliate_id": "ia_45fee0aa"}],
    "tamio": [
        {"event_id": "whev_1", "event_type": "order-created", "api_version": 2, "object": "event", "data": {"order": 1}}
    ],
    "standard": [{"type": "invoice.paid", "timestamp": "2026-01-01T00:00:00Z", "data": {}, "id": "msg_1"}],
}
"""The pages' shapes, unknown keys, statuses and words; the values are nobody's."""


def itself(dialect, body):
    (said,) = convert(dialect, dialect, body, AT).sayings
    assert list(json.loads(said).items()) == list(json.loads(body).items())
    assert json.dumps(json.loads(said)) == json.dumps(json.loads(body))


@pytest.mark.parametrize("name", DIALECTS)
def test_in_its_own_dialect_a_message_is_itself_key_for_key(name):
    dialect = DIALECTS[name]
    over_sayings(dialect, lambda saying, event: itself(dialect, request_of(dialect, saying, event).body))
    for body in [*map(json.dumps, samples_of(dialect).values()), *map(json.dumps, ODD[name])]:
        itself(dialect, body.encode())


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_there_and_back_nothing_is_lost_silently(one, other):
    source, target = DIALECTS[one], DIALECTS[other]

    def check(saying, event):
        body = request_of(source, saying, event).body
        there = convert(source, target, body, AT)
        returned = [convert(target, source, said, AT) for said in there.sayings]
        told = {lost.canonical for step in (there, *returned) for lost in step.lost}
        back = [reading(source, said) for step in returned for said in step.sayings]
        if back:
            silent = [lost for lost in losses(reading(source, body), back) if lost.canonical not in told]
            assert not silent

    over_sayings(source, check)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_only_what_the_card_declares_is_lost(one, other):
    source, target = DIALECTS[one], DIALECTS[other]

    def check(saying, event):
        body = request_of(source, saying, event).body
        done = convert(source, target, body, AT)
        words = [reading(target, said).word for said in done.sayings]
        told = reading(source, body)
        undeclared = [lost for lost in done.lost if not declared(target, words, lost, told)]
        assert not undeclared
        assert done.unread.keys() <= set(source.card.aside)

    over_sayings(source, check)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_what_is_not_said_has_a_reason(one, other):
    for event_type, sample in load_samples(type(DIALECTS[one]).__module__).items():
        done = convert(DIALECTS[one], DIALECTS[other], sample, AT)
        assert bool(done.sayings) != bool(done.reason), event_type


def test_the_same_arguments_give_the_same_bytes():
    body = json.dumps(REWARDFUL_2019).encode()
    assert convert(DIALECTS["rewardful"], DIALECTS["standard"], body, AT) == convert(
        DIALECTS["rewardful"], DIALECTS["standard"], body, AT
    )


@pytest.mark.parametrize("name", DIALECTS)
def test_whenever_a_message_is_converted_its_events_have_the_same_ids(name):
    for sample in load_samples(type(DIALECTS[name]).__module__).values():
        early, late = (convert(DIALECTS[name], DIALECTS["standard"], sample, at).sayings for at in (AT, AT + 9_999))
        assert [json.loads(said)["id"] for said in early] == [json.loads(said)["id"] for said in late]


def test_a_record_has_the_same_id_in_every_message():
    bodies = [
        json.dumps(GROWI_REMOVED | {"event": f"campaign_affiliate.{word}"}).encode() for word in ("left", "removed")
    ]
    said = [json.loads(convert(DIALECTS["growi"], DIALECTS["standard"], body, AT).sayings[0]) for body in bodies]
    assert said[0]["id"] != said[1]["id"]
    assert said[0]["data"]["affiliate"]["id"] == said[1]["data"]["affiliate"]["id"]


def test_counts_that_no_record_has_are_told_as_unread():
    done = convert(DIALECTS["rewardful"], DIALECTS["standard"], json.dumps(REWARDFUL_2019).encode(), AT)
    assert {"object.referrals", "object.conversions"} <= set(done.unread)


@pytest.mark.parametrize(
    ("name", "event", "place"),
    [
        ("rewardful", "affiliate.created", ("object",)),
        ("rewardful", "campaign.updated", ("object",)),
        ("affonso", "affiliate.updated", ("data",)),
        ("tamio", "affiliate-signup", ("data", "affiliate")),
        ("tamio", "affiliate-program-created", ("data", "affiliate_program")),
        ("growi", "campaign_affiliate.left", ()),
        ("insert_affiliate", "affiliate.created", ()),
    ],
)
def test_a_bare_record_is_read_as_the_message_of_its_event(name, event, place):
    dialect = DIALECTS[name]
    sample = samples_of(dialect)[event]
    record = sample
    for step in place:
        record = record[step]
    bare = {key: value for key, value in record.items() if key not in {"event", "occurred_at"} or place}
    given = read(dialect, json.dumps(bare).encode(), AT, event)
    whole = reading(dialect, json.dumps(sample).encode())
    assert (given.word, given.events, given.affiliate, given.program) == (
        whole.word,
        whole.events,
        whole.affiliate,
        whole.program,
    )


def test_a_bare_record_of_something_else_is_refused():
    with pytest.raises(Undecodable):
        convert(DIALECTS["affonso"], DIALECTS["growi"], b'{"colour": "red"}', AT, "affiliate.created")


@pytest.mark.parametrize("event", EVENT_TYPES)
def test_whatever_event_is_wanted_it_is_said_or_refused(event):
    for body in (GROWI_REMOVED, GROWI_REMOVED | {"event": "something.else"}):
        try:
            done = convert(DIALECTS["growi"], DIALECTS["standard"], json.dumps(body).encode(), AT, event)
        except Undecodable:
            continue
        assert [json.loads(said)["type"] for said in done.sayings] in ([event], [])


def reading(dialect, body):
    return dialect.decode(Message(headers=(), body=body))


def declared(target, words, lost, told):
    """Whether the target's card, or the sample of each word it says, shows that it cannot tell this."""
    card, field, name = target.card, lost.canonical, lost.canonical.partition(".")[2]
    if field.startswith(("event.", "previous.")) or name in {"id", "external_ids"}:
        return True  # words are declared many to one; each platform has ids of its own
    if name in {"first_name", "last_name"} and card.carries("affiliate.name"):
        return True  # the parts of one name
    if not card.carries(field):
        return field not in card.coarse or lost.became is UNSET or same(card, field, lost)
    if lost.became is not UNSET:
        return same(card, field, lost)
    if lost.field.startswith("memberships[") and not any("memberships[]" in path for path in card.reads):
        return True  # one membership at a time
    return not any(field in shown(target, word) for word in words) or noted(card.name, lost, told)


def same(card, field, lost):
    """Whether a value came back as the card's notes say: coarser, in whole seconds, or as late as its affiliate."""
    coarse = card.coarse.get(field, {})
    if coarse.get(str(lost.value), coarse.get("*")) == lost.became:
        return True
    if field == "membership.updated_at" and card.name == "affonso":
        return lost.became > lost.value
    return field.endswith("_at") and lost.became == lost.value // 1000 * 1000


def noted(name, lost, told):
    """What the cards say in words: Rewardful shows a campaign to members only, Tamio's 0 is an amount that is not set."""
    own = told.membership
    if name == "rewardful" and lost.field.startswith("membership."):
        return own is not None and not is_member(own.told.fields.get("status"))
    return (name, lost.value) == ("tamio", 0)


def shown(dialect, word):
    return _shown(dialect.card.name, word)


@cache
def _shown(name_of_dialect, word):
    dialect = DIALECTS[name_of_dialect]
    samples = load_samples(type(dialect).__module__)
    name = word if word in samples else next(one.name for one in dialect.card.words if one.open)
    sample = samples.get(name) or next(body for key, body in samples.items() if key.startswith(name[:-1]))
    found = reading(dialect, sample)
    members = [
        part for one in found.memberships for part in (one.told, one.program, one.group, *(one.promo_codes or ()))
    ]
    records = [found.organization, found.program, found.affiliate, *(found.links or ()), *members]
    return {f"{record.kind}.{name}" for record in records if record for name in record.fields}


def test_what_a_card_sets_aside_is_named_as_lost():
    tamio, growi = load_dialects()["tamio"], load_dialects()["growi"]
    body = json.loads(load_samples("affwire.dialects.tamio")["affiliate-approved"])
    body["data"]["affiliate"] |= {"timezone": None, "timezone_offset": 3600}
    found = convert(tamio, growi, json.dumps(body).encode(), 0)
    assert found.unread["data.affiliate.timezone_offset"] == 3600
