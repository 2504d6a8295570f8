"""Attempts in the order in which they were recorded: a position is given once, so whoever follows misses none."""

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, func, select

from affwire.model.deliveries import AttemptRecord, Delivery
from affwire.model.wire import Timings
from affwire.store import horizon
from affwire.store.history import CURRENT, FIELDS
from affwire.store.tables import attempts, deliveries

_ATTEMPT: Final = tuple(
    name for name in AttemptRecord.__struct_fields__ if name not in {"delivery_id", "request", "response"}
)
_DELIVERY: Final = tuple(FIELDS)


class Attempts:
    """Follows attempts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last_position(self, organization_id: str) -> int:
        """Return the position of an organization's latest attempt on record, 0 if there is none."""
        query = select(func.max(attempts.c.position)).where(attempts.c.organization_id == organization_id)
        return self._connection.execute(self._followable(query)).scalar() or 0

    def page(
        self, organization_id: str, *, after: int, limit: int, **columns: Any
    ) -> list[tuple[AttemptRecord, Delivery]]:
        """Return at most `limit` attempts behind a position, the oldest first, without what went over the wire.

        Each with its delivery as it is now. `outcome` filters the attempt, every other column its delivery; None
        filters nothing.
        """
        query = (
            CURRENT.with_only_columns(
                *(attempts.c[name] for name in _ATTEMPT), *FIELDS.values(), maintain_column_froms=True
            )
            .where(
                attempts.c.delivery_position == deliveries.c.position,
                attempts.c.organization_id == organization_id,
                attempts.c.position > after,
            )
            .order_by(attempts.c.position)
            .limit(limit)
        )
        query = self._followable(query)
        for name, value in columns.items():
            if value is not None:
                query = query.where((attempts.c[name] if name == "outcome" else FIELDS[name]) == value)
        return [_apart(tuple(row)) for row in self._connection.execute(query)]

    def _followable(self, query: Select[Any]) -> Select[Any]:
        """Only as far as nothing before it can still come."""
        end = horizon.of(self._connection)
        return query if end is None else query.where(attempts.c.position <= end)


def _apart(row: tuple[Any, ...]) -> tuple[AttemptRecord, Delivery]:
    attempt = dict(zip(_ATTEMPT, row, strict=False))
    timings = attempt["timings"]
    attempt["timings"] = msgspec.json.decode(timings, type=Timings) if timings else None
    delivery = Delivery(**dict(zip(_DELIVERY, row[len(_ATTEMPT) :], strict=True)))
    return AttemptRecord(delivery_id=delivery.id, **attempt), delivery
