"""Affonso's webhooks: one partnership (an affiliate in a program) per saying, signed anew on every try.

A partnership is live or rejected, its program is not deleted, its affiliate has an e-mail (docs/dialects.md).
"""

from typing import Any, Final

from affwire.dialects.affonso import reads
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
from affwire.errors import Unencodable
from affwire.model import ids
from affwire.model.events import Event, MembershipView, Snapshot
from affwire.model.reading import Reading
from affwire.model.registry import Affiliate, PromoCode
from affwire.model.times import rfc3339
from affwire.model.wire import Answer, Headers, Message, Request
from affwire.rules import signing
from affwire.rules.lifecycle import ENDED, is_live

NO_PARTNERSHIP: Final = "no partnership to speak of"

_ACCOUNT: Final = {"pending": "PENDING", "active": "ACTIVE"}
_PARTNERSHIP: Final = {"pending": "PENDING", "rejected": "REJECTED"}


class Affonso:
    """Per membership: created, (updated | confirmed)*, deleted, and from the start again."""

    card = load_card(__name__)

    def says(self, event: Event) -> tuple[Saying, ...]:
        affiliate = event.snapshot.affiliate
        if affiliate is None or not affiliate.email:
            return ()
        if event.own:
            word = _membership_word(event.own)
            return (Saying(word, event.own.membership.id),) if word else ()
        return tuple(Saying(_affiliate_word(event, affiliate), view.membership.id) for view in _touched(event))

    def silence(self, event: Event) -> str:
        if event.snapshot.affiliate is None:
            return NO_WORD
        return NO_PARTNERSHIP if event.snapshot.affiliate.email else NO_EMAIL

    def request(
        self, event: Event, saying: Saying, recipient: Recipient, delivery_id: str, attempt: Attempt
    ) -> Request:
        data = self.object("membership", saying.subject, event.snapshot)
        if data is None:
            raise Unencodable("no_partnership", f"Event {event.id} shows no partnership {saying.subject}.")
        body = encode(
            {
                "id": self.message_id(event.id, saying.word, saying.subject),
                "type": saying.word,
                "timestamp": rfc3339(event.occurred_at),
                "version": 1,
                "data": data,
                "attempt": attempt.number,
                "webhook_id": "whd_" + ids.body_of(delivery_id),
                "endpoint_id": "whe_" + ids.body_of(recipient.endpoint_id),
            }
        )
        return Request(recipient.url, self.sign(body, recipient, attempt), body)

    def message_id(self, event_id: str, word: str, subject: str) -> str:
        """Return the id a receiver dedupes on: one per event, word and subject. Its first 48 bits are the event's time."""
        mark = signing.fingerprint("affonso.event", event_id, word, subject)
        return "evt_" + ids.text(ids.number_of(event_id) >> 80 << 80 | int.from_bytes(mark[:10]))

    def sign(self, body: bytes, recipient: Recipient, attempt: Attempt) -> Headers:
        return *JSON_HEADERS, *_signature(recipient, body, attempt.at // 1000)

    def object(self, kind: str, record_id: str, snapshot: Snapshot) -> dict[str, Any] | None:
        affiliate = snapshot.affiliate
        views = (view for view in snapshot.memberships if kind == "membership" and view.membership.id == record_id)
        view = next(views, None)
        return _data(affiliate, view) if affiliate and affiliate.email and view and _status(view) else None

    def verify(self, message: Message, trust: Trust, now: int) -> None:
        reads.verify(self.card, message, trust, now)

    def identify(self, message: Message) -> Identity:
        return reads.identify(message)

    def decode(self, message: Message) -> Reading:
        return reads.decode(self.card, message)

    def answer(self) -> Answer:
        return Answer()


def _membership_word(own: MembershipView) -> str | None:
    """Return what a membership's own event says, None if it was and is no partnership."""
    was = _shown(own.status_before)
    if own.membership.status in ENDED:
        return "affiliate.deleted" if was else None
    if own.program.deleted_at is not None:
        return None
    return "affiliate.updated" if was else "affiliate.created"


def _touched(event: Event) -> tuple[MembershipView, ...]:
    """Return the partnerships that an affiliate's own event speaks for, in order of number.

    They are those that stood when the request began: what began or ended in it has an event of its own, recorded
    after this one. A deletion comes last and speaks for the rejected ones alone, which end without an event.
    """
    views = tuple(view for view in event.snapshot.memberships if view.program.deleted_at is None)
    if event.type == "affiliate.deleted":
        return tuple(view for view in views if view.membership.status == "rejected")
    return tuple(view for view in views if _shown(view.status_before) and event.type != "affiliate.created")


def _affiliate_word(event: Event, affiliate: Affiliate) -> str:
    if event.type == "affiliate.deleted":
        return "affiliate.deleted"
    before = event.previous
    if "email" in before and not before["email"]:
        return "affiliate.created"
    onboarded = before.get("onboarding_completed", affiliate.onboarding_completed)
    confirmed = before.get("confirmed_at", affiliate.confirmed_at) is not None
    completes = affiliate.onboarding_completed and not onboarded and not confirmed
    confirms = event.type == "affiliate.confirmed" and not onboarded
    return "affiliate.confirmed" if completes or confirms else "affiliate.updated"


def _shown(status: str | None) -> bool:
    return is_live(status) or status == "rejected"


def _status(view: MembershipView) -> str | None:
    """Return the status to show: of what this request ended, the last one before the end."""
    return next((status for status in (view.membership.status, view.status_before) if _shown(status)), None)


def _data(affiliate: Affiliate, view: MembershipView) -> dict[str, Any]:
    member = view.membership
    return {
        "affiliateId": _id("aff_", affiliate.id, affiliate.external_ids),
        "email": affiliate.email,
        "accountStatus": _ACCOUNT.get(affiliate.status, "REJECTED"),
        "affiliateProgramId": _id("prog_", view.program.id, view.program.external_ids),
        "partnershipStatus": _PARTNERSHIP.get(_status(view) or "", "APPROVED"),
        "trackingId": member.tag,
        "source": member.source,
        "groupId": _id("grp_", member.group_id) if member.group_id else None,
        "onboardingCompleted": affiliate.onboarding_completed,
        "country": affiliate.country.upper() if affiliate.country else None,
        "promoCodes": [_promo_code(code) for code in view.promo_codes],
        "createdAt": rfc3339(affiliate.created_at),
        "updatedAt": rfc3339(max(affiliate.updated_at, member.updated_at)),
    }


def _promo_code(code: PromoCode) -> dict[str, Any]:
    return {
        "code": code.code,
        "promoCodeId": _id("pc_", code.id),
        "couponId": code.coupon_id,
        "discountType": code.discount_type,
        "duration": code.duration,
        "discountValue": code.discount_value,
        "createdAt": rfc3339(code.created_at),
    }


def _id(prefix: str, record_id: str, external_ids: dict[str, str] | None = None) -> str:
    """Return the record's id in Affonso: its own where it came from there, else prefix and our text."""
    return (external_ids or {}).get("affonso") or prefix + ids.body_of(record_id)


def _signature(recipient: Recipient, body: bytes, seconds: int) -> tuple[tuple[str, str], ...]:
    """Return both headers: the pages describe form A (two headers, same bytes signed) and form B; B is the newer."""
    signed = signing.hexdigest(recipient.secret, f"{seconds}.".encode() + body)
    return (reads.SIGNATURE, f"t={seconds},v1={signed}"), (reads.TIMESTAMP, str(seconds))


dialect = Affonso()
