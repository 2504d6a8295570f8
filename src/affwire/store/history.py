"""Deliveries as they are now: what never changes about one, joined with where it stands or how it ended.

Rule: a delivery that neither waits nor has an ending is forgotten; nothing here finds it. Where rows have yet to follow what
was decided about all that waits for an endpoint (store.following), they are shown as if they had.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, case, func, or_, select

from affwire.model.deliveries import AttemptRecord, Delivery
from affwire.model.wire import Timings
from affwire.store.tables import attempts, deliveries, endings, following, queue

_WAITS: Final = queue.c.position.is_not(None)
_QUIET: Final = select(following.c.endpoint_id).where(following.c.target.in_(("held", "cancelled")))
_RELEASED: Final = select(following.c.endpoint_id).where(following.c.target == "released")
_MADE_QUIET: Final = and_(queue.c.leased_by.is_(None), queue.c.endpoint_id.in_(_QUIET))
HELD: Final = or_(and_(queue.c.held, queue.c.endpoint_id.not_in(_RELEASED)), _MADE_QUIET)
"""Whether an unfinished delivery is held, also where its row has yet to follow."""
_UNFINISHED: Final[Mapping[str, ColumnElement[bool]]] = {
    "pending": and_(~HELD, queue.c.leased_by.is_(None)),
    "held": HELD,
    "leased": queue.c.leased_by.is_not(None),
}
_STATUS: Final = case(
    (queue.c.position.is_(None), endings.c.status),
    (HELD, "held"),
    (queue.c.leased_by.is_not(None), "leased"),
    else_="pending",
)


_REASON: Final = case(
    (
        _MADE_QUIET,
        select(following.c.reason)
        .where(following.c.endpoint_id == queue.c.endpoint_id, following.c.part == "standing")
        .scalar_subquery(),
    ),
    (and_(queue.c.held, queue.c.endpoint_id.in_(_RELEASED)), None),
    else_=func.coalesce(queue.c.reason, endings.c.reason),
)


def _field(name: str) -> Any:
    """Of `queue` and `endings` one has the row; the other's columns are all null."""
    if name in {"status", "reason"}:
        return _STATUS if name == "status" else _REASON
    if name in deliveries.c:
        return deliveries.c[name]
    if name in queue.c and name in endings.c:
        return func.coalesce(queue.c[name], endings.c[name])
    return queue.c[name] if name in queue.c else endings.c[name]


FIELDS: Final = {
    name: func.coalesce(_field(name), 0) if name == "priority" else _field(name) for name in Delivery.__struct_fields__
}
"""What stands for each field of a delivery in `CURRENT`."""
_JOINED: Final = deliveries.outerjoin(queue, queue.c.position == deliveries.c.position).outerjoin(
    endings, endings.c.position == deliveries.c.position
)
CURRENT: Final = (
    select(*(field.label(name) for name, field in FIELDS.items()))
    .select_from(_JOINED)
    .where(or_(_WAITS, endings.c.position.is_not(None)))
)
"""Every delivery that is not forgotten."""


def all_of(connection: Connection, query: Select[Any]) -> list[Delivery]:
    """Return what a query of CURRENT's kind finds."""
    return [Delivery(**row) for row in connection.execute(query).mappings()]


def page(
    connection: Connection, organization_id: str, *, before: int | None, limit: int, **columns: Any
) -> list[Delivery]:
    """Return at most `limit` deliveries, the newest first, older than position `before`; None values filter nothing.

    A page of one status begins at the rows that have it, however few they are among all.
    """
    status: str | None = columns.pop("status", None)
    query, table = of_status(status)
    query = query.where(table.c.organization_id == organization_id)
    since = columns.pop("since", None)
    if since is not None:
        query = query.where(table.c.created_at >= since)
    for name, value in columns.items():
        if value is not None:
            query = query.where((table if name in table.c else deliveries).c[name] == value)
    query = query.order_by(table.c.position.desc()).limit(limit)
    return all_of(connection, query if before is None else query.where(table.c.position < before))


def of_status(status: str | None) -> tuple[Select[Any], Any]:
    """Return the query for all deliveries of one status (None: of any), and the table whose order it follows."""
    if status is None:
        return CURRENT, deliveries
    unfinished = _UNFINISHED.get(status)
    table, where = (endings, endings.c.status == status) if unfinished is None else (queue, unfinished)
    other = queue if unfinished is None else endings
    facts = and_(deliveries.c.position == table.c.position, deliveries.c.created_at == table.c.created_at)
    joined = table.join(deliveries, facts).outerjoin(other, other.c.position == table.c.position)
    return select(*(field.label(name) for name, field in FIELDS.items())).select_from(joined).where(where), table


def counts(connection: Connection, organization_id: str | None = None) -> dict[str, int]:
    """Return how many deliveries have each status."""
    found: dict[str, int] = {}
    unfinished = case((HELD, "held"), (queue.c.leased_by.is_not(None), "leased"), else_="pending")
    for table, status in ((queue, unfinished), (endings, endings.c.status)):
        query = select(status, func.count()).select_from(table).group_by(status)
        if organization_id is not None:
            query = query.where(table.c.organization_id == organization_id)
        found |= dict(tuple(row) for row in connection.execute(query))
    return found


def attempts_of(connection: Connection, delivery_ids: Iterable[str]) -> dict[str, list[AttemptRecord]]:
    """Return the attempts of deliveries, each list in order of number."""
    found: dict[str, list[AttemptRecord]] = {}
    query = (
        select(attempts, deliveries.c.id.label("delivery_id"))
        .join(deliveries, deliveries.c.position == attempts.c.delivery_position)
        .where(deliveries.c.id.in_(list(delivery_ids)))
        .order_by(attempts.c.number)
    )
    for row in connection.execute(query).mappings():
        found.setdefault(row["delivery_id"], []).append(_attempt(row))
    return found


def _attempt(row: RowMapping) -> AttemptRecord:
    timings = msgspec.json.decode(row["timings"], type=Timings) if row["timings"] else None
    values = {name: row[name] for name in AttemptRecord.__struct_fields__}
    return AttemptRecord(**{**values, "timings": timings})
