"""Jobs: many deliveries sent again by filter, or all that an endpoint missed; step by step, so that nobody waits for them.

A step is one small transaction. Its cursor is committed with what it did, so a restart repeats nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import structs

from affwire.dialects.base import Dialect
from affwire.errors import Conflict, NotFound
from affwire.model.deliveries import Delivery
from affwire.model.endpoints import Endpoint
from affwire.model.jobs import Extent, Job, JobKind
from affwire.services import deliveries, journal, recovery, reprocessing
from affwire.services.actions import found
from affwire.store.browse import Wanted
from affwire.store.tx import Tx

RUNNING_MAX: Final = 10
"""Jobs of one organization at a time: each wants its share of the writer."""
SCAN_MAX: Final = 200
"""Rows that one step looks at: some milliseconds of the writer's time."""
RATE_DEFAULT: Final = 100
"""Deliveries a second that a job makes due, unless it is told otherwise: below what a common receiver takes."""
STEP_MS: Final = 100
"""A job's deliveries of so long are made due together: a tenth of a second's worth, at least one."""
REPLAYED: Final = ("exhausted", "cancelled")
"""What a replay without a status sends again: what did not arrive."""
NARROWING: Final = ("dialect", "type", "outcome")
"""Parts of a wish that the console's facets have beside the API's filters."""
RETRYING: Final = "retrying"
"""A status that a wish may name: pending, and tried before."""
UNSHOWN: Final = frozenset({"last", "as_of"})
"""Parts of a job's request that are its extent, not its owner's wish."""


def extent(tx: Tx, organization_id: str, wish: Mapping[str, Any], shown: Extent | None = None) -> Extent:
    """Count the deliveries that match a wish (status, endpoint_id, event_id, since, until) and can go again, and fix them.

    A wish may hold NARROWING, too, and the status RETRYING. `shown`: what was counted before; then what of that is left.

    Raises NotFound for an endpoint or an event that is not there.
    """
    if wish.get("endpoint_id"):
        found(tx, Endpoint, organization_id, wish["endpoint_id"])
    if wish.get("event_id"):
        journal.entry(tx, organization_id, wish["event_id"])
    bounds = shown or Extent(total=0, last=tx.jobs.last_position(), as_of=tx.now)
    counts = {
        status: tx.jobs.count(organization_id, status, extent=bounds, marks=_marks(wish), **_columns(wish))
        for status in _statuses(wish)
    }
    return structs.replace(bounds, total=sum(counts.values()), arrived=counts.get("delivered", 0))


def start_replay(tx: Tx, organization_id: str, wish: Mapping[str, Any], counted: Extent) -> Job:
    """Start sending again what was counted for a wish. Raises Conflict("too_many_jobs")."""
    return _start(tx, organization_id, "replay", dict(wish), counted)


def start_recovery(tx: Tx, organization_id: str, endpoint_id: str, wish: Mapping[str, Any], counted: Extent) -> Job:
    """Start telling an endpoint what it missed of the events from `since` to `until` (ms), as `recovery` counted it.

    Raises NotFound, Conflict("endpoint_disabled") if its owner disabled it, Conflict("too_many_jobs").
    """
    recovery.receiver(tx, organization_id, endpoint_id)
    return _start(tx, organization_id, "recover", {**wish, "endpoint_id": endpoint_id}, counted)


def start_reprocessing(tx: Tx, organization_id: str, wish: Mapping[str, Any], counted: Extent) -> Job:
    """Start putting in line what was counted of messages for a wish. Raises Conflict("too_many_jobs")."""
    return _start(tx, organization_id, "reprocess", dict(wish), counted)


def in_turn(tx: Tx, dialects: Mapping[str, Dialect], organization_id: str, job_id: str) -> Job:
    """Do a job's next step at its rate and return it; one whose step is not yet due, by any process, is left alone."""
    tx.hold(organization_id)
    job = get(tx, organization_id, job_id)
    if job.status != "running" or (job.due_at or 0) > tx.now:
        return job
    rate = job.request.get("rate_per_second") or RATE_DEFAULT
    moved, sent = _stepped(tx, dialects, job, max(1, round(rate * STEP_MS / 1000)))
    return _kept(tx, structs.replace(moved, due_at=tx.now + round(sent / rate * 1000)), sent)


def step(tx: Tx, dialects: Mapping[str, Dialect], organization_id: str, job_id: str, limit: int) -> tuple[Job, int]:
    """Do up to `limit` deliveries of a job and return it and how many were made due; a finished job does nothing."""
    tx.hold(organization_id)
    job = get(tx, organization_id, job_id)
    if job.status != "running":
        return job, 0
    moved, sent = _stepped(tx, dialects, job, limit)
    return _kept(tx, moved, sent), sent


def _stepped(tx: Tx, dialects: Mapping[str, Dialect], job: Job, limit: int) -> tuple[Job, int]:
    match job.kind:
        case "replay":
            return _replayed(tx, job, limit)
        case "recover":
            return recovery.step(tx, dialects, job, limit)
        case "reprocess":
            return reprocessing.step(tx, dialects, job, limit)


