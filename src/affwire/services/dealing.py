"""Dealing: how many deliveries each endpoint may send now, looking at no more endpoints than get a place.

Rule: a cycle costs what it sends, so an endpoint's record is read when its turn comes, with those whose turn is next.
"""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final

from affwire.dialects.base import Dialect
from affwire.model.endpoints import DELETED, TRIPPED, Endpoint
from affwire.rules.retry import Policy, overridden
from affwire.rules.sharing import share, turns
from affwire.store.following import PIECE
from affwire.store.hot import ROWS_MAX
from affwire.store.queued import Work
from affwire.store.tx import Tx

AHEAD: Final = ROWS_MAX
"""Endpoints read at a time: the rows of one statement."""
NEVER: Final[Mapping[str, int]] = {}

Room = Callable[[Endpoint, Policy, int], int]
"""How many more deliveries may go to an endpoint now, given its policy and how many are under way."""


class Table:
    """Deals places: `shares` has them, `endpoints` and `policies` those who were looked at.

    `served` tells when (ms) each endpoint last got a place: who has waited longest since then comes first, so that an old
    backlog is no claim to every turn. `contested`: another process is claiming for one of them just now.
    """

    def __init__(
        self, tx: Tx, dialects: Mapping[str, Dialect], ready: Mapping[str, Work], room: Room, served: Mapping[str, int]
    ) -> None:
        self._tx = tx
        self._dialects = dialects
        self._room = room
        self._leased = tx.outbox.leased()
        self._tripped = tx.health.tripped()
        self._to_hold = PIECE
        self._rooms: dict[str, int] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.policies: dict[str, Policy] = {}
        self.contested = False
        since = sorted((max(one.due_at, served.get(one.endpoint_id, 0)), one.endpoint_id) for one in ready.values())
        self._owners = {endpoint_id: ready[endpoint_id].organization_id for _, endpoint_id in since}
        self._turns = turns(self._owners, self._leased)

    def shares(self, limit: int) -> dict[str, int]:
        """Return how many of `limit` places each endpoint gets."""
        return share(limit, self._owners, self._leased, self._room_of)

    def _room_of(self, endpoint_id: str) -> int:
        while endpoint_id not in self._rooms:
            self._look(list(islice(self._turns, AHEAD)))
        return self._rooms[endpoint_id]

    def _look(self, endpoint_ids: list[str]) -> None:
        ours = self._tx.outbox.ours_to_claim(endpoint_ids)
        self.contested |= len(ours) < len(endpoint_ids)
        self._rooms.update(dict.fromkeys(endpoint_ids, 0))
        receivers = self._tx.registry.endpoints(sorted(ours), lock=True)
        if not self._tx.alone:  # another process may have closed a breaker before we had the lock
            self._tripped = self._tx.health.tripped()
        for endpoint in receivers.values():
            if not self._waits(endpoint):
                self._seat(endpoint)

    def _seat(self, endpoint: Endpoint) -> None:
        policy = overridden(self._dialects[endpoint.dialect].card.policy(), endpoint.policy)
        busy = self._leased.get(endpoint.id, 0)
        room = self._room(endpoint, policy, busy)
        self._rooms[endpoint.id] = min(room, 1 - busy) if endpoint.id in self._tripped else room
        self.endpoints[endpoint.id] = endpoint
        self.policies[endpoint.id] = policy

    def _waits(self, endpoint: Endpoint) -> bool:
        """Return whether nothing may go to an endpoint; what is due is held then, or cancelled if it was deleted."""
        following = self._tx.following
        if endpoint.dialect not in self._dialects:
            following.hold(endpoint.id, f"the dialect {endpoint.dialect!r} is not installed")
        elif endpoint.deleted_at is not None:
            following.cancel(endpoint.id, DELETED)
        elif endpoint.waits_because is not None:
            following.hold(endpoint.id, endpoint.waits_because)
        elif self._tripped.get(endpoint.id, 0) > self._tx.now:
            self._to_hold -= following.hold_due(endpoint.id, TRIPPED, limit=self._to_hold)
        else:
            return False
        return True
