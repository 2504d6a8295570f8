"""Insert Affiliate's webhooks as they come in: an affiliate was added to the company, or removed from it.

The bearer token is all that tells the sender; a message has no id, so its word, affiliate and time stand for one.
"""

from typing import Final

from msgspec import Struct

from affwire.dialects.base import Card, Identity, Trust
from affwire.dialects.fitting import fit
from affwire.dialects.proof import header, matches, refuse_unknown_signer
from affwire.dialects.reading import Leaves, document, envelope, key, leaves, text, with_id, word
from affwire.errors import NotGenuine, Undecodable
from affwire.model.reading import Reading, ToldMembership
from affwire.model.wire import Message

CREATED: Final = "affiliate.created"
DEACTIVATED: Final = "affiliate.deactivated"

_EVENTS: Final = {CREATED: ("affiliate.created",), DEACTIVATED: ("affiliate.deleted",)}


class _Envelope(Struct):
    event: str
    affiliate_id: str | None = None
    occurred_at: str | None = None


def verify(message: Message, trust: Trust) -> None:
    """Return if the Authorization header is `Bearer` and one of the source's tokens. Raises NotGenuine."""
    refuse_unknown_signer(trust.secrets)
    given = header(message, "Authorization")
    if not matches([given], [f"Bearer {token}" for token in trust.secrets if token]):
        raise NotGenuine("bad_token", "The Authorization header is not Bearer and this source's token.")


def identify(message: Message) -> Identity:
    """Return the word, and the key `event|affiliate_id|occurred_at`, None if one of them is not told."""
    form = envelope(message.body, _Envelope)
    return Identity(word(form.event), key(form.event, form.affiliate_id, form.occurred_at))


def decode(card: Card, message: Message) -> Reading:
    """Return what the message says. Raises Undecodable where one of the two words lacks its id, address or time."""
    identity = identify(message)
    found = leaves(card, document(message.body))
    if identity.word not in _EVENTS:
        return Reading(word=identity.word, unread=tuple(found.unread))
    fit(found)
    affiliate = with_id(found.told("affiliate"), "affiliate_id")
    text(affiliate.fields.get("email"), "email")
    return Reading(
        word=identity.word,
        events=_EVENTS[identity.word],
        occurred_at=_time(found),
        affiliate=affiliate,
        memberships=_memberships(found),
        unread=tuple(dict.fromkeys(found.unread)),
    )


def _time(found: Leaves) -> int:
    at: int | None = found.one.get("event", {}).get("occurred_at")
    if at is None:
        raise Undecodable("missing", "occurred_at is missing.", path="occurred_at")
    return at


def _memberships(found: Leaves) -> tuple[ToldMembership, ...]:
    """Return the membership that has the deep link, of which nothing else is told; none if there is no link."""
    told = found.told("membership")
    return (ToldMembership(told=told),) if told and told.fields.get("deep_link") else ()
