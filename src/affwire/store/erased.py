"""Which events are of a person whose data are erased, or are to be: nothing of them is sent again.

Rule: one condition for whoever counts and for whoever sends, or the two differ.
"""

from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Select, Text, and_, case, cast, false, func, or_, select, true

from affwire.store.tables import affiliates, events

_ERASED_AT = ("snapshot", "affiliate", "erased_at")


def erased_events(connection: Connection) -> Select[tuple[Any]]:
    """Return the query for the ids of such events, of all organizations: to be narrowed by whoever asks."""
    person = affiliates.c
    nameless = and_(person.deleted_at.is_not(None), person.email.is_(None))
    gone = case(
        (person.erased_at.is_not(None), true()),  # asked for, and done as soon as nothing is on its way
        (or_(person.id.is_(None), nameless), _says_so(connection)),  # only relays told of them; or they have no address
        else_=false(),
    )
    known = events.outerjoin(affiliates, person.id == events.c.affiliate_id)
    return select(events.c.id).select_from(known).where(events.c.affiliate_id.is_not(None), gone)


def _says_so(connection: Connection) -> ColumnElement[bool]:
    """Whether an event's document says that its person was erased."""
    if connection.dialect.name == "sqlite":
        return func.json_extract(cast(events.c.document, Text), f"$.{'.'.join(_ERASED_AT)}").is_not(None)
    document = cast(func.convert_from(events.c.document, "UTF8"), JSON)
    return func.json_extract_path_text(document, *_ERASED_AT).is_not(None)
