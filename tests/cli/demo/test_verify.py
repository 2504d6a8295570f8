"""The demo's verifiers refuse what is not genuine; that they accept what is, is shown by the demo itself."""

import base64
import hashlib
import hmac
import json

import pytest

from affwire.cli.demo.verify import VERIFIERS, Forged, verify

NOW = 1_700_000_000
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
BODIES = {
    "growi": {"event": "w", "campaign_affiliate_id": 1, "occurred_at": "t", "user_id": 2},
    "affonso": {"type": "w", "id": "evt_1", "timestamp": "2026-01-01T00:00:00.000Z", "data": {"affiliateId": "aff_1"}},
    "rewardful": {
        "object": {"id": "u"},
        "event": {"id": "e", "type": "w", "created_at": "2026-01-01T00:00:00.000Z"},
    },
    "insert_affiliate": {"event": "w", "affiliate_id": "ia_1", "occurred_at": "2026-01-01T00:00:00.000Z"},
    "tamio": {"event_type": "w", "event_id": "whev_1", "data": {"affiliate": {"id": "u"}, "changes": []}},
    "standard": {
        "id": "evt_1",
        "type": "w",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "data": {"affiliate": None, "program": {"id": "prg_1"}, "sequence": 1},
    },
}


def hexdigest(message):
    return hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()


def signed(dialect, body, at=NOW):
    stamped = b"%d.%b" % (at, body)
    standard = base64.b64encode(hmac.new(b"k" * 32, b"evt_1." + stamped, hashlib.sha256).digest()).decode()
    return {
        "growi": {"x-demo-secret": SECRET},
        "affonso": {"x-affonso-signature": f"t={at},v1={hexdigest(stamped)}", "x-affonso-timestamp": str(at)},
        "rewardful": {"x-rewardful-signature": hexdigest(body)},
        "insert_affiliate": {"authorization": f"Bearer {SECRET}"},
        "tamio": {"tamio-signature": f"t={at},s={hexdigest(body)}"},
        "standard": {"webhook-id": "evt_1", "webhook-timestamp": str(at), "webhook-signature": f"v1,{standard}"},
    }[dialect]


def body_of(dialect):
    return json.dumps(BODIES[dialect]).encode()


@pytest.mark.parametrize("dialect", VERIFIERS)
def test_a_genuine_request_is_read(dialect):
    body = body_of(dialect)
    assert verify(dialect, signed(dialect, body), body, SECRET, NOW).word == "w"


@pytest.mark.parametrize("dialect", sorted(set(VERIFIERS) - {"growi", "insert_affiliate"}))
def test_one_more_byte_is_refused(dialect):
    body = body_of(dialect)
    with pytest.raises(Forged):
        verify(dialect, signed(dialect, body), body + b" ", SECRET, NOW)


@pytest.mark.parametrize("secret", ["whsec_" + base64.b64encode(b"x" * 32).decode(), "", "é"])
@pytest.mark.parametrize("dialect", VERIFIERS)
def test_another_secret_is_refused(dialect, secret):
    body = body_of(dialect)
    with pytest.raises(Forged):
        verify(dialect, signed(dialect, body), body, secret, NOW)


@pytest.mark.parametrize("dialect", VERIFIERS)
def test_a_request_without_its_header_is_refused(dialect):
    with pytest.raises(Forged):
        verify(dialect, {}, body_of(dialect), SECRET, NOW)


@pytest.mark.parametrize("away_s", [-301, 301])
@pytest.mark.parametrize("dialect", ["affonso", "standard", "tamio"])
def test_a_time_beyond_the_tolerance_is_refused(dialect, away_s):
    body = body_of(dialect)
    with pytest.raises(Forged):
        verify(dialect, signed(dialect, body, NOW + away_s), body, SECRET, NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b"\xff"])
@pytest.mark.parametrize("dialect", VERIFIERS)
def test_signed_nonsense_is_refused(dialect, body):
    with pytest.raises(Forged):
        verify(dialect, signed(dialect, body), body, SECRET, NOW)
