"""Recovery: telling an endpoint what it missed. What was not delivered goes again; what it was never told is said now.

Never told: the endpoint was created later, was disabled by its owner, or did not want then what it wants now. Deliveries
that are no longer on record (they ended before the retention period) are left alone: they may have arrived.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, structs

from affwire.dialects.base import Dialect
from affwire.errors import Conflict
from affwire.model.deliveries import REPLAY, Delivery
from affwire.model.endpoints import Endpoint
from affwire.model.jobs import Extent, Job
from affwire.services import deliveries, events, journal
from affwire.services.actions import found
from affwire.store.log import Entry
from affwire.store.tx import Tx

LOST: Final = frozenset({"exhausted", "cancelled"})
SCAN_MAX: Final = 100
"""Events that one step looks at: each may hold a snapshot of some KiB."""


class Missed(Struct, frozen=True):
    """What an endpoint missed of one event: deliveries to send again, and new ones to make."""

    again: tuple[Delivery, ...] = ()
    new: tuple[Delivery, ...] = ()


def receiver(tx: Tx, organization_id: str, endpoint_id: str) -> Endpoint:
    """Return the endpoint to recover. Raises NotFound, Conflict("endpoint_disabled")."""
    endpoint = found(tx, Endpoint, organization_id, endpoint_id)
    if endpoint.silent_because is not None:
        raise Conflict("endpoint_disabled", f"{endpoint.id} was disabled by its owner; enable it before recovering it.")
    return endpoint


class Count(Struct, frozen=True, kw_only=True):
    """How much an endpoint missed: deliveries to send `again` and `new` ones, among the events up to `seen`.

    Counting takes several looks, so that none of them is long; `extent.total` is the sum when `seen` is None.
    """

    endpoint: Endpoint
    extent: Extent
    seen: int | None
    again: int = 0
    new: int = 0


def begin(
    tx: Tx, organization_id: str, endpoint_id: str, wish: Mapping[str, Any], shown: Extent | None = None
) -> Count:
    """Return the empty count of a wish (since, until): what happens from now on is left alone. Raises as `receiver`.

    `shown`: what was counted before; then what of that is left.
    """
    endpoint = receiver(tx, organization_id, endpoint_id)
    first, last = tx.log.span(organization_id, since=wish.get("since"), until=wish.get("until"))
    bounds = shown or Extent(total=0, last=last, as_of=tx.now)
    return Count(endpoint=endpoint, extent=structs.replace(bounds, total=0, after=first - 1), seen=first - 1)


def look(tx: Tx, dialects: Mapping[str, Dialect], wish: Mapping[str, Any], count: Count) -> Count:
    """Return the count after one more look, at SCAN_MAX events."""
    extent, endpoint = count.extent, count.endpoint
    entries = _span(tx, endpoint.organization_id, extent.last, count.seen or 0)
    missed = [_missed(tx, dialects, endpoint, entry, extent.as_of) for entry in _sayable(tx, entries, wish)]
    again, new = sum(len(one.again) for one in missed), sum(len(one.new) for one in missed)
    return structs.replace(
        count,
        extent=structs.replace(extent, total=extent.total + again + new),
        seen=_end(entries),
        again=count.again + again,
        new=count.new + new,
    )


def step(tx: Tx, dialects: Mapping[str, Dialect], job: Job, limit: int) -> tuple[Job, int]:
    """Recover the next events of a job until `limit` deliveries are due again; return the job and how many are."""
    endpoint = receiver(tx, job.organization_id, job.request["endpoint_id"])
    entries = _span(tx, job.organization_id, job.request["last"], job.cursor)
    sayable = {entry.event.id for entry in _sayable(tx, entries, job.request)}
    cursor, sent = job.cursor, 0
    for entry in entries:
        if sent >= limit:
            break
        cursor = int(entry.event.position or 0)
        if entry.event.id not in sayable:
            continue
        sent += _told(tx, entry, endpoint, _missed(tx, dialects, endpoint, entry, job.request["as_of"]))
    moved = job.moved(cursor=cursor, done=sent, skipped=0)
    if not entries or (_end(entries) is None and cursor == entries[-1].event.position):
        return moved.finished(tx.now), sent
    return moved, sent


def _span(tx: Tx, organization_id: str, last: int, after: int) -> list[Entry]:
    entries = tx.log.page(organization_id, after=after, limit=SCAN_MAX)
    return [entry for entry in entries if int(entry.event.position or 0) <= last]


def _end(entries: Sequence[Entry]) -> int | None:
    return int(entries[-1].event.position or 0) if len(entries) == SCAN_MAX else None


def _sayable(tx: Tx, entries: Sequence[Entry], wish: Mapping[str, Any]) -> list[Entry]:
    """Return the events that a wish is about and that are not of a person who is, or is to be, erased."""
    wanted = [entry for entry in entries if _within(entry, wish)]
    erased = tx.log.erased([entry.event.id for entry in wanted])
    return [entry for entry in wanted if entry.event.id not in erased]


def _within(entry: Entry, wish: Mapping[str, Any]) -> bool:
    since, until, at = wish.get("since"), wish.get("until"), entry.event.occurred_at
    return (since is None or at >= since) and (until is None or at < until)


def _missed(tx: Tx, dialects: Mapping[str, Dialect], endpoint: Endpoint, entry: Entry, as_of: int) -> Missed:
    """Return what is missing of an event. What was lost after `as_of` (ms) is left alone: it was tried since then."""
    known = [row for row in tx.outbox.of_event(entry.event.id) if row.endpoint_id == endpoint.id]
    if known:
        return Missed(again=tuple(row for row in known if row.status in LOST and (row.settled_at or 0) <= as_of))
    if journal.untold(entry, endpoint) is None:
        return Missed()
    return Missed(new=tuple(events.addressed(tx, dialects, endpoint, entry.event)))


def _told(tx: Tx, entry: Entry, endpoint: Endpoint, missed: Missed) -> int:
    for row in missed.again:
        deliveries.replay(tx, endpoint.organization_id, row.id)
    if missed.new:
        tx.outbox.add([structs.replace(row, priority=REPLAY) for row in missed.new])
        tx.log.unsilence(entry, endpoint.id)
    return len(missed.again) + len(missed.new)
