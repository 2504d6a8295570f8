"""Affonso's webhooks as they come in: both published contracts, the help centre's and the docs site's.

The docs site's form has `createdAt` for `timestamp`, one `status` and a `name`, and of a deleted partnership four keys.
A status in a word that neither page lists is kept with the message and not told.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct, structs

from affwire.dialects.base import Card, Identity, Trust
from affwire.dialects.fitting import Key, fit
from affwire.dialects.proof import header, refuse_stale, refuse_unknown_signer, signed_by_any
from affwire.dialects.reading import Leaves, document, envelope, leaves, with_id
from affwire.errors import NotGenuine
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.wire import Message

SIGNATURE: Final = "X-Affonso-Signature"
TIMESTAMP: Final = "X-Affonso-Timestamp"

_WORDS: Final = frozenset({"affiliate.created", "affiliate.confirmed", "affiliate.updated", "affiliate.deleted"})
_ACCOUNT: Final = {"PENDING": "pending", "ACTIVE": "active", "REJECTED": "rejected", "INACTIVE": "disabled"}
_PARTNERSHIP: Final = {"PENDING": "pending", "APPROVED": "active", "REJECTED": "rejected"}
_PARTNERSHIP_OF: Final = {"PENDING": "PENDING", "ACTIVE": "APPROVED"}
"""What the docs site's one `status`, the account's, says of the partnership too."""
_BEGINS: Final = {"pending": "membership.requested", "rejected": "membership.rejected"}
"""What a partnership that begins is; with any other status, or none told, it is active."""
_FORM_C: Final = "sha256="


class _Envelope(Struct):
    id: Key
    type: Key


def verify(card: Card, message: Message, trust: Trust, now: int) -> None:
    """Return if the signature is hex of HMAC-SHA256 over `{t}.{body}`, in form A or B (contracts A4). Else NotGenuine.

    Form C, over the body without a time, counts only where the source's option `signature_form` says so.
    """
    refuse_unknown_signer(trust.secrets)
    given, signed = header(message, SIGNATURE), message.body
    if trust.options.get("signature_form") == "C" and given.startswith(_FORM_C):
        digests: tuple[str, ...] = (given.removeprefix(_FORM_C),)
    else:
        seconds, digests = _timed(given, message)
        refuse_stale(seconds, now, card.inbound.tolerance if card.inbound else 0)
        signed = b"%b.%b" % (seconds.encode(), signed)
    if not signed_by_any(digests, trust.secrets, signed):
        raise NotGenuine("bad_signature", f"{SIGNATURE} holds no HMAC-SHA256 of this time and body in lower-case hex.")


def identify(message: Message) -> Identity:
    """Return the envelope's type and id. Raises Undecodable."""
    found = envelope(message.body, _Envelope)
    return Identity(found.type, found.id)


def decode(card: Card, message: Message) -> Reading:
    """Return what the message says. Raises Undecodable where an id is missing: the affiliate's, or the program's."""
    identity, body = identify(message), document(message.body)
    found = leaves(_narrowed(card, identity.word, body.get("data")), body)
    told = _told(identity.word, found) if identity.word in _WORDS else {}
    return Reading(
        word=identity.word,
        event_id=identity.dedupe_key,
        occurred_at=found.one.get("event", {}).get("occurred_at"),
        unread=tuple(dict.fromkeys(found.unread)),
        **told,
    )


