"""Rewardful's webhooks as they come in: both shapes of its affiliate, of 2019 (`referrals`) and of today (`state`).

The campaign that an affiliate shows is an active membership in it. Words of families that we have no record for
(sales, commissions, payouts, single links and coupons) are read no further than their envelope.
"""

from typing import Any, Final

from msgspec import Struct, structs

from affwire.dialects.base import Card, Identity, Trust
from affwire.dialects.fitting import OTHER, Key, fit
from affwire.dialects.proof import header, refuse_unknown_signer, signed_by_any
from affwire.dialects.reading import ENVELOPE, Leaves, document, envelope, leaves, with_id
from affwire.errors import NotGenuine
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.wire import Message

HEADER: Final = "X-Rewardful-Signature"

_AFFILIATE: Final = frozenset({"affiliate.created", "affiliate.confirmed", "affiliate.updated", "affiliate.deleted"})
_CAMPAIGN: Final = {f"campaign.{suffix}": f"program.{suffix}" for suffix in ("created", "updated", "deleted")}
_STATES: Final = frozenset({"active", "disabled", "suspicious"})
_ALIKE: Final = frozenset({"object.id", "object.created_at", "object.updated_at"})
"""What an affiliate and a campaign call alike: in campaign.* words it is the program's."""


class _Event(Struct):
    id: Key
    type: Key


class _Envelope(Struct):
    event: _Event


def verify(message: Message, trust: Trust) -> None:
    """Return if the signature is lower-case hex of HMAC-SHA256 over the raw body; no time is signed. Else NotGenuine."""
    refuse_unknown_signer(trust.secrets)
    if not signed_by_any((header(message, HEADER),), trust.secrets, message.body):
        raise NotGenuine("bad_signature", f"{HEADER} is not this body's HMAC-SHA256 in lower-case hex.")


def identify(message: Message) -> Identity:
    """Return the event's type and id. Raises Undecodable."""
    event = envelope(message.body, _Envelope).event
    return Identity(event.type, event.id)


def decode(card: Card, message: Message) -> Reading:
    """Return what the message says. Raises Undecodable where the envelope or the object's id is missing."""
    identity, body = identify(message), document(message.body)
    found = leaves(_narrowed(card, identity.word), body)
    fit(found)
    told = _told(identity.word, found, body)
    return Reading(
        word=identity.word,
        event_id=identity.dedupe_key,
        occurred_at=found.one.get("event", {}).get("occurred_at"),
        unread=tuple(dict.fromkeys(found.unread)),
        **told,
    )


def _narrowed(card: Card, word: str) -> Card:
    """Return the card with the paths that a word's object has: an affiliate's, a campaign's, or the envelope's alone."""
    return structs.replace(
        card, reads={path: one for path, target in card.reads.items() if (one := _read(word, path, target))}
    )


def _read(word: str, path: str, target: str) -> str | None:
    """Return the field that a path stands for in this word's object, if it has that path at all."""
    if not path.startswith("object."):
        return target
    shared = path in _ALIKE or target.startswith(OTHER)
    of_campaign = target == ENVELOPE or (target.startswith("program.") and not path.startswith("object.campaign."))
    if word in _CAMPAIGN:
        return target.replace("affiliate.", "program.") if shared or of_campaign else None
    return target if word in _AFFILIATE and (shared or not of_campaign) else None


def _told(word: str, found: Leaves, body: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of the Reading that the object fills."""
    if word in _CAMPAIGN:
        return {"events": (_CAMPAIGN[word],), "program": _campaign(found)}
    return _affiliate(word, found, body) if word in _AFFILIATE else {}


def _affiliate(word: str, found: Leaves, body: dict[str, Any]) -> dict[str, Any]:
    """An affiliate has one campaign or none. One that is not shown at all, or not as a campaign, tells of neither."""
    affiliate = found.one.setdefault("affiliate", {})
    state = affiliate.get("status")
    if state not in _STATES and affiliate.pop("status", None) is not None:
        found.unread.append("object.state")
    member = _membership(word, found)
    told = with_id(found.told("affiliate"), "object.id")
    return {
        "events": _events(word, member),
        "affiliate": told,
        "whole": member is not None or body["object"].get("campaign", ()) is None,
        "memberships": (member,) if member else (),
        "own": 0 if member else None,
        "links": _links(found) if found.told_at_all("link") else None,
    }


def _links(found: Leaves) -> tuple[Told, ...]:
    links = tuple(link for link in found.told_list("link") if link.id or link.fields.get("url"))
    if len(links) < len(found.lists["link"]):
        found.unread.append("object.links[]")
    return links


def _events(word: str, member: ToldMembership | None) -> tuple[str, ...]:
    if member and word == "affiliate.created":
        return word, "membership.activated"
    return ("membership.removed", word) if member and word == "affiliate.deleted" else (word,)


def _membership(word: str, found: Leaves) -> ToldMembership | None:
    """Return the membership in the campaign that is shown; one without an id cannot be told from another."""
    program = found.told("program")
    if program is None:
        return None
    if program.id is None:
        found.unread.append("object.campaign")
        return None
    status = "removed" if word == "affiliate.deleted" else "active"
    return ToldMembership(told=Told(kind="membership", fields={"status": status}), program=program)


def _campaign(found: Leaves) -> Told:
    program = found.one.setdefault("program", {})
    if program.get("is_public") is not None:
        program["is_public"] = not program["is_public"]
    if program.get("currency") is None:
        program.pop("currency", None)
    return with_id(found.told("program"), "object.id")
