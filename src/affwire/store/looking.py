"""What a person looks through besides deliveries: the log and the inbox, newest or oldest first, by any of their marks.

Rule: every look is bounded. At most WINDOW rows are looked at, and the answer says how far.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from affwire.model import ids
from affwire.store.tables import events, messages

WINDOW: Final = 5_000
"""Rows that one page looks at: some 10 ms where hardly any of them fits."""
_FIRST: Final = 2
"""So many times what a page holds is looked at first: mostly that is enough."""
SLACK_MS: Final = 600_000
"""By so much the clock that a row's id was made by may be ahead of the one that its time was."""
POSITION_MAX: Final = (1 << 63) - 1


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


@dataclass(frozen=True, slots=True)
class _Book:
    """A table in order of position. `time`: the column that grows with it; `direct`: what an index finds.

    `apart`: of that, what its index has not in this order, and has to be found by itself.
    """

    kind: str
    table: Table
    time: str
    direct: tuple[str, ...]
    apart: tuple[str, ...] = ()


_EVENTS: Final = _Book("event", events, "occurred_at", ("affiliate_id",))
_MESSAGES: Final = _Book("message", messages, "received_at", ("source_id", "affiliate_id"), ("affiliate_id",))


def events_of(connection: Connection, organization_id: str, span: Span, marks: Mapping[str, str | None]) -> Found:
    """Return the positions of an organization's events with these marks: type, affiliate_id, program_id, subject_id."""
    return _found(connection, _EVENTS, organization_id, span, marks)


def messages_of(connection: Connection, organization_id: str, span: Span, marks: Mapping[str, str | None]) -> Found:
    """Return the positions of an organization's messages with these marks: status, source_id, dialect, word, affiliate_id."""
    return _found(connection, _MESSAGES, organization_id, span, marks)


def begun(kind: str, table: Table, since: int) -> ColumnElement[int]:
    """Return where a table's rows of a time (ms) or later begin, or a little before: ids grow with time, and have an index."""
    first = ids.make(kind, max(since - SLACK_MS, 0), 0)
    query = select(table.c.position).where(table.c.id >= first).order_by(table.c.id).limit(1)
    return func.coalesce(query.scalar_subquery(), POSITION_MAX)


def _found(
    connection: Connection, book: _Book, organization_id: str, span: Span, marks: Mapping[str, str | None]
) -> Found:
    table = book.table
    wanted = {name: value for name, value in marks.items() if value is not None}
    window = _window(book, organization_id, span, {name: wanted.pop(name) for name in book.direct if name in wanted})
    seen = window.with_only_columns(
        table.c.position, table.c[book.time].label("at"), *(table.c[name] for name in wanted)
    )
    for most in (min(_FIRST * span.limit, WINDOW), WINDOW):
        rows = seen.limit(most).subquery()
        query = select(rows.c.position).where(*(rows.c[name] == value for name, value in wanted.items()))
        if span.since is not None:
            query = query.where(rows.c.at >= span.since)
        query = query.order_by(rows.c.position if span.oldest else rows.c.position.desc()).limit(span.limit)
        positions = list(connection.execute(query).scalars())
        if len(positions) == span.limit:
            return Found(positions, positions[-1])
    return Found(positions, _end(connection, rows, span))


def _window(book: _Book, organization_id: str, span: Span, marks: Mapping[str, str]) -> Select[Any]:
    """The rows to look at, by what an index finds, in the order of the table."""
    table, position = book.table, book.table.c.position
    query = select(position).where(table.c.organization_id == organization_id)
    for name, value in marks.items():
        its = table.alias("its").c
        alone = position.in_(select(its.position).where(its[name] == value))
        query = query.where(alone if name in book.apart else table.c[name] == value)
    if span.oldest and span.since is not None:
        query = query.where(position >= begun(book.kind, table, span.since))
    if span.place is not None:
        query = query.where(position > span.place if span.oldest else position < span.place)
    return query.order_by(position if span.oldest else position.desc())


def _end(connection: Connection, rows: Any, span: Span) -> int | None:
    """Return the last position of a full window; None where it was not full, or went beyond the wanted time."""
    last = func.max(rows.c.position) if span.oldest else func.min(rows.c.position)
    count, end, earliest = connection.execute(select(func.count(), last, func.min(rows.c.at))).one()
    beyond = span.since is not None and not span.oldest and count and earliest < span.since
    return None if beyond or count < WINDOW else end
