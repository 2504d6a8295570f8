"""Health: what each settled attempt means for its endpoint: breaker, warnings, auto-disable, and who is told of it."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, structs

from affwire.dialects.base import Dialect
from affwire.model import canonical, objects
from affwire.model.endpoints import TRIPPED, Endpoint
from affwire.model.health import EndpointHealth
from affwire.rules import breaker
from affwire.services import notices
from affwire.services.actions import found
from affwire.store.health import SAMPLE_MAX
from affwire.store.tx import Tx

FRESH_MS: Final = 60_000
"""Of a healthy endpoint, a success is noted once a minute: a row per minute and endpoint, not per delivery."""
ANEW_MAX: Final = 100
"""What came while a probe was under way is held when the probe fails, up to here; what is more is held when it is due."""
HOUR_MS: Final = 3_600_000
HOPELESS: Final = "five days of failures without a success"


class Went(Struct, frozen=True):
    """How one attempt went for its endpoint. `why` None: it succeeded; `retries`: whether failures are tried again."""

    endpoint_id: str
    why: str | None
    retries: bool


def note(tx: Tx, dialects: Mapping[str, Dialect], attempts: Sequence[Went]) -> None:
    """Take settled attempts into account, in their order."""
    by_endpoint: dict[str, list[Went]] = {}
    for one in attempts:
        by_endpoint.setdefault(one.endpoint_id, []).append(one)
    for endpoint_id, went in sorted(by_endpoint.items(), key=lambda one: one[0]):
        before = tx.health.get(endpoint_id, lock=True)
        after = before
        for one in went:
            after = _moved(after, one, tx.now, tx.world.roll())
        if after.failures_in_row or before.failures_in_row or _stale(before, tx.now):
            _follow(tx, dialects, before, after)


def probe(tx: Tx) -> int:
    """Let one delivery go to each endpoint whose breaker has paused long enough; return how many go."""
    ready = [endpoint_id for endpoint_id, until in tx.health.tripped().items() if until <= tx.now]
    receivers = [one for one in tx.registry.endpoints(ready).values() if one.waits_because is None]
    gone = sum(tx.health.release_probe(one.id, tx.now) for one in receivers)
    if gone:
        tx.wake()
    return gone


def shown(tx: Tx, organization_id: str, endpoint_id: str, hours: int) -> objects.EndpointHealth:
    """Return an endpoint's health over the last hours as a JSON object. Raises NotFound."""
    endpoint = found(tx, Endpoint, organization_id, endpoint_id)
    health, backlog = tx.health.get(endpoint_id), tx.health.backlog(endpoint_id)
    sample = tx.health.sample(organization_id, endpoint_id, tx.now - hours * HOUR_MS)
    return {
        "endpoint_id": endpoint_id,
        "state": state(endpoint, health),
        "hours": hours,
        **_measured(sample),
        "sampled_deliveries_max": SAMPLE_MAX,
        "backlog": {"pending": backlog.pending, "held": backlog.held, "leased": backlog.leased},
        "oldest_due_at": canonical.timed("oldest_due_at", backlog.oldest_due_at),
        "failures_in_row": health.failures_in_row,
        "failing_since": canonical.timed("failing_since_at", health.failing_since),
        "disables_at": canonical.timed("disables_at", _disables_at(endpoint, health)),
        "warned_percent": health.warned_percent if health.warned_percent in breaker.WARNINGS else 0,
        "tripped_until": canonical.timed("tripped_until_at", health.tripped_until),
        "last_success_at": canonical.timed("last_success_at", health.last_success_at),
        "last_failure_at": canonical.timed("last_failure_at", health.last_failure_at),
        "last_error": health.last_error,
    }


def disabled(tx: Tx, dialects: Mapping[str, Dialect], endpoint: Endpoint, reason: str) -> None:
    """Disable an endpoint because of what its far side did, and tell who asked to be told.

    What waits for it is held until its owner enables it. Nothing happens to one that is disabled or deleted already.
    """
    before = tx.registry.endpoints([endpoint.id])[endpoint.id]
    if before.deleted_at is not None or not before.enabled:
        return
    at = max(tx.now, before.updated_at + 1)
    after = structs.replace(before, enabled=False, disabled_reason=reason, disabled_at=tx.now, updated_at=at)
    tx.registry.update(after)
    tx.following.hold(after.id, reason)
    tx.tell("endpoint.disabled", warns=True, id=after.id, reason=reason)
    health = tx.health.get(after.id)
    tx.health.put(structs.replace(health, warned_percent=100, tripped_until=None, trips=0))
    notices.endpoint(tx, dialects, "endpoint.disabled", after, health=health, percent=100)


