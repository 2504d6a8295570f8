"""What a person looks through besides deliveries: the log and the inbox, newest or oldest first, by any of their marks.

Rule: every look is bounded. At most WINDOW rows are looked at, and the answer says how far.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, Select, Table, func, select

from affwire.store.tables import events, messages

WINDOW: Final = 5_000
"""Rows that one page looks at: some 10 ms where hardly any of them fits."""


class Found(Struct, frozen=True):
    """Positions, in the order asked for, and the position behind which the look did not go; None: it saw everything."""

    positions: Sequence[int]
    looked_to: int | None


class Span(Struct, frozen=True, kw_only=True):
    """Which part of a table: at most `limit` rows behind a position, from a time (ms) on."""

    place: int | None = None
    limit: int
    oldest: bool = False
    since: int | None = None


def events_of(connection: Connection, organization_id: str, span: Span, marks: Mapping[str, str | None]) -> Found:
    """Return the positions of an organization's events with these marks: type, affiliate_id, program_id, subject_id."""
    return _found(connection, events, "occurred_at", organization_id, span, marks, direct=("affiliate_id",))


def messages_of(connection: Connection, organization_id: str, span: Span, marks: Mapping[str, str | None]) -> Found:
    """Return the positions of an organization's messages with these marks: status, source_id, dialect, word, affiliate_id."""
    return _found(connection, messages, "received_at", organization_id, span, marks, direct=("source_id", "affiliate_id"))


def _found(
    connection: Connection,
    table: Table,
    time: str,
    organization_id: str,
    span: Span,
    marks: Mapping[str, str | None],
    *,
    direct: Sequence[str],
) -> Found:
    wanted = {name: value for name, value in marks.items() if value is not None}
    window = _window(table, organization_id, span, {name: wanted.pop(name) for name in direct if name in wanted})
    seen = window.with_only_columns(table.c.position, table.c[time].label("at"), *(table.c[name] for name in wanted))
    rows = seen.limit(WINDOW).subquery()
    query = select(rows.c.position).where(*(rows.c[name] == value for name, value in wanted.items()))
    if span.since is not None:
        query = query.where(rows.c.at >= span.since)
    query = query.order_by(rows.c.position if span.oldest else rows.c.position.desc()).limit(span.limit)
    positions = list(connection.execute(query).scalars())
    return Found(positions, positions[-1] if len(positions) == span.limit else _end(connection, rows, span))


def _window(table: Table, organization_id: str, span: Span, marks: Mapping[str, str]) -> Select[Any]:
    """The rows to look at, by what an index finds, in the order of the table."""
    position = table.c.position
    query = select(position).where(table.c.organization_id == organization_id)
    query = query.where(*(table.c[name] == value for name, value in marks.items()))
    if span.place is not None:
        query = query.where(position > span.place if span.oldest else position < span.place)
    return query.order_by(position if span.oldest else position.desc())


def _end(connection: Connection, rows: Any, span: Span) -> int | None:
    """Return the last position of a full window; None where it was not full, or went beyond the wanted time."""
    last = func.max(rows.c.position) if span.oldest else func.min(rows.c.position)
    count, end, earliest = connection.execute(select(func.count(), last, func.min(rows.c.at))).one()
    beyond = span.since is not None and not span.oldest and count and earliest < span.since
    return None if beyond or count < WINDOW else end
