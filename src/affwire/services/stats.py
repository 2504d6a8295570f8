"""Stats: what an operator asks first of a whole installation. What waits, for how long, and who makes trouble.

Rule: it reads what waits and one small row per endpoint, never the history.
"""

from typing import Final
from urllib.parse import urlsplit

from affwire.model.stats import Stats, Trouble
from affwire.services.health import state
from affwire.store import vitals
from affwire.store.depth import depth
from affwire.store.tx import Tx

WORST_MAX: Final = 5
"""Endpoints that are named: more than a person can look into at once are just more."""


def shown(tx: Tx) -> Stats:
    """Return how all organizations' deliveries and messages stand, as a JSON object."""
    queue, found = depth(tx.connection, tx.now), vitals.vitals(tx.connection)
    return {
        "queue": {"pending": queue.pending, "behind": queue.behind, "held": queue.held, "leased": queue.leased},
        "oldest_due_ms": 0 if queue.oldest_due_at is None else tx.now - queue.oldest_due_at,
        "messages": {"waiting": queue.messages, "parked": found.parked},
        "endpoints": found.endpoints,
        "sources": found.sources,
        "running_jobs": found.jobs,
        "database_bytes": found.database_bytes,
        "worst_endpoints": [_trouble(tx, endpoint_id, at) for endpoint_id, at in _worst(tx).items()],
    }


def _worst(tx: Tx) -> dict[str, int | None]:
    """Return the endpoints in most trouble and since when (ms) each has something due: failing ones first, then late ones."""
    late = {endpoint_id: at for endpoint_id, at in tx.outbox.endpoints_with_work().items() if at < tx.now}
    latest = sorted(late, key=lambda endpoint_id: late[endpoint_id])[:WORST_MAX]
    named = dict.fromkeys([*vitals.failing(tx.connection, limit=WORST_MAX), *latest])
    return {endpoint_id: late.get(endpoint_id) for endpoint_id in list(named)[:WORST_MAX]}


def _trouble(tx: Tx, endpoint_id: str, due_at: int | None) -> Trouble:
    [endpoint] = tx.registry.endpoints([endpoint_id]).values()
    health, backlog = tx.health.get(endpoint_id), tx.health.backlog(endpoint_id)
    return {
        "endpoint_id": endpoint_id,
        "organization_id": endpoint.organization_id,
        "host": urlsplit(endpoint.url).hostname or "",
        "dialect": endpoint.dialect,
        "state": state(endpoint, health),
        "backlog": {"pending": backlog.pending, "held": backlog.held, "leased": backlog.leased},
        "oldest_due_ms": 0 if due_at is None else tx.now - due_at,
        "failures_in_row": health.failures_in_row,
        "last_error": health.last_error,
    }
