"""What a person looks through: deliveries by any of their marks, newest or oldest first.

Rule: every look is bounded. Whatever is asked for, at most WINDOW deliveries are looked at, and the answer says how far.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from affwire.model.deliveries import Delivery
from affwire.store import looking
from affwire.store.history import FIELDS
from affwire.store.tables import attempts, deliveries, endings, endpoints, events, queue

WINDOW: Final = 5_000
"""Deliveries that one page looks at: some 20 ms where hardly any of them fits."""
_FIRST: Final = 4
"""So many times what a page holds is looked at first: mostly that is enough."""
_DELIVERY: Final = Delivery.__struct_fields__
_ENDED: Final = ("delivered", "exhausted", "cancelled")
_UNFINISHED: Final = ("pending", "held", "leased", "retrying")


class Wanted(Struct, frozen=True, kw_only=True):
    """Which deliveries; None filters nothing. `status` may be "retrying": tried, and to be tried again.

    `outcome`: of the latest attempt: ok, failed, unknown, or a class of status codes: 2xx to 5xx.
    """

    status: str | None = None
    outcome: str | None = None
    endpoint_id: str | None = None
    dialect: str | None = None
    type: str | None = None
    event_id: str | None = None
    since: int | None = None


class Tried(Struct, frozen=True, kw_only=True):
    """A delivery with what its event is called and how its latest attempt went; `outcome` None: none was made."""

    delivery: Delivery
    event_type: str | None
    outcome: str | None
    status_code: int | None
    error: str | None
    attempt_ms: int | None


class Look(Struct, frozen=True):
    """What one look found, and the position behind which it did not look; None: it saw everything."""

    rows: list[Tried]
    looked_to: int | None


class Browse:
    """Looks through what an organization sent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def deliveries(self, organization_id: str, wanted: Wanted, *, place: int | None, limit: int, oldest: bool) -> Look:
        """Return at most `limit` deliveries behind a position, the newest first unless `oldest` is wanted."""
        window = _window(organization_id, wanted, place=place, oldest=oldest)
        for most in (min(_FIRST * limit, WINDOW), WINDOW):
            rows = self._of(window.limit(most), wanted, oldest=oldest, limit=limit)
            if len(rows) == limit:
                return Look(rows, rows[-1].delivery.position)
        return Look(rows, self._end(window.limit(WINDOW), wanted, oldest=oldest))

    def deliveries_by_position(self, organization_id: str, positions: Sequence[int], wanted: Wanted) -> list[Tried]:
        """Return those of some deliveries that are wanted, the newest first."""
        query, _ = _source(None)
        mine = deliveries.c.organization_id == organization_id
        chosen = query.where(mine, deliveries.c.position.in_(positions))
        return self._of(chosen, wanted, oldest=False, limit=len(positions))

    def _of(self, chosen: Select[Any], wanted: Wanted, *, oldest: bool, limit: int) -> list[Tried]:
        found = chosen.subquery("found")
        latest = and_(attempts.c.delivery_position == found.c.position, attempts.c.number == found.c.attempts)
        query = (
            select(
                *(found.c[name] for name in _DELIVERY),
                events.c.type,
                attempts.c.outcome,
                attempts.c.status_code,
                attempts.c.error,
                (attempts.c.ended_at - attempts.c.started_at).label("attempt_ms"),
            )
            .outerjoin(events, events.c.id == found.c.event_id)
            .outerjoin(attempts, latest)
            .order_by(found.c.position if oldest else found.c.position.desc())
            .limit(limit)
        )
        rows = self._connection.execute(_narrowed(query, found, wanted))
        return [_tried(tuple(row)) for row in rows]

    def _end(self, window: Select[Any], wanted: Wanted, *, oldest: bool) -> int | None:
        """Return the last position of a full window; None where it was not full, or went beyond the wanted time."""
        seen = window.with_only_columns(
            FIELDS["position"].label("position"), FIELDS["created_at"].label("at")
        ).subquery()
        last = func.max(seen.c.position) if oldest else func.min(seen.c.position)
        query = select(func.count(), last, func.min(seen.c.at)).select_from(seen)
        count, end, earliest = self._connection.execute(query).one()
        beyond = wanted.since is not None and not oldest and count and earliest < wanted.since
        return None if beyond or count < WINDOW else end


