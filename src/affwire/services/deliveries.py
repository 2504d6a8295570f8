"""Deliveries: claimed in fair batches, settled with their attempt, ended leases taken back, replayed, cancelled."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, structs

from affwire.dialects.base import Attempt as Try
from affwire.dialects.base import Dialect, Recipient
from affwire.errors import Broken, Conflict, NotFound
from affwire.model.deliveries import REPLAY, AttemptRecord, Delivery
from affwire.model.endpoints import DELETED, Endpoint
from affwire.model.events import Event
from affwire.model.wire import Headers
from affwire.rules import delivery as verdicts
from affwire.rules.retry import Policy
from affwire.services import endpoints, health, notices, quarantine
from affwire.services.dealing import NEVER, Room, Table
from affwire.services.health import Went
from affwire.services.notices import Lost
from affwire.store.queued import Lease, Settlement, Share, Work
from affwire.store.tx import Tx

GONE: Final = "the endpoint answered 410 Gone"
BUSY_MS: Final = 5
"""When to look again at endpoints for which another process is claiming: its transaction takes about so long."""
SKEW_MS_MIN: Final = 20
"""Clocks that differ by less are taken for one: so much may pass between two looks."""
NONE: Final[Mapping[str, Dialect]] = {}


class Claim(Struct, frozen=True):
    """A leased delivery with everything needed to send it. `dialect` None: it is not installed."""

    delivery: Delivery
    event: Event
    endpoint: Endpoint
    recipient: Recipient
    headers: Headers
    policy: Policy
    attempt: Try


class Batch(Struct, frozen=True):
    """What a claim brought, and when the next delivery is due (ms, by this machine's clock; None: none is waiting)."""

    claims: tuple[Claim, ...]
    next_due_at: int | None
    following: bool = False
    """Whether rows have to follow what was decided about all that waits for an endpoint."""


class Result(Struct, frozen=True):
    """How a claimed delivery went: the verdict and the attempt on record."""

    claim: Claim
    verdict: verdicts.Verdict
    attempt: AttemptRecord


View = tuple[Recipient, Headers]
"""An endpoint with its secrets in clear, and its owner's extra headers."""


def claim(
    tx: Tx,
    dialects: Mapping[str, Dialect],
    *,
    worker: str,
    limit: int,
    room: Room,
    served: Mapping[str, int] = NEVER,
) -> Batch:
    """Lease up to `limit` due deliveries, fairly over organizations and endpoints, each endpoint up to its `room`.

    Of one endpoint's, first tries go before retries, and retries before replays, none of which starves. `served`: when
    (ms) each endpoint last got a place.
    """
    work = tx.outbox.work()
    ready = {one.endpoint_id: one for one in work if one.due_at <= tx.now}
    if not ready:  # as after most answers
        return Batch((), min(one.due_at for one in work) - tx.skew_ms if work else None, tx.following.any())
    table = Table(tx, dialects, ready, room, served)
    shares = table.shares(limit)
    views = _opened(tx, [table.endpoints[endpoint_id] for endpoint_id in shares])
    until = {endpoint_id: tx.now + table.policies[endpoint_id].lease_ms for endpoint_id in views}
    due = tx.outbox.due([_share(tx, ready[endpoint_id], shares[endpoint_id]) for endpoint_id in views], now=tx.now)
    leases = [Lease(row, until[row.endpoint_id], tx.world.new_id("attempt")) for row in due]
    rows = tx.outbox.lease(leases, now=tx.now, worker=worker)
    future = [one.due_at for one in work if one.due_at > tx.now] + [tx.now + BUSY_MS] * table.contested
    next_due_at = min(future) - tx.skew_ms if future else None
    return Batch(_claims(tx, rows, table.endpoints, views, table.policies), next_due_at, tx.following.any())


def settle(tx: Tx, dialects: Mapping[str, Dialect], results: Sequence[Result]) -> list[bool]:
    """Write verdicts and attempts; for each, whether its claim still held (if not, nothing was changed)."""
    receivers = tx.registry.endpoints(sorted({result.claim.endpoint.id for result in results}), lock=True)
    gone = {result.claim.endpoint.id for result in results if isinstance(result.verdict, verdicts.Gone)}
    for endpoint_id in sorted(gone):  # an endpoint is locked before its deliveries, here as everywhere
        tx.registry.get(Endpoint, receivers[endpoint_id].organization_id, endpoint_id, lock=True)
    settlements = [_settlement(tx, result, receivers[result.claim.endpoint.id]) for result in results]
    written = tx.outbox.settle(settlements, tx.now)
    fitting = [result for result, fits in zip(results, written, strict=True) if fits]
    for endpoint_id in sorted({one.claim.endpoint.id for one in fitting if isinstance(one.verdict, verdicts.Gone)}):
        health.disabled(tx, dialects, receivers[endpoint_id], GONE)  # which holds what was settled just now, too
        receivers |= tx.registry.endpoints([endpoint_id])
    health.note(tx, dialects, [went for went in map(_went, fitting) if went is not None])
    dead = [(one.claim, one.verdict.why) for one in fitting if isinstance(one.verdict, verdicts.Dead)]
    lost = [Lost(receivers[claim.endpoint.id], claim.delivery, claim.event, why) for claim, why in dead]
    notices.exhausted(tx, dialects, lost)
    return written


def take_back(tx: Tx, dialects: Mapping[str, Dialect] = NONE, *, expired_only: bool) -> int:
    """End leases whose holder is gone: the attempt is recorded as `unknown`, costs no step, and is due again.

    What was cut off time after time goes into quarantine (F13). `expired_only` False is for the start of an embedded
    server, when every lease is of an earlier instance (F4).
    """
    leases = tx.outbox.leases(expired_at=tx.now if expired_only else None)
    receivers = tx.registry.endpoints(sorted({delivery.endpoint_id for delivery in leases}), lock=True)
    cuts = quarantine.cuts(tx, leases)
    ended = [
        quarantine.settlement(one, cut, _onward(receivers[one.endpoint_id], quarantine.due_at(tx, cut)), tx.now)
        for one, cut in ((one, cuts[one.id]) for one in leases)
    ]
    tx.outbox.settle(ended, tx.now)
    quarantine.tell(tx, dialects, receivers, ended)
    if leases:
        tx.wake()
    return len(leases)


def return_parked(tx: Tx, dialects: Mapping[str, Dialect], organization_ids: Sequence[str]) -> int:
    """Release deliveries that were parked because their dialect was missing and now is there; return for how many endpoints."""
    tripped, released = tx.health.tripped(), 0
    for organization_id in organization_ids:
        for endpoint in tx.registry.find(Endpoint, organization_id):
            if endpoint.waits_because is None and endpoint.dialect in dialects and endpoint.id not in tripped:
                released += tx.following.release(endpoint.id)
    return released


def replay(tx: Tx, organization_id: str, delivery_id: str) -> Delivery:
    """Send a delivery again: same id, same event id, attempts counted on, a new round of its schedule.

    One that waits for its next try is tried now; any other goes behind first tries. Raises NotFound, Conflict for one
    that is under way or held, or whose endpoint is gone.
    """
    delivery = get(tx, organization_id, delivery_id, lock=True)
    endpoint = tx.registry.endpoints([delivery.endpoint_id])[delivery.endpoint_id]
    check_replay(tx, delivery, endpoint)
    waits = endpoint.waits_because
    again = structs.replace(
        delivery,
        status="held" if waits else "pending",
        reason=waits,
        due_at=tx.now if _may_go(tx, delivery) else None,
        steps=delivery.steps if delivery.status == "pending" else 0,
        settled_at=None,
        priority=delivery.priority if delivery.status == "pending" else REPLAY,
    )
    tx.outbox.put(again)
    tx.wake()
    return again


def check_replay(tx: Tx, delivery: Delivery, endpoint: Endpoint) -> None:
    """Raise Conflict for a delivery that cannot be sent again as it stands: it is under way or held, or nobody is there."""
    if endpoint.deleted_at is not None:
        raise Conflict(
            "endpoint_deleted", f"The endpoint {endpoint.id} of {delivery.id} was deleted; there is nowhere to send it."
        )
    if delivery.status == "leased":
        raise Conflict("delivery_leased", f"{delivery.id} is under way just now; look again in a moment.")
    if delivery.status == "held":
        raise Conflict("delivery_held", f"{delivery.id} is held: {delivery.reason}. It goes on when the endpoint does.")
    if delivery.status != "pending" and tx.log.erased([delivery.event_id]):
        raise Conflict("affiliate_erased", f"The affiliate of {delivery.id} was erased; there is nothing left to say.")


def cancel(tx: Tx, organization_id: str, delivery_id: str) -> Delivery:
    """End a delivery that waits. Raises NotFound, Conflict for one that is under way or has ended."""
    delivery = get(tx, organization_id, delivery_id, lock=True)
    if delivery.status not in {"pending", "held"}:
        raise Conflict(
            "not_waiting", f"{delivery.id} is {delivery.status}; only a pending or held delivery can be cancelled."
        )
    cancelled = structs.replace(
        delivery, status="cancelled", reason="cancelled by its owner", due_at=None, settled_at=tx.now
    )
    tx.outbox.put(cancelled)
    tx.outbox.release_lane(delivery, tx.now)
    tx.wake()
    return cancelled


def get(tx: Tx, organization_id: str, delivery_id: str, *, lock: bool = False) -> Delivery:
    """Return a delivery, with `lock` ours until the commit; raises NotFound."""
    delivery = tx.outbox.get(organization_id, delivery_id, lock=lock)
    if delivery is None:
        raise NotFound("delivery_not_found", f"There is no delivery {delivery_id} in this organization.")
    return delivery


def _may_go(tx: Tx, delivery: Delivery) -> bool:
    """Return whether nothing is before a delivery in its lane: the head of a lane is the one that has a due time."""
    return delivery.due_at is not None if delivery.status == "pending" else not tx.outbox.must_wait(delivery)


def _opened(tx: Tx, receivers: Sequence[Endpoint]) -> dict[str, View]:
    """Return endpoints in clear. One that cannot be opened is parked: its secret is its owner's to give anew."""
    views: dict[str, View] = {}
    for endpoint in receivers:
        try:
            views[endpoint.id] = endpoints.recipient(tx, endpoint)
        except Broken as error:
            tx.following.hold(
                endpoint.id, f"a secret of the endpoint cannot be opened ({error.code}); give it a new one"
            )
    return views


def _share(tx: Tx, work: Work, limit: int) -> Share:
    priorities = work.priorities(tx.now)
    return Share(work.endpoint_id, limit, priorities, tx.world.roll() if len(priorities) > 1 else 0.0)


def _claims(
    tx: Tx,
    rows: Sequence[Delivery],
    receivers: Mapping[str, Endpoint],
    views: Mapping[str, View],
    policies: Mapping[str, Policy],
) -> tuple[Claim, ...]:
    events = tx.log.by_ids(sorted({row.event_id for row in rows}))
    return tuple(
        Claim(
            row,
            events[row.event_id],
            receivers[row.endpoint_id],
            *views[row.endpoint_id],
            policies[row.endpoint_id],
            Try(row.attempt_id or "", row.attempts, tx.now),
        )
        for row in rows
    )


def _went(result: Result) -> Went | None:
    """Return what a result says about its endpoint; None for what is our own doing."""
    attempt, verdict, policy = result.attempt, result.verdict, result.claim.policy
    if attempt.error in {"encode", "cut", "dialect_missing"} or isinstance(verdict, verdicts.Unknown):
        return None
    told = f"HTTP {attempt.status_code}" if attempt.status_code else attempt.error or "failed"
    why = None if isinstance(verdict, verdicts.Delivered) else told
    return Went(result.claim.endpoint.id, why, bool(policy.retry_schedule))


def _settlement(tx: Tx, result: Result, endpoint: Endpoint) -> Settlement:
    claim, verdict, attempt = result.claim, result.verdict, _by_the_databases_clock(tx, result.attempt)
    steps = claim.delivery.steps
    match verdict:
        case verdicts.Delivered():
            return Settlement(claim.delivery, "delivered", None, None, steps, attempt)
        case verdicts.Dead(why):
            status = "cancelled" if endpoint.deleted_at is not None else "exhausted"
            return Settlement(claim.delivery, status, why if status == "exhausted" else DELETED, None, steps, attempt)
        case verdicts.Retry(at) | verdicts.Unheard(at):
            status, reason, due_at = _onward(endpoint, at + tx.skew_ms)
            used = steps + isinstance(verdict, verdicts.Retry)
            return Settlement(claim.delivery, status, reason, due_at, used, attempt)
        case verdicts.Gone() | verdicts.Unknown():
            status, reason, due_at = _onward(endpoint, tx.now)
            return Settlement(claim.delivery, status, reason, due_at, steps, attempt)


def _by_the_databases_clock(tx: Tx, attempt: AttemptRecord) -> AttemptRecord:
    """Return an attempt with its end by the clock by which it began; with many machines that is not this one's."""
    if abs(tx.skew_ms) < SKEW_MS_MIN:
        return attempt
    return structs.replace(attempt, ended_at=max(attempt.ended_at + tx.skew_ms, attempt.started_at))


def _onward(endpoint: Endpoint, due_at: int) -> tuple[str, str | None, int | None]:
    """Return status, reason and due time of a delivery that is to be tried again."""
    if endpoint.deleted_at is not None:
        return "cancelled", DELETED, None
    waits = endpoint.waits_because
    return "held" if waits else "pending", waits, due_at
