"""Rewardful's webhooks: one event per affiliate and request, said on the request's leading event.

A membership is told as a change of the affiliate's campaign: the program of the earliest accepted membership.
"""

import re
from typing import Any, Final

from affwire.dialects.base import (
    JSON_HEADERS,
    NO_WORD,
    Attempt,
    Identity,
    Recipient,
    Saying,
    Trust,
    encode,
    load_card,
)
from affwire.dialects.rewardful import reads
from affwire.errors import Unencodable
from affwire.model import ids
from affwire.model.events import Event, Snapshot
from affwire.model.reading import Reading
from affwire.model.registry import Affiliate, Link, Program
from affwire.model.times import rfc3339
from affwire.model.wire import Answer, Headers, Message, Request
from affwire.rules import signing
from affwire.rules.lifecycle import is_member

NOT_LEADING: Final = "said once, on the request's leading event"
SAME_CAMPAIGN: Final = "the campaign did not change"

_STATE: Final = {"disabled": "disabled", "rejected": "disabled", "suspicious": "suspicious"}
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NO_COUNTS: Final = {"visitors": 0, "leads": 0, "conversions": 0}


class Rewardful:
    """Per affiliate: created first, deleted last, at most one event per request."""

    card = load_card(__name__)

    def says(self, event: Event) -> tuple[Saying, ...]:
        family, _, suffix = event.type.partition(".")
        if family == "program":
            return (Saying(f"campaign.{suffix}", event.subject_id),)
        affiliate = event.snapshot.affiliate
        if not event.leads or affiliate is None:
            return ()
        if family == "affiliate":
            return (Saying(event.type, affiliate.id),)
        return (Saying("affiliate.updated", affiliate.id),) if _campaign_changed(event.snapshot) else ()

    def silence(self, event: Event) -> str:
        if event.snapshot.affiliate is None:
            return NO_WORD
        return SAME_CAMPAIGN if event.leads else NOT_LEADING

    def request(
        self,
        event: Event,
        saying: Saying,
        recipient: Recipient,
        delivery_id: str,  # noqa: ARG002 -- a request is known by its try, not by its delivery
        attempt: Attempt,
    ) -> Request:
        kind = "program" if saying.word.startswith("campaign.") else "affiliate"
        shown = self.object(kind, saying.subject, event.snapshot)
        if shown is None:
            raise Unencodable("no_record", f"Event {event.id} shows no {kind} {saying.subject}.")
        body = encode(
            {
                "object": shown,
                "event": {
                    "id": ids.uuid_of(event.id),
                    "type": saying.word,
                    "created_at": rfc3339(event.occurred_at),
                    "api_version": "v1",
                },
                "request": {"id": ids.uuid_of(attempt.id)},
            }
        )
        return Request(recipient.url, self.sign(body, recipient, attempt), body)

    def sign(self, body: bytes, recipient: Recipient, attempt: Attempt) -> Headers:  # noqa: ARG002 -- no time is signed
        return *JSON_HEADERS, (reads.HEADER, signing.hexdigest(recipient.secret, body))

    def object(self, kind: str, record_id: str, snapshot: Snapshot) -> dict[str, Any] | None:
        if kind == "program" and snapshot.program and snapshot.program.id == record_id:
            return _campaign(snapshot.program, snapshot.program_affiliates)
        if kind == "affiliate" and snapshot.affiliate and snapshot.affiliate.id == record_id:
            return _affiliate(snapshot.affiliate, snapshot)
        links = (link for link in snapshot.links if kind == "link" and link.id == record_id)
        return next((_link(link) | {"affiliate_id": _affiliate_id(link, snapshot)} for link in links), None)

    def verify(self, message: Message, trust: Trust, now: int) -> None:  # noqa: ARG002 -- no time is signed
        reads.verify(message, trust)

    def identify(self, message: Message) -> Identity:
        return reads.identify(message)

    def decode(self, message: Message) -> Reading:
        return reads.decode(self.card, message)

    def answer(self) -> Answer:
        return Answer()


def _campaign_changed(snapshot: Snapshot) -> bool:
    before, after = _campaign_before(snapshot), _campaign_now(snapshot)
    return (before and before.id) != (after and after.id)


def _campaign_now(snapshot: Snapshot) -> Program | None:
    """Return the program of the earliest membership that is live and not pending (docs/dialects.md)."""
    return next((view.program for view in snapshot.memberships if is_member(view.membership.status)), None)


def _campaign_before(snapshot: Snapshot) -> Program | None:
    return next((view.program for view in snapshot.memberships if is_member(view.status_before)), None)


def _affiliate(affiliate: Affiliate, snapshot: Snapshot) -> dict[str, Any]:
    """Return the reference page's keys in its order, then those of the newer documents.

    Receivers must bear both: the page's example is of 2019 (`referrals`), current objects have `visitors`, `leads`.
    """
    campaign = _campaign_now(snapshot)
    return {
        "id": _id(affiliate),
        "first_name": affiliate.first_name,
        "last_name": affiliate.last_name,
        "email": affiliate.email,
        **_times(affiliate),
        "referrals": 0,
        "conversions": 0,
        "confirmed_at": _time(affiliate.confirmed_at),
        "links": [_link(link) for link in snapshot.links],
        "campaign": {"id": _id(campaign), "name": campaign.name, **_times(campaign)} if campaign else None,
        "paypal_email": affiliate.paypal_email,
        "sign_in_count": affiliate.sign_in_count,
        "stripe_account_id": affiliate.stripe_account_id,
        "unconfirmed_email": affiliate.unconfirmed_email,
        "stripe_customer_id": affiliate.stripe_customer_id,
        "paypal_email_confirmed_at": _time(affiliate.paypal_email_confirmed_at),
        "receive_new_commission_notifications": affiliate.receive_new_commission_notifications,
        "state": _STATE.get(affiliate.status, "active"),
        "wise_email": affiliate.wise_email,
        "wise_email_confirmed_at": _time(affiliate.wise_email_confirmed_at),
        "visitors": 0,
        "leads": 0,
        "coupon": None,
    }


def _link(link: Link) -> dict[str, Any]:
    return {"id": ids.uuid_of(link.id), "url": link.url, "token": link.token, "referrals": 0, **_NO_COUNTS}


def _campaign(program: Program, affiliates: int) -> dict[str, Any]:
    """Return the fields of Rewardful's REST campaign that a program has; no page shows a campaign's webhook."""
    by_amount = program.commission_percent is None and program.commission_amount is not None
    return {
        "id": _id(program),
        "name": program.name,
        **_times(program),
        "url": program.signup_url,
        "private": not program.is_public,
        "reward_type": "amount" if by_amount else "percent",
        "commission_percent": program.commission_percent,
        "commission_amount_cents": program.commission_amount,
        "commission_amount_currency": None if program.commission_amount is None else program.currency,
        "max_commissions": program.payment_count,
        "days_until_commissions_are_due": program.payout_delay,
        "affiliates": affiliates,
        **_NO_COUNTS,
    }


def _id(record: Affiliate | Program) -> str:
    """Return the record's id in Rewardful: its own where it came from there, else our 128 bits as a UUID."""
    external = record.external_ids.get("rewardful", "")
    return external if _UUID.fullmatch(external) else ids.uuid_of(record.id)


def _affiliate_id(link: Link, snapshot: Snapshot) -> str:
    return _id(snapshot.affiliate) if snapshot.affiliate else ids.uuid_of(link.affiliate_id)


def _times(record: Affiliate | Program) -> dict[str, str]:
    return {"created_at": rfc3339(record.created_at), "updated_at": rfc3339(record.updated_at)}


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)


dialect = Rewardful()
