"""Erasure: a deleted person's data leaves the registry, the log and the attempts, once no delivery needs it any more.

What happened stays on record (ids, types, times, outcomes); who it happened to does not. Answers kept for idempotency
keys are emptied: such a request is known to have been carried out, and is answered no more.
"""

from typing import Any, Final

from msgspec import UNSET, structs

from affwire.errors import Conflict
from affwire.model.events import Event, MembershipView
from affwire.model.inbound import EMAIL
from affwire.model.registry import Affiliate, Link, Membership, PromoCode
from affwire.rules.lifecycle import UNFINISHED
from affwire.store.tx import Tx

PERSONAL: Final = (
    *("email", "first_name", "last_name", "company", "country", "address", "city", "state", "postcode", "telephone"),
    *("vat", "language", "timezone", "unconfirmed_email", "paypal_email", "wise_email"),
    *("stripe_customer_id", "stripe_account_id", "payments"),
)
"""The fields of an affiliate that are taken away; `metadata` and `external_ids` are emptied too."""
OF_MEMBERSHIP: Final = ("tag", "source", "deep_link")
"""The fields of the person's memberships that often hold a name; links and promo codes go as a whole."""

_TOLD: Final = frozenset({*PERSONAL, *OF_MEMBERSHIP, "metadata", "external_ids", "promo_codes"})
"""Whose old values an event's `previous` may tell; that they changed stays."""


def erase_due(tx: Tx, *, limit: int) -> int:
    """Erase up to `limit` affiliates whose deliveries have all ended; return how many were erased."""
    ready = tx.registry.erasable(limit=limit)
    for affiliate in ready:
        _erase_history(tx, affiliate.organization_id, affiliate.id)
        _erase_records(tx, affiliate)
    return len(ready)


def erase_relayed(tx: Tx, organization_id: str, affiliate_id: str) -> bool:
    """Erase a person of whom only relays told, at once; False if none did. Raises Conflict("deliveries_unfinished")."""
    events = tx.log.of_affiliate(organization_id, affiliate_id)
    if not events:
        return False
    if any(delivery.status in UNFINISHED for event in events for delivery in tx.outbox.of_event(event.id)):
        raise Conflict(
            "deliveries_unfinished", f"Deliveries about {affiliate_id} have not ended; cancel them, or ask again later."
        )
    _erase_history(tx, organization_id, affiliate_id)
    tx.inbox.forget_person(affiliate_id)
    for record_id in {affiliate_id, *(view.membership.id for event in events for view in event.snapshot.memberships)}:
        tx.identities.forget(record_id)
    return True


def _erase_history(tx: Tx, organization_id: str, affiliate_id: str) -> None:
    events = tx.log.of_affiliate(organization_id, affiliate_id)
    for event in events:
        for delivery in tx.outbox.of_event(event.id):
            tx.outbox.forget_bodies_of(delivery.id)
        tx.log.rewrite(_without_person(event, tx.now))
    tx.keys.blank_answers(organization_id, [affiliate_id], [event.id for event in events])


def _erase_records(tx: Tx, affiliate: Affiliate) -> None:
    for membership in tx.registry.find(Membership, affiliate.organization_id, affiliate_id=affiliate.id):
        tx.registry.update(_nameless_membership(membership))
    for link in tx.registry.find(Link, affiliate.organization_id, affiliate_id=affiliate.id):
        tx.registry.delete(link)
        tx.identities.forget(link.id)
    for code in tx.registry.find(PromoCode, affiliate.organization_id, affiliate_id=affiliate.id):
        tx.registry.delete(code)
        tx.identities.forget(code.id)
    tx.inbox.forget_person(affiliate.id)
    tx.mails.forget_person(affiliate.id)
    tx.applications.forget_person(affiliate.id)
    tx.identities.forget(affiliate.id, namespace=EMAIL)
    tx.registry.update(structs.replace(_nameless(affiliate), erased_at=None))


def _nameless(affiliate: Affiliate) -> Affiliate:
    return structs.replace(affiliate, **dict.fromkeys(PERSONAL), metadata={}, external_ids={})


def _nameless_membership(membership: Membership) -> Membership:
    return structs.replace(membership, **dict.fromkeys(OF_MEMBERSHIP), metadata={}, external_ids={})


def _without_person(event: Event, at: int) -> Event:
    affiliate = event.snapshot.affiliate
    snapshot = structs.replace(
        event.snapshot,
        affiliate=structs.replace(_nameless(affiliate), erased_at=at) if affiliate else None,
        memberships=tuple(_nameless_view(view) for view in event.snapshot.memberships),
        links=(),
    )
    return structs.replace(event, snapshot=snapshot, previous=_impersonal(event.previous), origin=UNSET)


def _nameless_view(view: MembershipView) -> MembershipView:
    return structs.replace(view, membership=_nameless_membership(view.membership), promo_codes=())


def _impersonal(previous: dict[str, Any]) -> dict[str, Any]:
    return {name: None if name in _TOLD else value for name, value in previous.items()}
