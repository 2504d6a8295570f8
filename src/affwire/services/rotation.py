"""Rotation of secrets: a new one signs at once, the old ones go on beside it as long as the dialect's form and the wish allow."""

from collections.abc import Mapping
from typing import Final

from msgspec import structs

from affwire.dialects.base import Dialect
from affwire.errors import Conflict, Refused
from affwire.model.endpoints import Endpoint, SealedSecret
from affwire.model.registry import Organization
from affwire.services.actions import found
from affwire.services.endpoints import card_of, live_secrets, minted, sealed
from affwire.store.tx import Tx

SECRETS_MAX: Final = 5
"""Secrets of one endpoint that sign at a time: each adds a signature to a header that servers cap at some 8 KiB."""


def rotate(
    tx: Tx, organization: Organization, dialects: Mapping[str, Dialect], endpoint_id: str, *, overlap_ms: int
) -> tuple[Endpoint, str]:
    """Give an endpoint a new secret; return it this once. The old ones sign too until `overlap_ms` are over.

    Where the dialect's form carries one signature (its card: rotation "newest"), the newest signs alone from now on.
    Raises NotFound, Refused("no_secret") where nothing is signed, Conflict("too_many_secrets") in the midst of rotations.
    """
    endpoint = found(tx, Endpoint, organization.id, endpoint_id, lock=True)
    card = card_of(dialects, endpoint.dialect)
    secret = minted(tx, card)
    if secret is None:
        raise Refused("no_secret", f"{card.title} signs nothing, so an endpoint has no secret.")
    ends_at = tx.now + (overlap_ms if card.authentication.rotation == "all" else 0)
    old = [until(one, ends_at) for one in live_secrets(endpoint, tx.now)]
    kept = [one for one in old if one.expires_at is None or one.expires_at > tx.now]
    if len(kept) >= SECRETS_MAX:
        raise Conflict(
            "too_many_secrets",
            f"{SECRETS_MAX} secrets of {endpoint.id} sign already; wait until one expires, or rotate with overlap_seconds 0.",
        )
    after = structs.replace(
        endpoint,
        secrets=[sealed(tx, endpoint.id, "secret", secret), *kept],
        updated_at=max(tx.now, endpoint.updated_at + 1),
    )
    tx.registry.update(after)
    tx.tell("secret.rotated", endpoint_id=endpoint.id, signing=len(after.secrets), overlap_ms=ends_at - tx.now)
    return after, secret


def drop_expired_secrets(tx: Tx, organization_id: str) -> int:
    """Forget the secrets of an organization's endpoints whose rotation is over; return of how many endpoints."""
    dropped = 0
    for endpoint in tx.registry.find(Endpoint, organization_id):
        live = live_secrets(endpoint, tx.now)
        if len(live) < len(endpoint.secrets):
            tx.registry.update(structs.replace(endpoint, secrets=live))
            dropped += 1
    return dropped


def until(secret: SealedSecret, ends_at: int) -> SealedSecret:
    """Return a secret that ends then, or before if it had to anyway."""
    return structs.replace(secret, expires_at=min(secret.expires_at or ends_at, ends_at))
