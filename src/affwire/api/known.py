"""The keys that the API knows: looked up once, then remembered, so that a change need not wait for a read before its write.

Rule: what is remembered is good until a key is revoked in this process, or its own time is over. Where other processes
may revoke (PostgreSQL), nothing is remembered.
"""

from typing import Final

from affwire.services import organizations
from affwire.services.organizations import Identity
from affwire.store.store import Store
from affwire.store.tx import Tx

KNOWN_MAX: Final = 10_000
"""Keys remembered, a few hundred bytes each; beyond, all are forgotten and looked up anew."""


class KnownKeys:
    """Tells whose a key is. Used from one event loop."""

    def __init__(self, store: Store, operator_digest: str) -> None:
        self._store = store
        self._operator_digest = operator_digest
        self._known: dict[str, tuple[int, Identity]] = {}

    async def identity(self, secret: str, now: int) -> Identity:
        """Return whose key this is at `now` (ms). Raises Unauthorized for an unknown, revoked or expired one, alike."""
        name, revocations = organizations.digest(secret), self._store.revocations
        looked_up_at, known = self._known.get(name, (-1, None))
        if known is not None and looked_up_at == revocations and _lasts(known, now):
            return known
        identity, alone = await self._store.read(lambda tx: self._look_up(tx, secret))
        if alone:
            self._remember(name, revocations, identity)
        return identity

    def _look_up(self, tx: Tx, secret: str) -> tuple[Identity, bool]:
        return organizations.authenticate(tx, secret, self._operator_digest), tx.alone

    def _remember(self, name: str, revocations: int, identity: Identity) -> None:
        # Counted before the look-up: what was revoked since then may not have been seen by it.
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[name] = revocations, identity


def _lasts(identity: Identity, now: int) -> bool:
    return identity.expires_at is None or identity.expires_at > now