def _moved(health: EndpointHealth, went: Went, now: int, roll: float) -> EndpointHealth:
    if went.why is None:
        return structs.replace(breaker.succeeded(health, now), warned_percent=health.warned_percent)
    return breaker.failed(health, now, went.why, retries=went.retries, roll=roll)


def _stale(health: EndpointHealth, now: int) -> bool:
    return health.warned_percent > 0 or health.last_success_at is None or now - health.last_success_at >= FRESH_MS


def _follow(tx: Tx, dialects: Mapping[str, Dialect], before: EndpointHealth, after: EndpointHealth) -> None:
    """Store the new health and do what it asks for."""
    endpoint = tx.registry.endpoints([after.endpoint_id])[after.endpoint_id]
    recovered = after.failures_in_row == 0 and after.warned_percent > 0
    percent = breaker.warning(after, tx.now) if endpoint.enabled else None
    warned = 0 if recovered else percent or after.warned_percent
    tx.health.put(structs.replace(after, warned_percent=warned))
    if endpoint.deleted_at is not None:
        return
    if recovered:
        notices.endpoint(tx, dialects, "endpoint.recovered", endpoint, health=after)
    if breaker.hopeless(after, tx.now):
        disabled(tx, dialects, endpoint, HOPELESS)
    elif percent is not None:
        notices.endpoint(tx, dialects, "endpoint.failing", endpoint, health=after, percent=percent)
    _tell(tx, before, after, recovered=recovered)
    _hold_or_release(tx, endpoint.id, before, after)


def _tell(tx: Tx, before: EndpointHealth, after: EndpointHealth, *, recovered: bool) -> None:
    """Log what an operator may look for; the breaker's later trips in a row are none."""
    if after.tripped_until is not None and before.tripped_until is None:
        failures, error = after.failures_in_row, after.last_error
        tx.tell("endpoint.tripped", warns=True, id=after.endpoint_id, failures_in_row=failures, last_error=error)
    elif recovered or (after.tripped_until is None and before.tripped_until is not None):
        tx.tell("endpoint.recovered", id=after.endpoint_id, failures_in_row=before.failures_in_row)


def _hold_or_release(tx: Tx, endpoint_id: str, before: EndpointHealth, after: EndpointHealth) -> None:
    if tx.registry.endpoints([endpoint_id])[endpoint_id].waits_because is not None:
        return
    if breaker.is_open(after, tx.now) and before.tripped_until is None:
        tx.following.hold(endpoint_id, TRIPPED)
    elif breaker.is_open(after, tx.now):
        tx.following.hold_due(endpoint_id, TRIPPED, limit=ANEW_MAX)
    elif after.tripped_until is None and before.tripped_until is not None:
        tx.following.release(endpoint_id)
        tx.wake()


def state(endpoint: Endpoint, health: EndpointHealth) -> objects.EndpointState:
    """Return what an endpoint is shown as."""
    if not endpoint.enabled:
        return "disabled"
    if endpoint.paused:
        return "paused"
    if health.tripped_until is not None:
        return "tripped"
    return "failing" if health.failures_in_row else "healthy"


def _disables_at(endpoint: Endpoint, health: EndpointHealth) -> int | None:
    failing = endpoint.enabled and health.failing_since is not None
    return health.failing_since + breaker.DISABLE_AFTER_MS if failing and health.failing_since is not None else None


def _measured(sample: Sequence[tuple[str, int]]) -> objects.Measured:
    """Return counts, the rate of success (null without an attempt) and percentiles of the answers' times."""
    ok, failed, unknown = (sum(outcome == name for outcome, _ in sample) for name in ("ok", "failed", "unknown"))
    times = sorted(ms for outcome, ms in sample if outcome != "unknown")
    return {
        "attempts": {"ok": ok, "failed": failed, "unknown": unknown},
        "success_rate": round(ok / (ok + failed), 4) if ok + failed else None,
        "p50_ms": _percentile(times, 50),
        "p95_ms": _percentile(times, 95),
    }


def _percentile(times: Sequence[int], nth: int) -> int | None:
    return times[(len(times) - 1) * nth // 100] if times else None
