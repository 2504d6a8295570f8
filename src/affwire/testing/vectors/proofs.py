"""The platforms' signatures written down once more, from their pages alone: what the vectors are made with.

No code is shared with the dialects, so that a vector which both agree on says something.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Final

Pairs = tuple[tuple[str, str], ...]
Proof = Callable[[bytes, str, int], Pairs]
"""From a body, a secret and a time (unix seconds) to the headers that authenticate."""

MESSAGE_ID: Final = "evt_01kje4s70se008000000000101"
"""The webhook-id of every vector of `standard`."""


def hexdigest(secret: str, signed: bytes) -> str:
    """Return HMAC-SHA256 in lower-case hex, the secret being text."""
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def base64digest(key: bytes, signed: bytes) -> str:
    """Return HMAC-SHA256 in base64."""
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def standard_text(body: bytes, at: int) -> bytes:
    """Return what a `standard` signature covers."""
    return f"{MESSAGE_ID}.{at}.".encode() + body


def standard_signature(body: bytes, secret: str, at: int) -> str:
    """Return one signature of Standard Webhooks, version included."""
    return "v1," + base64digest(base64.b64decode(secret.removeprefix("whsec_")), standard_text(body, at))


def standard(body: bytes, secret: str, at: int) -> Pairs:
    """Standard Webhooks 1.0: base64, the secret decoded, over id.time.body."""
    signature = standard_signature(body, secret, at)
    return ("webhook-id", MESSAGE_ID), ("webhook-timestamp", str(at)), ("webhook-signature", signature)


def rewardful(body: bytes, secret: str, at: int) -> Pairs:  # noqa: ARG001 -- no time is signed
    """Rewardful: lower-case hex over the body."""
    return (("X-Rewardful-Signature", hexdigest(secret, body)),)


def affonso_a(body: bytes, secret: str, at: int) -> Pairs:
    """Affonso, form A: the time in a header of its own."""
    digest = hexdigest(secret, f"{at}.".encode() + body)
    return ("X-Affonso-Timestamp", str(at)), ("X-Affonso-Signature", digest)


def affonso_b(body: bytes, secret: str, at: int) -> Pairs:
    """Affonso, form B: the time in the signature's header."""
    return (("X-Affonso-Signature", f"t={at},v1=" + hexdigest(secret, f"{at}.".encode() + body)),)


def affonso_c(body: bytes, secret: str, at: int) -> Pairs:  # noqa: ARG001 -- no time is signed
    """Affonso, form C: the body alone."""
    return (("X-Affonso-Signature", "sha256=" + hexdigest(secret, body)),)


def tamio(body: bytes, secret: str, at: int) -> Pairs:
    """Tamio, the body alone being signed."""
    return (("Tamio-Signature", f"t={at},s=" + hexdigest(secret, body)),)


def tamio_timed(body: bytes, secret: str, at: int) -> Pairs:
    """Tamio, time and body being signed."""
    return (("Tamio-Signature", f"t={at},s=" + hexdigest(secret, f"{at}.".encode() + body)),)


def bearer(body: bytes, secret: str, at: int) -> Pairs:  # noqa: ARG001 -- a token covers neither
    """Insert Affiliate: a token."""
    return (("Authorization", f"Bearer {secret}"),)


def nothing(body: bytes, secret: str, at: int) -> Pairs:  # noqa: ARG001 -- it proves nothing
    """Growi."""
    return ()


PROOFS: Final[dict[str, Proof]] = {
    "affonso": affonso_b,
    "growi": nothing,
    "insert_affiliate": bearer,
    "rewardful": rewardful,
    "standard": standard,
    "tamio": tamio,
}
SIGNATURE: Final = {
    "affonso": "X-Affonso-Signature",
    "insert_affiliate": "Authorization",
    "rewardful": "X-Rewardful-Signature",
    "standard": "webhook-signature",
    "tamio": "Tamio-Signature",
}
"""The header that carries the proof."""
