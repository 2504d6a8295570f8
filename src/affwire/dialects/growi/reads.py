"""Growi's webhooks as they come in: one flat object, a creator's place on a campaign as it now is.

Nothing proves who sent it, and it has no id: what Growi's page tells receivers to dedupe on, and the word, stand for one.
"""

import re
from typing import Final

from msgspec import Struct

from affwire.dialects.base import Card, Identity
from affwire.dialects.fitting import fit
from affwire.dialects.reading import Leaves, document, envelope, key, leaves, with_id, word
from affwire.errors import Undecodable
from affwire.model.reading import Reading, ToldMembership
from affwire.model.wire import Message
from affwire.rules.lifecycle import event_of, is_status

FAMILY: Final = "campaign_affiliate."

_STATUSES: Final = {f"{FAMILY}activated": "active", f"{FAMILY}removed": "removed", f"{FAMILY}left": "left"}
"""The words that the page lists: they decide, whatever raw status stands beside them."""
_BETWEEN: Final = re.compile(r"[ ./-]+")
"""What stands between two words of a status in other spellings than ours."""


class _Envelope(Struct):
    event: str
    campaign_affiliate_id: int | str | None = None
    occurred_at: str | None = None


def identify(message: Message) -> Identity:
    """Return the word, and the key `campaign_affiliate_id|occurred_at|event`, None if one of them is not told."""
    form = envelope(message.body, _Envelope)
    return Identity(word(form.event), key(form.campaign_affiliate_id, form.occurred_at, form.event))


def decode(card: Card, message: Message) -> Reading:
    """Return what the message says. Raises Undecodable where a word of the family lacks an id, its time or a status."""
    identity = identify(message)
    found = leaves(card, document(message.body))
    if not identity.word.startswith(FAMILY):
        return Reading(word=identity.word, unread=tuple(found.unread))
    fit(found)
    status = _settle_status(identity.word, found)
    member = ToldMembership(
        told=with_id(found.told("membership"), "campaign_affiliate_id"),
        program=with_id(found.told("program"), "campaign_id"),
    )
    return Reading(
        word=identity.word,
        events=(event_of(status),),
        occurred_at=_time(member),
        organization=found.told("organization"),
        affiliate=with_id(found.told("affiliate"), "user_id"),
        memberships=(member,),
        own=0,
        unread=tuple(dict.fromkeys(found.unread)),
    )


def _settle_status(said: str, found: Leaves) -> str:
    """Return the status in our spelling, and put it among what was found; a raw one that it does not tell is unread."""
    fields = found.one.setdefault("membership", {})
    raw = str(fields.get("status") or said.removeprefix(FAMILY))
    told = raw if is_status(raw) else _BETWEEN.sub("_", raw.lower())
    status = _STATUSES.get(said, told)
    if not is_status(status):
        raise Undecodable("bad_status", "status holds no status.", path="status")
    if status != raw and "status" in fields:
        found.unread.append("status")
    fields["status"] = status
    return status


def _time(member: ToldMembership) -> int:
    at: int | None = member.told.fields.get("updated_at")
    if at is None:
        raise Undecodable("missing", "occurred_at is missing.", path="occurred_at")
    return at
