"""Standard Webhooks as they come in, from another affwire or whoever speaks as it does.

verify(id.timestamp.body) -> identify(webhook-id) -> decode(canonical snapshots, under the sender's ids)
"""

import base64
from typing import Any, Final

from msgspec import Struct, structs

from affwire.dialects.base import Card, Identity, Trust
from affwire.dialects.fitting import fit
from affwire.dialects.proof import header, matches, refuse_stale, refuse_unknown_signer
from affwire.dialects.reading import Leaves, document, envelope, key, leaves, with_id, word
from affwire.errors import NotGenuine, Undecodable
from affwire.model.events import EVENT_TYPES
from affwire.model.reading import Reading, ToldMembership
from affwire.model.wire import Message
from affwire.rules import signing

VERSION: Final = "v1,"
"""The version of a symmetric signature; whatever else stands in the header belongs to other receivers."""


class _Envelope(Struct):
    type: str
    id: str | None = None


def verify(message: Message, trust: Trust, now: int, card: Card) -> None:
    """Return if one of the v1 signatures is one of the secrets' over `id.timestamp.body`, of about now. Else NotGenuine."""
    refuse_unknown_signer(trust.secrets)
    event_id, seconds, given = (header(message, name) for name in card.authentication.headers)
    refuse_stale(seconds, now, card.inbound.tolerance if card.inbound else 0)
    signed = b".".join((event_id.encode(), seconds.encode(), message.body))
    known = [made for secret in trust.secrets if secret for made in _made(secret, signed)]
    if not matches([one for one in given.split(" ") if one.startswith(VERSION)], known):
        raise NotGenuine("bad_signature", "No v1 signature is this source's over id.timestamp.body.")


def signature(secret: str, signed: bytes) -> str:
    """Return the v1 signature of these bytes by a `whsec_` secret; ValueError if it is none."""
    return VERSION + base64.b64encode(signing.digest(signing.standard_key(secret), signed)).decode()


def identify(message: Message) -> Identity:
    """Return the event's type and the id that is signed, webhook-id; the body's own where the header is missing."""
    form = envelope(message.body, _Envelope)
    return Identity(word(form.type), key(message.header("webhook-id") or form.id))


def decode(card: Card, message: Message) -> Reading:
    """Return what the message says. Raises Undecodable where an event lacks its time, or a record its id."""
    identity = identify(message)
    found = leaves(card, document(message.body))
    if identity.word not in EVENT_TYPES:
        return Reading(word=identity.word, event_id=identity.dedupe_key, unread=tuple(found.unread))
    fit(found)
    family = identity.word.partition(".")[0]
    previous = _previous(card, family, found)
    memberships = tuple(_membership(item) for item in found.lists.get("membership", ()))
    return Reading(
        word=identity.word,
        events=(identity.word,),
        event_id=identity.dedupe_key,
        occurred_at=_time(found),
        organization=found.told("organization"),
        program=with_id(found.told("program"), "data.program.id") if family == "program" else None,
        affiliate=None if family == "program" else with_id(found.told("affiliate"), "data.affiliate.id"),
        memberships=memberships,
        own=_own(message.body, memberships) if family == "membership" else None,
        links=found.told_list("link") if found.told_at_all("link") else None,
        previous=previous,
        unread=tuple(dict.fromkeys(found.unread)),
    )


def _made(secret: str, signed: bytes) -> list[str]:
    """Return the secret's signature; none if it is no `whsec_` secret, which then verifies nothing."""
    try:
        return [signature(secret, signed)]
    except ValueError:
        return []


def _time(found: Leaves) -> int:
    at: int | None = found.one.get("event", {}).get("occurred_at")
    if at is None:
        raise Undecodable("missing", "timestamp is missing.", path="timestamp")
    return at


def _membership(item: Leaves) -> ToldMembership:
    return ToldMembership(
        told=with_id(item.told("membership"), "data.memberships[].id"),
        program=with_id(item.told("program"), "data.memberships[].program.id"),
        group=item.told("group"),
        promo_codes=item.told_list("promo_code") if item.told_at_all("promo_code") else None,
    )


class _Named(Struct):
    id: str


class _Data(Struct):
    membership: _Named


class _About(Struct):
    data: _Data


def _own(body: bytes, memberships: tuple[ToldMembership, ...]) -> int:
    """Return the place of the membership that the event is about."""
    wanted = envelope(body, _About).data.membership.id
    place = next((index for index, one in enumerate(memberships) if one.told.id == wanted), None)
    if place is None:
        raise Undecodable("missing", "data.membership.id is not among the memberships.", path="data.membership.id")
    return place


def _previous(card: Card, family: str, found: Leaves) -> dict[str, Any]:
    """Return the old values as our model holds them; what no record of the event's family can have had is unread."""
    reads = {
        "previous.*": f"{family}.*",
        "previous.affiliate.*": "affiliate.*",
        "previous.promo_codes": "other.promo_codes",
    }
    old = leaves(structs.replace(card, reads=reads), {"previous": found.one.get("event", {}).get("previous")})
    codes = old.one.pop("other", {}).get("promo_codes")
    fit(old)
    found.unread += [f"data.{path}" for path in old.unread]
    around = old.one.get("affiliate") if family == "membership" else None
    return {
        **old.one.get(family, {}),
        **({"promo_codes": codes} if isinstance(codes, list) else {}),
        **({} if around is None else {"affiliate": around}),
    }
