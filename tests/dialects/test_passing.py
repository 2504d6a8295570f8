"""Passing on: in its own dialect a message keeps the body it came in; in another it is said as anything else is."""

import json
import re

import pytest
from msgspec import structs

from affwire.dialects import affonso, growi, passing, standard, tamio
from affwire.dialects.base import Attempt, Recipient, Saying, load_samples
from affwire.errors import Unencodable
from affwire.model import ids
from affwire.model.events import Origin
from affwire.model.wire import Message
from affwire.testing import events as build

RECIPIENT = Recipient(
    endpoint_id=build.id_of("endpoint"), url="https://example.com/hook", secrets=("whsec_of-somebody-else",)
)
DELIVERY = build.id_of("delivery")
TRY = Attempt(build.id_of("attempt", 3), 3, build.NOW)


def relayed(dialect, word, body, **fields):
    origin = Origin(dialect.card.name, word, body)
    return structs.replace(build.event("membership.activated", **fields), origin=origin)


def written(dialect, event):
    (saying,) = passing.said(dialect, event)
    return passing.written(dialect, event, saying, RECIPIENT, delivery_id=DELIVERY, attempt=TRY)


def test_its_own_dialect_says_the_very_body_with_keys_nobody_knows():
    body = {"event": "campaign_affiliate.vip", "extra": {"a": [1, None, 2.5]}, "status": "vip", "z": "é"}
    event = relayed(growi.dialect, "campaign_affiliate.vip", body)
    assert passing.said(growi.dialect, event) == (Saying("campaign_affiliate.vip", event.membership_id),)
    assert list(json.loads(written(growi.dialect, event).body).items()) == list(body.items())


def test_what_belongs_to_the_endpoint_and_the_try_is_put_in_anew_and_signed():
    body = json.loads(load_samples("affwire.dialects.affonso")["affiliate.created"]) | {"more": 1}
    request = written(affonso.dialect, relayed(affonso.dialect, "affiliate.created", body))
    assert json.loads(request.body) == body | {
        "attempt": 3,
        "webhook_id": "whd_" + ids.body_of(DELIVERY),
        "endpoint_id": "whe_" + ids.body_of(RECIPIENT.endpoint_id),
    }
    expected = affonso.dialect.sign(request.body, RECIPIENT, TRY)
    assert request.headers == expected


def test_a_key_that_was_not_there_is_not_put_in():
    body = {"id": "evt_1", "type": "affiliate.created", "createdAt": "2026-05-05T16:53:20Z", "data": {}}
    assert json.loads(written(affonso.dialect, relayed(affonso.dialect, "affiliate.created", body)).body) == body
    odd = {"event_type": "affiliate-signup", "endpoint_id": None}
    passed = written(tamio.dialect, relayed(tamio.dialect, "affiliate-signup", odd))
    assert json.loads(passed.body)["endpoint_id"] == ids.uuid_of(RECIPIENT.endpoint_id)


@pytest.mark.parametrize("own", [{}, {"id": ""}, {"id": "a\r\nX-More: 1"}, {"id": "é"}, {"id": 7}, {"id": "x" * 3000}])
def test_a_body_without_an_id_that_a_header_can_carry_is_passed_on_under_one_of_its_own(own):
    body = {**own, "type": "membership.activated", "timestamp": "2026-05-05T16:53:20Z", "data": {}}
    event = relayed(standard.dialect, "membership.activated", body)
    (saying,) = passing.said(standard.dialect, event)
    to = structs.replace(RECIPIENT, secrets=("whsec_" + "a2tr" * 11,))
    first, again = (
        passing.written(
            standard.dialect, event, saying, to, delivery_id=DELIVERY, attempt=structs.replace(TRY, number=one)
        )
        for one in (1, 2)
    )
    assert json.loads(first.body) == body
    assert re.fullmatch(r"msg_[0-9a-f]{32}", dict(first.headers)["webhook-id"])
    assert first.headers == again.headers


def test_a_place_that_is_no_object_stays_as_it_was(monkeypatch):
    assert passing._with({"request": "text"}, ["request", "id"], 1) == {"request": "text"}
    assert passing._with({"request": {"id": 0, "x": 2}}, ["request", "id"], 1) == {"request": {"id": 1, "x": 2}}
    assert passing._with({}, ["request", "id"], 1) == {}


def test_it_is_passed_on_once_on_the_leading_event():
    event = relayed(growi.dialect, "campaign_affiliate.left", {"event": "x"}, leads=False)
    assert passing.said(growi.dialect, event) == ()
    assert "passed on" in passing.silence(growi.dialect, event)


@pytest.mark.parametrize(
    "event", [build.event("membership.activated"), relayed(affonso.dialect, "affiliate.created", {})]
)
def test_any_other_dialect_says_it_in_its_own_words(event):
    assert passing.said(growi.dialect, event) == growi.dialect.says(event)
    (saying,) = growi.dialect.says(event)
    assert written(growi.dialect, event) == growi.dialect.request(event, saying, RECIPIENT, DELIVERY, TRY)
    assert passing.silence(growi.dialect, build.event("program.created")) == growi.dialect.silence(event)


def test_nothing_is_passed_on_unsigned():
    event = relayed(standard.dialect, "affiliate.created", {"id": "evt_1", "type": "affiliate.created"})
    (saying,) = passing.said(standard.dialect, event)
    bare = Recipient(endpoint_id=build.id_of("endpoint"), url="https://example.com/hook")
    with pytest.raises(Unencodable, match="no_secret"):
        passing.written(standard.dialect, event, saying, bare, delivery_id=DELIVERY, attempt=TRY)


def test_a_message_decoded_and_passed_on_is_identified_by_the_same_key():
    body = json.loads(load_samples("affwire.dialects.affonso")["affiliate.created"])
    request = written(affonso.dialect, relayed(affonso.dialect, "affiliate.created", body))
    passed = Message(headers=request.headers, body=request.body)
    assert affonso.dialect.identify(passed).dedupe_key == body["id"]
