"""The standard dialect: canonical names and records, verified by the specification's own Python library."""

import json
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from affwire.dialects.base import Attempt, Recipient
from affwire.dialects.standard import dialect
from affwire.errors import Unencodable
from affwire.model.events import EVENT_TYPES
from affwire.rules import signing
from affwire.testing import events

NEWER, OLDER = (signing.minted("standard", "", bytes([nth]) * 32) for nth in (1, 2))
STRANGER = signing.minted("standard", "", b"\3" * 32)
DELIVERY = events.id_of("delivery")
NOW = 1_795_000_000_000
"""When everything here happens, the library's judgement included (ms)."""


class Standing(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz=None):
        return datetime.fromtimestamp(NOW / 1000, tz or UTC)


@pytest.fixture(autouse=True)
def the_librarys_clock_stands_still(monkeypatch):
    """A slow run would leave the five minutes in which it takes a signature."""
    monkeypatch.setattr("standardwebhooks.webhooks.datetime", Standing)


def sent(event, *secrets, at=NOW, number=1):
    recipient = Recipient(endpoint_id=events.id_of("endpoint"), url="https://example.com/hooks", secrets=secrets)
    (saying,) = dialect.says(event)
    return dialect.request(event, saying, recipient, DELIVERY, Attempt(events.id_of("attempt", number), number, at))


def verified(request, secret):
    return Webhook(secret).verify(request.body, dict(request.headers))


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_verifies_with_the_specifications_own_library(name):
    event = events.event(name)
    body = verified(sent(event, NEWER), NEWER)
    assert (body["id"], body["type"], body["timestamp"]) == (event.id, name, "2026-02-27T23:33:12.345Z")


def test_another_secret_another_body_another_time_do_not_verify():
    request = sent(events.event("program.created"), NEWER)
    headers = dict(request.headers)
    for secret, body, changed in (
        (STRANGER, request.body, {}),
        (NEWER, request.body.replace(b"program.created", b"program.deleted"), {}),
        (NEWER, request.body, {"webhook-timestamp": str(NOW // 1000 - 1)}),
        (NEWER, request.body, {"webhook-id": "evt_other"}),
    ):
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            Webhook(secret).verify(body, headers | changed)


def test_a_signature_of_ten_minutes_ago_is_too_old():
    with pytest.raises(WebhookVerificationError, match="too old"):
        verified(sent(events.event("program.created"), NEWER, at=NOW - 600_000), NEWER)


def test_during_a_rotation_both_secrets_verify_one_signature_each():
    request = sent(events.event("affiliate.created"), NEWER, OLDER)
    assert verified(request, NEWER) == verified(request, OLDER)
    signatures = dict(request.headers)["webhook-signature"].split(" ")
    assert len(set(signatures)) == 2
    assert all(signature.startswith("v1,") for signature in signatures)
    with pytest.raises(WebhookVerificationError):
        verified(request, STRANGER)


def test_a_retry_is_the_same_message_signed_at_its_own_time():
    event = events.event("affiliate.created")
    first, retry = sent(event, NEWER), sent(event, NEWER, at=NOW + 5_000, number=2)
    assert (first.body, first.headers[1]) == (retry.body, retry.headers[1])
    assert dict(first.headers)["webhook-timestamp"] == str(NOW // 1000)
    assert dict(retry.headers)["webhook-timestamp"] == str((NOW + 5_000) // 1000)


def test_without_a_secret_nothing_is_written():
    with pytest.raises(Unencodable, match="no_secret"):
        sent(events.event("affiliate.created"))


def test_the_data_is_the_world_after_the_request_with_the_events_own_membership_lifted_out():
    body = json.loads(sent(events.transition("pending", "active", others=(events.view(2),)), NEWER).body)
    data = body["data"]
    assert list(body) == ["id", "type", "timestamp", "data"]
    assert data["membership"] == data["memberships"][0]
    assert data["program"] == data["membership"]["program"]
    assert len(data["memberships"]) == 2
    assert data["previous"] == {"status": "pending"}
    assert data["cause"]["event_id"] == body["id"]


def test_what_serves_only_affwire_itself_stays_inside():
    data = json.loads(sent(events.event("affiliate.created"), NEWER).body)["data"]
    assert not {"standing", "touched_at", "sequence"} & data["affiliate"].keys()


def test_a_programs_event_counts_its_members():
    after = events.snapshot(affiliate=None, program=events.program(), program_affiliates=4)
    data = json.loads(sent(events.event("program.updated", after), NEWER).body)["data"]
    assert data["program"]["affiliates"] == 4
    assert (data["affiliate"], data["membership"], data["memberships"]) == (None, None, [])


def test_objects_are_the_records_of_the_snapshot():
    after = events.snapshot(events.view(1), program=events.program())
    kim, program, member = (events.id_of(kind) for kind in ("affiliate", "program", "membership"))
    assert dialect.object("affiliate", kim, after)["name"] == "Kim Berg"
    assert dialect.object("program", program, after)["affiliates"] == 0
    assert dialect.object("membership", member, after)["program"]["id"] == program
    assert dialect.object("affiliate", events.id_of("affiliate", 2), after) is None
    assert dialect.object("program", events.id_of("program", 2), after) is None
    assert dialect.object("link", events.id_of("link"), after) is None
