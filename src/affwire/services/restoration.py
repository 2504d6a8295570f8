"""After a restore: what the backup still wanted to send may have arrived long ago, so nothing goes by itself."""

from typing import Final

from msgspec import Struct, structs

from affwire.model.endpoints import Endpoint
from affwire.services import deliveries
from affwire.store.tx import Tx

RESTORED: Final = "restored from a backup"


class Held(Struct, frozen=True):
    """How many deliveries are held, at how many endpoints, and the log's last position."""

    deliveries: int
    endpoints: int
    events: int


def hold_all(tx: Tx) -> Held:
    """Pause every endpoint that something waits for; its owner looks, then resumes it or cancels.

    Leases of the backup's moment are ended: their attempts are on record as unknown. Mails end unsent; each can be resent.
    """
    deliveries.take_back(tx, expired_only=False)
    tx.mails.stop(RESTORED, tx.now)
    waiting = [endpoint for endpoint in _endpoints(tx) if endpoint.waits_because is None]
    for endpoint in waiting:
        tx.following.hold(endpoint.id, RESTORED)
    held = {endpoint.id: tx.health.backlog(endpoint.id).held for endpoint in waiting}
    for endpoint in waiting:
        if held[endpoint.id]:
            tx.registry.update(structs.replace(endpoint, paused=True, updated_at=tx.now))
    last = max((tx.log.last_position(organization.id) for organization in tx.registry.organizations()), default=0)
    return Held(sum(held.values()), sum(1 for count in held.values() if count), last)


def _endpoints(tx: Tx) -> list[Endpoint]:
    return [
        endpoint
        for organization in tx.registry.organizations()
        for endpoint in tx.registry.find(Endpoint, organization.id)
    ]
