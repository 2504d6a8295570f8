"""Erasure: a deleted person's data leaves the registry, the log and the attempts, once no delivery needs it any more.

What happened stays on record (ids, types, times, outcomes); who it happened to does not.
"""

from typing import Any, Final

from msgspec import structs

from affwire.model.events import Event
from affwire.model.registry import Affiliate
from affwire.rules.lifecycle import UNFINISHED
from affwire.store.tx import Tx

PERSONAL: Final = (
    *("email", "first_name", "last_name", "company", "country", "address", "city", "state", "postcode", "telephone"),
    *("vat", "language", "timezone", "unconfirmed_email", "paypal_email", "wise_email"),
    *("stripe_customer_id", "stripe_account_id", "payments"),
)
"""The fields of an affiliate that are taken away; `metadata` and `external_ids` are emptied too."""


def erase_due(tx: Tx, *, limit: int) -> int:
    """Erase up to `limit` affiliates whose deliveries have all ended; return how many were erased."""
    done = 0
    for affiliate in tx.registry.erased(limit=limit):
        events = tx.log.of_affiliate(affiliate.id)
        deliveries = [delivery for event in events for delivery in tx.outbox.of_event(event.id)]
        if any(delivery.status in UNFINISHED for delivery in deliveries):
            continue
        for delivery in deliveries:
            tx.outbox.forget_bodies_of(delivery.id)
        for event in events:
            tx.log.rewrite(_without_person(event))
        tx.registry.update(structs.replace(_nameless(affiliate), erased_at=None))
        done += 1
    return done


def _nameless(affiliate: Affiliate) -> Affiliate:
    return structs.replace(affiliate, **dict.fromkeys(PERSONAL), metadata={}, external_ids={})


def _without_person(event: Event) -> Event:
    affiliate = event.snapshot.affiliate
    snapshot = structs.replace(event.snapshot, affiliate=_nameless(affiliate) if affiliate else None)
    return structs.replace(event, snapshot=snapshot, previous=_impersonal(event.previous))


def _impersonal(previous: dict[str, Any]) -> dict[str, Any]:
    return {name: None if name in PERSONAL else value for name, value in previous.items() if name != "metadata"}