def _timed(given: str, message: Message) -> tuple[str, tuple[str, ...]]:
    """Return the signed time and the signatures: form B names both, form A has its time in a header of its own.

    A platform may send that header beside form B. Then both times have to agree: only the signed one proves anything,
    and a request that tells two times was touched on its way.
    """
    stands = any(name.lower() == TIMESTAMP.lower() for name, _ in message.headers)
    stamp = header(message, TIMESTAMP) if stands else None
    if "=" not in given:
        if stamp is None:
            raise NotGenuine("no_time", f"{SIGNATURE} has no t=, and {TIMESTAMP} is missing.")
        return stamp, (given,)
    parts = [part.partition("=") for part in given.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or stamp not in {None, times[0]}:
        raise NotGenuine("bad_time", f"{SIGNATURE} has not one time, or {TIMESTAMP} tells another.")
    return times[0], tuple(value for name, _, value in parts if name == "v1")


def _narrowed(card: Card, word: str, data: Any) -> Card:
    """Return the card with the paths to read: of an unknown word the envelope's, of two kinds of statuses the finer."""
    both = isinstance(data, Mapping) and not data.keys().isdisjoint({"accountStatus", "partnershipStatus"})
    reads = {
        path: target
        for path, target in card.reads.items()
        if not path.startswith("data.") or (word in _WORDS and not (both and path == "data.status"))
    }
    return structs.replace(card, reads=reads)


def _told(word: str, found: Leaves) -> dict[str, Any]:
    """Return the fields of the Reading that the partnership fills."""
    _say_statuses(found)
    for item in found.lists.get("promo_code", ()):
        _say_discount(item.one.get("promo_code", {}))
    fit(found)
    member = found.one.setdefault("membership", {})
    events, previous = (word,), _before(word, found)
    if word == "affiliate.created":
        events = (_BEGINS.get(member.get("status", ""), "membership.activated"),)
    if word == "affiliate.deleted":
        member["status"], events = "removed", ("membership.removed",)
    return {
        "events": events,
        "previous": previous,
        "affiliate": with_id(found.told("affiliate"), "data.affiliateId"),
        "memberships": (_membership(found),),
        "own": 0,
    }


def _before(word: str, found: Leaves) -> dict[str, Any]:
    """Return the old values that a word implies: a partnership that begins had no status, one that ended its last one.

    And whoever is confirmed with onboarding complete has completed it just now: the first of the two that happens says
    so, and the page names this one.
    """
    status = found.one["membership"].get("status")
    if word == "affiliate.created":
        return {"status": None}
    if word == "affiliate.deleted":
        return {} if status is None else {"status": status}
    onboarded = found.one["affiliate"].get("onboarding_completed") is True
    return {"onboarding_completed": False} if word == "affiliate.confirmed" and onboarded else {}


def _membership(found: Leaves) -> ToldMembership:
    fields = found.one["membership"]
    group_id = fields.pop("group_id") if fields.get("group_id") else None
    if "group_id" in fields:
        fields["group_id"] = None  # told to be in no group, which is more than not being told of one
    return ToldMembership(
        told=Told(kind="membership", fields=fields),
        program=with_id(found.told("program"), "data.affiliateProgramId"),
        group=Told(kind="group", id=group_id) if group_id else None,
        promo_codes=_promo_codes(found) if found.told_at_all("promo_code") else None,
    )


def _promo_codes(found: Leaves) -> tuple[Told, ...]:
    codes = tuple(code for code in found.told_list("promo_code") if code.id or code.fields.get("code") is not None)
    if len(codes) < len(found.lists["promo_code"]):
        found.unread.append("data.promoCodes[]")
    return codes


def _say_statuses(found: Leaves) -> None:
    account, member = found.one.setdefault("affiliate", {}), found.one.setdefault("membership", {})
    if found.paths.get("affiliate.status") == "data.status" and isinstance(account["status"], str):
        member["status"] = _PARTNERSHIP_OF.get(account["status"])
    _say("affiliate", _ACCOUNT, found)
    _say("membership", _PARTNERSHIP, found)


def _say(kind: str, words: Mapping[str, str], found: Leaves) -> None:
    fields = found.one[kind]
    word = fields.pop("status", None)
    if isinstance(word, str) and word in words:
        fields["status"] = words[word]
    elif word is not None:
        found.unread.append(found.paths[f"{kind}.status"])


def _say_discount(code: dict[str, Any]) -> None:
    """A discount is a decimal text to us; the page allows a number too."""
    value = code.get("discount_value")
    if isinstance(value, int | float) and not isinstance(value, bool):
        code["discount_value"] = format(Decimal(str(value)), "f").removesuffix(".0")
