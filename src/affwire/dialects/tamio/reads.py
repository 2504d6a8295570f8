"""Tamio's webhooks as they come in. Its affiliate is our membership in one program; the person behind it has no id.

The envelope tells no time, so none is told. Words beside programs' and affiliates' are read no further than it.
"""

from typing import Any, Final

from msgspec import Struct, structs

from affwire.dialects.base import Card, Identity, Trust
from affwire.dialects.fitting import Key, fit
from affwire.dialects.proof import header, refuse_stale, refuse_unknown_signer, signed_by_any
from affwire.dialects.reading import Leaves, document, envelope, leaves, with_id
from affwire.errors import NotGenuine, Undecodable
from affwire.model.reading import Reading, ToldMembership
from affwire.model.wire import Message

VERSION: Final = 2

_PROGRAM: Final = {
    "affiliate-program-created": "program.created",
    "affiliate-program-updated": "program.updated",
    "affiliate-program-removed": "program.deleted",
}
_AFFILIATE: Final = {
    "affiliate-signup": ("membership.requested", "pending"),
    "affiliate-approved": ("membership.activated", "active"),
    "affiliate-declined": ("membership.rejected", "rejected"),
    "affiliate-removed": ("membership.removed", "removed"),
}
"""Word -> what happened, and the status that the membership has since."""
_OPEN_DOOR: Final = ("membership.activated", "active")
"""A signup that shows `approved`: nobody had to be asked."""
_UNSET: Final = ("commission_percent", "commission_amount")
"""The page shows a commission that is not set as 0."""


class _Envelope(Struct):
    event_id: Key
    event_type: Key


def verify(card: Card, message: Message, trust: Trust, now: int) -> None:
    """Return if `t=<unix>,s=<hex>` holds HMAC-SHA256 over the raw body, or over `{t}.{body}` and t is about now.

    Tamio does not publish which. A source whose option `signed_text` is "timestamp.body" takes the second alone. Over
    the body alone t proves nothing and is not looked at. Raises NotGenuine.
    """
    refuse_unknown_signer(trust.secrets)
    name = trust.options.get("signature_header") or card.options["signature_header"].default
    seconds, digests = _parts(header(message, name), name)
    if _signs_alone(message, trust) and signed_by_any(digests, trust.secrets, message.body):
        return
    if not signed_by_any(digests, trust.secrets, b"%b.%b" % (seconds.encode(), message.body)):
        raise NotGenuine("bad_signature", f"{name} holds no HMAC-SHA256 of this body in lower-case hex.")
    refuse_stale(seconds, now, card.inbound.tolerance if card.inbound else 0)


def identify(message: Message) -> Identity:
    """Return the envelope's type and id. Raises Undecodable."""
    found = envelope(message.body, _Envelope)
    return Identity(found.event_type, found.event_id)


def decode(card: Card, message: Message) -> Reading:
    """Return what the message says. Raises Undecodable for another version, and where an id is missing."""
    identity, body = identify(message), document(message.body)
    if body.get("api_version") != VERSION:
        raise Undecodable("unknown_version", f"api_version is not {VERSION}.", path="api_version")
    found = leaves(_narrowed(card, identity.word), body)
    told = _told(identity.word, found)
    return Reading(word=identity.word, event_id=identity.dedupe_key, unread=tuple(dict.fromkeys(found.unread)), **told)


def _signs_alone(message: Message, trust: Trust) -> bool:
    """Whether a signature over the body alone counts.

    No JSON object begins with a digit, but `{t}.{body}` does: what was signed with its time is no body of its own.
    """
    return trust.options.get("signed_text") != "timestamp.body" and not message.body[:1].isdigit()


def _parts(given: str, name: str) -> tuple[str, tuple[str, ...]]:
    parts = [part.partition("=") for part in given.split(",")]
    times = [value for key, _, value in parts if key == "t"]
    if len(times) != 1 or not times[0].isdigit():
        raise NotGenuine("bad_header", f"{name} is not written t=<unix seconds>,s=<hex>.")
    return times[0], tuple(value for key, _, value in parts if key == "s")


def _narrowed(card: Card, word: str) -> Card:
    """Return the card with the paths that a word's object has; of an unknown word the envelope's alone."""
    return structs.replace(card, reads={path: target for path, target in card.reads.items() if _has(word, path)})


def _has(word: str, path: str) -> bool:
    if word in _PROGRAM:
        return not path.startswith("data.affiliate.")
    return not path.startswith("data.") or (word in _AFFILIATE and path.startswith("data.affiliate."))


def _told(word: str, found: Leaves) -> dict[str, Any]:
    """Return the fields of the Reading that the object fills."""
    if word in _PROGRAM:
        return _program(word, found)
    return _affiliate(word, found) if word in _AFFILIATE else {}


def _program(word: str, found: Leaves) -> dict[str, Any]:
    fit(found)
    program = found.one.setdefault("program", {})
    program |= {name: program[name] or None for name in _UNSET if name in program}
    return {
        "events": (_PROGRAM[word],),
        "program": with_id(found.told("program"), "data.affiliate_program.id"),
    }


def _affiliate(word: str, found: Leaves) -> dict[str, Any]:
    member = found.one.setdefault("membership", {})
    approved = member.get("status")
    event, member["status"] = _OPEN_DOOR if word == "affiliate-signup" and approved is True else _AFFILIATE[word]
    if approved is not None and approved is not (event == "membership.activated"):
        found.unread.append("data.affiliate.approved")
    fit(found)
    person = found.one.get("affiliate", {})
    if person.get("country"):
        person["country"] = person["country"].upper()
    return {
        "events": (event,),
        "previous": {"status": "pending"} if word == "affiliate-approved" else {},
        "affiliate": found.told("affiliate"),
        "memberships": (_membership(word, found),),
        "own": 0,
    }


def _membership(word: str, found: Leaves) -> ToldMembership:
    told, program = with_id(found.told("membership"), "data.affiliate.id"), found.told("program")
    if word != "affiliate-removed":
        program = with_id(program, "data.affiliate.affiliate_program_id")
    return ToldMembership(told=told, program=program if program and program.id else None)
