"""Quarantine: what was under way at one crash after another is tried apart from the rest, and in the end no more.

What only happened to be under way beside it must not share its end: from the second time on, all of them are spread
over a while, so that at the next crash fewer and fewer are there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from affwire.dialects.base import Dialect
from affwire.model.deliveries import AttemptRecord, Delivery
from affwire.model.endpoints import Endpoint
from affwire.services import notices
from affwire.services.notices import Lost
from affwire.store.queued import Settlement
from affwire.store.tx import Tx

CUTS_MAX: Final = 8
"""Crashes in a row that one delivery may be under way at: more than a bad day, fewer than a loop without an end."""
SPREAD_MS: Final = 10_000
"""How long what was there twice waits at most, and half of it at least; twice as long at each further time. So it takes
five minutes and more of crashes, each while it was under way, until it ends: no bystander is there that often."""
_CUT: Final = "affwire stopped while this was under way; whether it arrived is not known"

Onward = tuple[str, str | None, int | None]
"""A delivery's next status, the reason for it, and when it is due (ms)."""


def cuts(tx: Tx, leases: Sequence[Delivery]) -> dict[str, int]:
    """Return how often in a row each of these was cut off by our own end, this time included."""
    tried = tx.outbox.attempts_of([one.id for one in leases if one.attempts > 1])
    return {one.id: 1 + _at_the_end(tried.get(one.id, [])) for one in leases}


def due_at(tx: Tx, cut: int) -> int:
    """Return when to try again (ms): at once the first time, then some time later, by a roll of the dice."""
    before = (cut - 1) % CUTS_MAX
    return tx.now if before == 0 else tx.now + round((SPREAD_MS << (before - 1)) * (1 + tx.world.roll()) / 2)


def settlement(delivery: Delivery, cut: int, onward: Onward, now: int) -> Settlement:
    """Return how a delivery goes on that was cut off, with the attempt on record; after CUTS_MAX times it ends."""
    status, reason, due = onward
    if cut % CUTS_MAX == 0 and status != "cancelled":  # a replay gives it as many chances again
        status, reason, due = "exhausted", f"quarantined: affwire stopped {cut} times while this was under way", None
    return Settlement(delivery, status, reason, due, delivery.steps, _cut_attempt(delivery, now))


def tell(
    tx: Tx, dialects: Mapping[str, Dialect], receivers: Mapping[str, Endpoint], ended: Iterable[Settlement]
) -> None:
    """Log those that ended, and say so to who asked to be told; without dialects (a restore) nobody can be told."""
    gone = [(one.delivery, one.reason or "") for one in ended if one.status == "exhausted"]
    events = tx.log.by_ids(sorted({delivery.event_id for delivery, _ in gone}))
    for delivery, why in gone:
        tx.tell("delivery.quarantined", warns=True, id=delivery.id, endpoint_id=delivery.endpoint_id, reason=why)
    if dialects:
        lost = [Lost(receivers[one.endpoint_id], one, events[one.event_id], why) for one, why in gone]
        notices.exhausted(tx, dialects, lost)


def _at_the_end(attempts: Sequence[AttemptRecord]) -> int:
    """Count the cut ones among the last attempts. One that our own stop cut was settled in order: it is another matter."""
    count = 0
    for attempt in reversed(attempts):
        if attempt.error != "cut" or attempt.detail != _CUT:
            break
        count += 1
    return count


def _cut_attempt(delivery: Delivery, now: int) -> AttemptRecord:
    return AttemptRecord(
        delivery_id=delivery.id,
        number=delivery.attempts,
        id=delivery.attempt_id or "",
        started_at=delivery.leased_at or now,
        ended_at=now,
        outcome="unknown",
        error="cut",
        detail=_CUT,
    )
