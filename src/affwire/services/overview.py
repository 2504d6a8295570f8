"""The overview: how an organization's deliveries fare just now, in a few figures, and what needs somebody.

Reading only; made of bounded samples, so that it takes as long with a million deliveries as with a hundred.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from affwire.model.endpoints import Endpoint
from affwire.model.health import EndpointHealth
from affwire.store.tx import Tx

HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
MINUTES: Final = 60
DAY_MS: Final = 24 * HOUR_MS


class Need(Struct, frozen=True):
    """An endpoint that somebody should look at: its state, since when (ms) and why."""

    endpoint: Endpoint
    state: str
    since: int | None
    why: str | None
    held: int


class Overview(Struct, frozen=True, kw_only=True):
    """Figures of the last hour, but `exhausted`: of the last day. Times in ms, None where nothing was measured.

    `series`: for ok, failed and unknown, the attempts of each of the last MINUTES minutes, the oldest first.
    """

    delivered: int
    attempts: int
    p50_ms: int | None
    p95_ms: int | None
    oldest_due_at: int | None
    waiting: int
    held: int
    retrying: int
    exhausted: int
    series: dict[str, list[int]]
    needs: list[Need]
    endpoints: int


def of(tx: Tx, organization_id: str) -> Overview:
    """Return the overview of an organization as of now."""
    since = tx.now - HOUR_MS
    receivers = tx.registry.find(Endpoint, organization_id)
    backlogs = {one.id: tx.health.backlog(one.id) for one in receivers}
    attempts = tx.browse.attempts(organization_id, since)
    took = tx.browse.times_to_ack(organization_id, since)
    due = [one.oldest_due_at for one in backlogs.values() if one.oldest_due_at is not None]
    needs = [_need(one, tx.health.get(one.id), backlogs[one.id].held) for one in receivers]
    return Overview(
        delivered=len(took),
        attempts=len(attempts),
        p50_ms=_percentile(took, 50),
        p95_ms=_percentile(took, 95),
        oldest_due_at=min((at for at in due if at <= tx.now), default=None),
        waiting=sum(one.pending + one.leased for one in backlogs.values()),
        held=sum(one.held for one in backlogs.values()),
        retrying=tx.browse.retrying([one.id for one in receivers]),
        exhausted=tx.browse.lost(organization_id, tx.now - DAY_MS),
        series=_series(attempts, tx.now),
        needs=[need for need in needs if need is not None],
        endpoints=len(receivers),
    )


def _series(attempts: Sequence[tuple[int, str]], now: int) -> dict[str, list[int]]:
    first = now // MINUTE_MS - MINUTES + 1
    series = {outcome: [0] * MINUTES for outcome in ("ok", "failed", "unknown")}
    for ended_at, outcome in attempts:
        minute = ended_at // MINUTE_MS - first
        if 0 <= minute < MINUTES:
            series[outcome][minute] += 1
    return series


def _need(endpoint: Endpoint, health: EndpointHealth, held: int) -> Need | None:
    if not endpoint.enabled:
        reason = endpoint.disabled_reason
        return Need(endpoint, "disabled", endpoint.disabled_at, reason, held) if reason else None
    if health.tripped_until is not None:
        return Need(endpoint, "tripped", health.failing_since, health.last_error, held)
    if endpoint.paused:
        return Need(endpoint, "paused", None, None, held)
    if health.failures_in_row:
        return Need(endpoint, "failing", health.failing_since, health.last_error, held)
    return None


def _percentile(times: Sequence[int], nth: int) -> int | None:
    return times[(len(times) - 1) * nth // 100] if times else None