def _source(status: str | None) -> tuple[Select[Any], Any]:
    """Return all deliveries, those that ended or those that did not, and the table whose order they come in."""
    table = endings if status in _ENDED else queue if status in _UNFINISHED else deliveries
    joined = deliveries if table is deliveries else table.join(deliveries, _same(table))
    for other in (queue, endings):
        if other is not table:
            joined = joined.outerjoin(other, other.c.position == deliveries.c.position)
    query = select(*(field.label(name) for name, field in FIELDS.items())).select_from(joined)
    kept = or_(queue.c.position.is_not(None), endings.c.position.is_not(None))
    return (query.where(kept) if table is deliveries else query), table


def _same(table: Any) -> Any:
    return and_(deliveries.c.position == table.c.position, deliveries.c.created_at == table.c.created_at)


def _window(organization_id: str, wanted: Wanted, *, place: int | None, oldest: bool) -> Select[Any]:
    """The deliveries to look at: by what an index finds, in the index's order."""
    query, table = _source(wanted.status)
    position = table.c.position
    query = query.where(table.c.organization_id == organization_id)
    if wanted.endpoint_id is not None:
        query = query.where(table.c.endpoint_id == wanted.endpoint_id)
    if wanted.status in _ENDED:
        query = query.where(endings.c.status == wanted.status)
    if wanted.event_id is not None:
        # By themselves first: else SQLite walks through all of the organization's, in their order.
        its = deliveries.alias("its").c
        query = query.where(position.in_(select(its.position).where(its.event_id == wanted.event_id)))
    if wanted.since is not None and oldest:
        query = query.where(table.c.position >= looking.begun("delivery", deliveries, wanted.since))
    if place is not None:
        query = query.where(position > place if oldest else position < place)
    return query.order_by(position if oldest else position.desc())


def _narrowed(query: Select[Any], found: Any, wanted: Wanted) -> Select[Any]:
    """What no index finds."""
    if wanted.status == "retrying":
        query = query.where(found.c.status.in_(("pending", "held", "leased")), found.c.attempts > 0)
    elif wanted.status is not None:
        query = query.where(found.c.status == wanted.status)
    if wanted.since is not None:
        query = query.where(found.c.created_at >= wanted.since)
    if wanted.dialect is not None:
        speaking = select(endpoints.c.id).where(endpoints.c.dialect == wanted.dialect)
        query = query.where(found.c.endpoint_id.in_(speaking))
    if wanted.type is not None:
        query = query.where(events.c.type == wanted.type)
    return query if wanted.outcome is None else query.where(_went(wanted.outcome))


def marked(query: Select[Any], wanted: Wanted) -> Select[Any]:
    """Narrow a query of all deliveries by dialect, type, outcome, and having been tried, where `wanted` names them."""
    if wanted.status == "retrying":
        query = query.where(FIELDS["attempts"] > 0)
    if wanted.dialect is not None:
        speaking = select(endpoints.c.id).where(endpoints.c.dialect == wanted.dialect)
        query = query.where(deliveries.c.endpoint_id.in_(speaking))
    if wanted.type is not None:
        typed = select(events.c.id).where(events.c.id == deliveries.c.event_id, events.c.type == wanted.type)
        query = query.where(typed.exists())
    if wanted.outcome is None:
        return query
    latest = select(attempts.c.number).where(
        attempts.c.delivery_position == deliveries.c.position, attempts.c.number == FIELDS["attempts"]
    )
    return query.where(latest.where(_went(wanted.outcome)).exists())


def _went(outcome: str) -> ColumnElement[bool]:
    """An attempt's outcome, or the class of its status code."""
    if outcome[0].isdigit():
        lowest = int(outcome[0]) * 100
        return attempts.c.status_code.between(lowest, lowest + 99)
    return attempts.c.outcome == outcome


def _tried(row: tuple[Any, ...]) -> Tried:
    delivery = Delivery(**dict(zip(_DELIVERY, row, strict=False)))
    event_type, outcome, status_code, error, attempt_ms = row[len(_DELIVERY) :]
    return Tried(
        delivery=delivery,
        event_type=event_type,
        outcome=outcome,
        status_code=status_code,
        error=error,
        attempt_ms=attempt_ms,
    )
