"""Insert Affiliate's two words: an affiliate was added to the company, or removed from it (their standing).

Everything is said once per request, on its leading event; whoever has no e-mail address cannot be named at all.
"""

import re
from typing import Any, Final

from affwire.dialects.base import (
    JSON_HEADERS,
    NO_EMAIL,
    NO_WORD,
    Attempt,
    Identity,
    Recipient,
    Saying,
    Trust,
    encode,
    load_card,
)
from affwire.dialects.insert_affiliate import reads
from affwire.errors import Unencodable
from affwire.model.events import Event, MembershipView, Snapshot
from affwire.model.reading import Reading
from affwire.model.registry import Affiliate
from affwire.model.times import rfc3339
from affwire.model.wire import Answer, Headers, Message, Request
from affwire.rules.lifecycle import is_live
from affwire.rules.signing import fingerprint

CREATED: Final = reads.CREATED
DEACTIVATED: Final = reads.DEACTIVATED
_LABEL: Final = "insert-affiliate"
"""Fixed for ever: another label would give every affiliate another id."""
_ID: Final = re.compile(r"ia_[0-9a-f]{8}")


class InsertAffiliate:
    """Says created when standing begins and deactivated when it ends; a new address while standing is both."""

    card = load_card(__name__)

    def says(self, event: Event) -> tuple[Saying, ...]:
        affiliate = event.snapshot.affiliate
        if affiliate is None or not event.leads:
            return ()
        return tuple(Saying(word, affiliate.id) for word in _switches(event) if _address(event, affiliate, word))

    def silence(self, event: Event) -> str:
        if event.snapshot.affiliate is None:
            return NO_WORD
        if not _switches(event):
            return "standing did not change"
        return NO_EMAIL if event.leads else "said once, on the request's leading event"

    def request(
        self,
        event: Event,
        saying: Saying,
        recipient: Recipient,
        delivery_id: str,  # noqa: ARG002 -- Insert Affiliate tells neither deliveries nor tries apart
        attempt: Attempt,
    ) -> Request:
        affiliate = event.snapshot.affiliate
        address = _address(event, affiliate, saying.word) if affiliate else None
        if affiliate is None or not address:
            raise Unencodable("no_email", f"event {event.id} holds no address for {saying.subject}", event=event.id)
        external_ids = affiliate.external_ids if saying.word == CREATED else _external_ids_before(event, affiliate)
        shown = _affiliate(address, external_ids, _deep_link(event.own, event.snapshot))
        body = encode({"event": saying.word, **shown, "occurred_at": rfc3339(event.occurred_at)})
        return Request(recipient.url, self.sign(body, recipient, attempt), body)

    def affiliate_id(self, address: str) -> str:
        """Return the id of whoever has this address and came from nowhere else: a new address is a new id."""
        return _id_of(address)

    def sign(self, body: bytes, recipient: Recipient, attempt: Attempt) -> Headers:  # noqa: ARG002 -- a token, if any
        return *JSON_HEADERS, *_authorization(recipient)

    def object(self, kind: str, record_id: str, snapshot: Snapshot) -> dict[str, Any] | None:
        affiliate = snapshot.affiliate
        if kind != "affiliate" or affiliate is None or affiliate.id != record_id or not affiliate.email:
            return None
        return _affiliate(affiliate.email, affiliate.external_ids, _deep_link(None, snapshot))

    def verify(self, message: Message, trust: Trust, now: int) -> None:  # noqa: ARG002 -- a token has no time
        reads.verify(message, trust)

    def identify(self, message: Message) -> Identity:
        return reads.identify(message)

    def decode(self, message: Message) -> Reading:
        return reads.decode(self.card, message)

    def answer(self) -> Answer:
        return Answer()


def _switches(event: Event) -> list[str]:
    """Return what becomes of the standing, in order. A new address is a new id: one ends and another begins."""
    moved = "email" in event.previous
    ended = event.standing_before and (moved or not event.standing_after)
    begun = event.standing_after and (moved or not event.standing_before)
    return [word for word, happened in ((DEACTIVATED, ended), (CREATED, begun)) if happened]


def _address(event: Event, affiliate: Affiliate, word: str) -> str | None:
    """Return the address the word is about: deactivated tells the one that was known before."""
    before: str | None = event.previous.get("email", affiliate.email)
    return before if word == DEACTIVATED else affiliate.email


def _external_ids_before(event: Event, affiliate: Affiliate) -> dict[str, str]:
    before: dict[str, str] = event.previous.get("external_ids", affiliate.external_ids)
    return before


def _affiliate(address: str, external_ids: dict[str, str], deep_link: str) -> dict[str, Any]:
    external = external_ids.get("insert_affiliate", "")
    known = external if _ID.fullmatch(external) else _id_of(address)
    return {"affiliate_id": known, "email": address, "deep_link": deep_link}


def _id_of(address: str) -> str:
    return "ia_" + fingerprint(_LABEL, address.strip().lower()).hex()[:8]


def _deep_link(own: MembershipView | None, snapshot: Snapshot) -> str:
    """Return the link of the membership at hand, else of the earliest that has one and is live, or was before."""
    live = (view for view in snapshot.memberships if is_live(view.membership.status) or is_live(view.status_before))
    candidates = (own, *live) if own else live
    return next((view.membership.deep_link for view in candidates if view.membership.deep_link), "")


def _authorization(recipient: Recipient) -> tuple[tuple[str, str], ...]:
    token = recipient.bearer_token
    return (("Authorization", f"Bearer {token}"),) if token else ()


dialect = InsertAffiliate()
