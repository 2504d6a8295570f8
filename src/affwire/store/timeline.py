"""An affiliate's history, the newest first: its events with the deliveries made for them, and messages about it."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from affwire.model.deliveries import Delivery
from affwire.store import history
from affwire.store.history import CURRENT
from affwire.store.tables import deliveries, events, messages


def event_ids(
    connection: Connection, organization_id: str, affiliate_id: str, *, before: int | None, limit: int
) -> list[tuple[int, str]]:
    """Return position and id of at most `limit` events about an affiliate, older than a position, the newest first."""
    query = select(events.c.position, events.c.id).where(
        events.c.organization_id == organization_id, events.c.affiliate_id == affiliate_id
    )
    if before is not None:
        query = query.where(events.c.position < before)
    rows = connection.execute(query.order_by(events.c.position.desc()).limit(limit))
    return [(row.position, row.id) for row in rows]


def message_ids(connection: Connection, organization_id: str, affiliate_id: str, *, limit: int) -> list[str]:
    """Return the ids of the newest messages about an affiliate, the newest first."""
    about = select(messages.c.id, messages.c.position).where(
        messages.c.affiliate_id == affiliate_id, messages.c.organization_id == organization_id
    )
    return [row.id for row in connection.execute(about.order_by(messages.c.position.desc()).limit(limit))]


def of_events(connection: Connection, ids: Sequence[str]) -> dict[str, list[Delivery]]:
    """Return the deliveries of events, by the event's id, in their order."""
    found: dict[str, list[Delivery]] = {event_id: [] for event_id in ids}
    query = CURRENT.where(deliveries.c.event_id.in_(ids)).order_by(deliveries.c.position)
    for delivery in history.all_of(connection, query):
        found[delivery.event_id].append(delivery)
    return found
