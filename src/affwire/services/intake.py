"""Intake: what becomes of a message that was kept. It is read, brought into the registry or passed on, and settled.

All of it in one transaction: a message is settled together with everything it changed, or not at all.
"""

from collections.abc import Mapping
from typing import Final

from affwire.dialects.base import Dialect
from affwire.errors import AffwireError, Conflict, Refused
from affwire.model.inbound import HOPS_MAX, Kept, Source
from affwire.services import mirror_affiliates, mirror_programs, relay
from affwire.services.mirroring import Ended, Intake
from affwire.store.tx import Tx

TOO_MANY_HOPS: Final = (
    f"it went through {HOPS_MAX} installations of affwire: a loop, which ends here (see docs/sources.md, Loops)"
)
NOTHING_NEW: Final = "nothing new: everything it tells is known"
_REASON_MAX: Final = 1_000
"""Characters of a reason; the message itself is kept beside it."""


def process(tx: Tx, dialects: Mapping[str, Dialect], message: Kept) -> None:
    """Carry out a message that waits, and settle it.

    Raises Undecodable, Refused where it cannot be carried out, and Conflict where it does not wait (any more).
    """
    source = tx.registry.get_even_deleted(Source, message.organization_id, message.source_id)
    if source is None or source.dialect not in dialects:
        raise Refused("dialect_not_installed", f"The dialect {message.dialect!r} is not installed.")
    ended = _carried_out(tx, dialects, source, message)
    reason = ended.reason[:_REASON_MAX] if ended.reason else None
    fits = tx.inbox.settle(
        message.id,
        "applied" if ended.applied else "unchanged",
        reason,
        word=ended.word,
        occurred_at=ended.occurred_at,
        affiliate_id=ended.affiliate_id,
        events=ended.events,
    )
    if not fits:
        raise Conflict("not_waiting", f"{message.id} does not wait any more.")


def park(tx: Tx, message: Kept, fault: BaseException) -> None:
    """Set a message aside with the reason why it could not be carried out: it can be reprocessed."""
    told = f"{fault.sentence} [{fault.code}]" if isinstance(fault, AffwireError) else None
    reason = told or f"affwire failed on it ({type(fault).__name__}); the log has more"
    tx.inbox.settle(message.id, "parked", reason[:_REASON_MAX])


def _carried_out(tx: Tx, dialects: Mapping[str, Dialect], source: Source, message: Kept) -> Ended:
    if message.hops >= HOPS_MAX:
        return Ended(reason=TOO_MANY_HOPS)
    reading = dialects[source.dialect].decode(message.message)
    if not reading.events:
        reason = f"the word {reading.word!r} stands for nothing here"
        return Ended(reason=reason, word=reading.word, occurred_at=reading.occurred_at)
    if source.mode == "relay":
        return relay.pass_on(tx, dialects, source, message=message, reading=reading)
    return _mirrored(Intake(tx, dialects, source, message=message, reading=reading))


def _mirrored(intake: Intake) -> Ended:
    reading = intake.reading
    if reading.affiliate is not None or reading.memberships:
        mirror_affiliates.bring_message(intake)
    elif reading.program is not None:
        mirror_programs.bring_message(intake, reading.program)
    return Ended(
        applied=intake.changed,
        reason="; ".join(intake.notes) or (None if intake.changed else NOTHING_NEW),
        word=reading.word,
        occurred_at=reading.occurred_at,
        affiliate_id=intake.affiliate_id,
        events=tuple(intake.events),
    )