def _kept(tx: Tx, moved: Job, sent: int) -> Job:
    if sent:
        tx.wake()
    after = structs.replace(moved, updated_at=tx.now)
    tx.jobs.update(after)
    return after


def fail(tx: Tx, organization_id: str, job_id: str, reason: str) -> None:
    """End a job that cannot go on."""
    tx.hold(organization_id)
    job = get(tx, organization_id, job_id)
    if job.status == "running":
        tx.jobs.update(structs.replace(job, status="failed", reason=reason, updated_at=tx.now, finished_at=tx.now))


def cancel(tx: Tx, organization_id: str, job_id: str) -> Job:
    """Stop a job; what it has made due stays so. Raises NotFound, Conflict("job_finished")."""
    job = get(tx, organization_id, job_id)
    if job.status != "running":
        raise Conflict("job_finished", f"{job.id} is {job.status}; only a running job can be cancelled.")
    after = structs.replace(
        job, status="cancelled", reason="cancelled by its owner", updated_at=tx.now, finished_at=tx.now
    )
    tx.jobs.update(after)
    tx.tell("job.cancelled", id=job.id, kind=job.kind, done=job.done, total=job.total)
    return after


def get(tx: Tx, organization_id: str, job_id: str) -> Job:
    """Return a job; raises NotFound."""
    job = tx.jobs.get(organization_id, job_id)
    if job is None:
        raise NotFound("job_not_found", f"There is no job {job_id} in this organization.")
    return job


def _start(tx: Tx, organization_id: str, kind: JobKind, wish: dict[str, Any], counted: Extent) -> Job:
    running = [job for job in tx.jobs.running() if job.organization_id == organization_id]
    if len(running) >= RUNNING_MAX:
        raise Conflict(
            "too_many_jobs", f"{RUNNING_MAX} jobs of this organization run already; wait for one, or cancel one."
        )
    job = Job(
        id=tx.world.new_id("job"),
        organization_id=organization_id,
        kind=kind,
        request={**wish, "last": counted.last, "as_of": counted.as_of},
        cursor=counted.after,
        total=counted.total,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.jobs.insert(job)
    tx.tell("job.started", id=job.id, kind=kind, total=job.total)
    tx.wake()
    return job


def _replayed(tx: Tx, job: Job, limit: int) -> tuple[Job, int]:
    wish = job.request
    rows = tx.jobs.span(
        job.organization_id, endpoint_id=wish.get("endpoint_id"), after=job.cursor, last=wish["last"], limit=SCAN_MAX
    )
    cursor, done, skipped = job.cursor, 0, 0
    most = min(limit, job.total - job.done)
    marked = _marked(tx, job, rows)
    for row in rows:
        if done == most:
            break
        cursor = row.position
        if not _matches(row, wish) or row.position not in marked:
            continue
        try:
            deliveries.replay(tx, job.organization_id, row.id)
            done += 1
        except Conflict:  # its endpoint is gone, its affiliate erased, or it is under way
            skipped += 1
    moved = job.moved(cursor=cursor, done=done, skipped=skipped)
    seen = len(rows) < SCAN_MAX and (not rows or cursor == rows[-1].position)
    return (moved.finished(tx.now) if seen or moved.done == moved.total else moved), done


def _matches(row: Delivery, wish: Mapping[str, Any]) -> bool:
    """Return whether a row is one of those that were counted: what was tried or has ended since then is not."""
    since, until, as_of = wish.get("since"), wish.get("until"), wish["as_of"]
    moved_at = row.leased_at if row.status == "pending" else row.settled_at
    return (
        row.status in _statuses(wish)
        and (moved_at is None or moved_at <= as_of)
        and (wish.get("event_id") in {None, row.event_id})
        and (since is None or row.created_at >= since)
        and (until is None or row.created_at < until)
    )


def _marked(tx: Tx, job: Job, rows: Sequence[Delivery]) -> set[int]:
    """Return the positions of the rows that have the marks of a wish; most wishes name none."""
    marks, positions = _marks(job.request), [row.position for row in rows]
    if marks is None:
        return set(positions)
    return {one.delivery.position for one in tx.browse.deliveries_by_position(job.organization_id, positions, marks)}


def _marks(wish: Mapping[str, Any]) -> Wanted | None:
    """Return what a wish asks for beyond columns of the delivery itself."""
    marks = {name: wish[name] for name in NARROWING if wish.get(name)}
    status = RETRYING if wish.get("status") == RETRYING else None
    return Wanted(status=status, **marks) if marks or status else None


def _statuses(wish: Mapping[str, Any]) -> tuple[str, ...]:
    if wish.get("status") == RETRYING:
        return ("pending",)
    return (wish["status"],) if wish.get("status") else REPLAYED


def _columns(wish: Mapping[str, Any]) -> dict[str, Any]:
    return {name: wish.get(name) for name in ("endpoint_id", "event_id", "since", "until")}
