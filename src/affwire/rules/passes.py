"""Passes as text: signed, so that nobody makes one up, and read only for the purpose they were made for.

base64url of: affiliate (16 bytes) | program (16) | address (8) | end in ms (6) | HMAC-SHA256, cut to 16 bytes
"""

import base64
import binascii
import hmac
from typing import Final

from affwire.model import ids
from affwire.model.mail import Pass, Purpose

KEY_BYTES: Final = 32
ADDRESS_BYTES: Final = 8
_ID, _TIME, _PROOF = 16, 6, 16
_BODY: Final = 2 * _ID + ADDRESS_BYTES + _TIME
TEXT_CHARACTERS: Final = 84
"""Of a pass: base64 of 62 bytes without its padding is 83."""


def signed(key: bytes, purpose: Purpose, made: Pass) -> str:
    """Return a pass as the text that stands in a link."""
    body = b"".join(
        (
            ids.number_of(made.affiliate_id).to_bytes(_ID),
            ids.number_of(made.program_id).to_bytes(_ID),
            made.address,
            made.expires_at.to_bytes(_TIME),
        )
    )
    return base64.urlsafe_b64encode(body + _proof(key, purpose, body)).decode().rstrip("=")


def opened(key: bytes, purpose: Purpose, text: str) -> Pass | None:
    """Return the pass that a text is, whether or not it has expired; None if it is not of this key and purpose.

    A pass has one text only: another spelling of the same bytes is none.
    """
    raw = _decoded(text)
    body, proof = raw[:_BODY], raw[_BODY:]
    if len(raw) != _BODY + _PROOF or not hmac.compare_digest(proof, _proof(key, purpose, body)):
        return None
    return Pass(
        affiliate_id=f"{ids.PREFIXES['affiliate']}_{ids.text(int.from_bytes(body[:_ID]))}",
        program_id=f"{ids.PREFIXES['program']}_{ids.text(int.from_bytes(body[_ID : 2 * _ID]))}",
        address=body[2 * _ID : -_TIME],
        expires_at=int.from_bytes(body[-_TIME:]),
    )


def stamp(key: bytes, what: str, text: str) -> bytes:
    """Return 32 bytes that stand for a text (`what` it is: an address, an origin) and tell nobody else which it was."""
    return hmac.digest(key, f"{what}\0{text}".encode("utf-8", "surrogateescape"), "sha256")


def address_stamp(key: bytes, email_key: str | None) -> bytes:
    """Return what stands for an e-mail address in a pass."""
    return stamp(key, "address", email_key or "")[:ADDRESS_BYTES]


def _proof(key: bytes, purpose: Purpose, body: bytes) -> bytes:
    return hmac.digest(key, b"affwire pass\0%b\0%b" % (purpose.encode(), body), "sha256")[:_PROOF]


def _decoded(text: str) -> bytes:
    if len(text) > TEXT_CHARACTERS:
        return b""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeError, binascii.Error):
        return b""
    return raw if base64.urlsafe_b64encode(raw).decode().rstrip("=") == text else b""
