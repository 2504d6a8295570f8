"""An affiliate's timeline: what happened, whom it was told, what came in about them, in one line of time, newest first."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from affwire.model.deliveries import Delivery
from affwire.model.events import Event
from affwire.model.inbound import Kept
from affwire.store import timeline
from affwire.store.tx import Tx

MESSAGES_MAX: Final = 50
"""The newest messages that stand among the events; the inbox has all of them."""


class Entry(Struct, frozen=True, kw_only=True):
    """One line: an event with its deliveries and for how many endpoints there was silence, or a message."""

    at: int
    event: Event | None = None
    deliveries: Sequence[Delivery] = ()
    message: Kept | None = None


class Timeline(Struct, frozen=True):
    """A page of it, and the position behind which the next one begins; None: there is none."""

    entries: Sequence[Entry]
    following: int | None


def of(tx: Tx, organization_id: str, affiliate_id: str, *, before: int | None, limit: int) -> Timeline:
    """Return a page of an affiliate's timeline, of at most `limit` events."""
    rows = timeline.event_ids(tx.connection, organization_id, affiliate_id, before=before, limit=limit + 1)
    here = [event_id for _, event_id in rows[:limit]]
    events, said = tx.log.by_ids(here), timeline.of_events(tx.connection, here)
    entries = [Entry(at=events[one].occurred_at, event=events[one], deliveries=said[one]) for one in here]
    following = rows[limit - 1][0] if len(rows) > limit else None
    oldest = entries[-1].at if following is not None else 0
    messages = _messages(tx, organization_id, affiliate_id) if before is None else []
    entries += [Entry(at=one.received_at, message=one) for one in messages if one.received_at >= oldest]
    return Timeline(sorted(entries, key=lambda one: -one.at), following)


def _messages(tx: Tx, organization_id: str, affiliate_id: str) -> list[Kept]:
    ids = timeline.message_ids(tx.connection, organization_id, affiliate_id, limit=MESSAGES_MAX)
    found = (tx.inbox.get(organization_id, one) for one in ids)
    return [one for one in found if one is not None]
