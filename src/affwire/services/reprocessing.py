"""Many messages once more: those that match are put in line step by step, as a job, so that nobody waits for them."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import structs

from affwire.dialects.base import Dialect
from affwire.errors import Conflict
from affwire.model.inbound import Kept, Source
from affwire.model.jobs import Extent, Job
from affwire.services import inbox
from affwire.services.actions import found
from affwire.store.tx import Tx

SCAN_MAX: Final = 200
"""Messages that one step looks at: some milliseconds of the writer's time."""
STATUS_DEFAULT: Final = "parked"
"""What is processed once more unless a status is named: what could not be carried out."""
_MARKS: Final = ("source_id", "dialect", "word", "affiliate_id")


def extent(tx: Tx, organization_id: str, wish: Mapping[str, Any], shown: Extent | None = None) -> Extent:
    """Count the messages that match a wish (status, source_id, word, since, until) and fix them. Raises NotFound.

    A wish may hold dialect and affiliate_id, too. `shown`: what was counted before; then what of that is left.
    """
    if wish.get("source_id"):
        found(tx, Source, organization_id, wish["source_id"])
    bounds = shown or Extent(total=0, last=tx.inbox.last_position(), as_of=tx.now)
    filters = {name: wish.get(name) for name in (*_MARKS, "since", "until")}
    total = tx.inbox.count(organization_id, _status(wish), extent=bounds, **filters)
    return structs.replace(bounds, total=total)


def step(tx: Tx, dialects: Mapping[str, Dialect], job: Job, limit: int) -> tuple[Job, int]:
    """Put up to `limit` messages of a job in line; return the job so much further on and how many they were."""
    rows = _span(tx, job)
    cursor, done, skipped = job.cursor, 0, 0
    most = min(limit, job.total - job.done)
    for row in rows:
        if done == most:
            break
        cursor = row.position
        if not _matches(row, job.request):
            continue
        try:
            inbox.reprocess(tx, job.organization_id, dialects, row.id)
            done += 1
        except Conflict:  # erased, or it repeats one that was taken in meanwhile, or its dialect is gone
            skipped += 1
    moved = job.moved(cursor=cursor, done=done, skipped=skipped)
    seen = len(rows) < SCAN_MAX and (not rows or cursor == rows[-1].position)
    return (moved.finished(tx.now) if seen or moved.done == moved.total else moved), done


def _span(tx: Tx, job: Job) -> list[Kept]:
    """Return the next messages, the oldest first, of those that were there when the job was made."""
    source_id = job.request.get("source_id")
    rows = tx.inbox.page(job.organization_id, before=job.cursor, limit=SCAN_MAX, descending=False, source_id=source_id)
    return [row for row in rows if row.position <= job.request["last"]]


def _matches(row: Kept, wish: Mapping[str, Any]) -> bool:
    """Return whether a message is one of those that were counted: what was settled since then is not."""
    since, until = wish.get("since"), wish.get("until")
    return (
        row.status == _status(wish)
        and (row.settled_at or 0) <= wish["as_of"]
        and all(wish.get(name) in {None, getattr(row, name)} for name in _MARKS)
        and (since is None or row.received_at >= since)
        and (until is None or row.received_at < until)
    )


def _status(wish: Mapping[str, Any]) -> str:
    return str(wish.get("status") or STATUS_DEFAULT)
