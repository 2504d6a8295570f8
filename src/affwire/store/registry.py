"""The registry: one generic book for every kind of record. A record's class names its table (rows.py)."""

import re
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, Select, or_, select

from affwire.model.endpoints import Endpoint
from affwire.model.registry import NUMBER_FIRST, Affiliate, Membership, Organization, Program
from affwire.store import tables
from affwire.store.externals import ExternalIds
from affwire.store.hot import Hot
from affwire.store.rows import Record, email_key, shape

__all__ = ["Record", "Registry", "email_key"]

_SEARCHED: Final[dict[type[Struct], tuple[str, ...]]] = {
    Affiliate: ("email_key", "first_name", "last_name", "company", "id"),
    Program: ("name", "id"),
    Membership: ("tag", "id"),
}
_NUMBER: Final = re.compile(r"[0-9]{1,18}")

_NEXT_NUMBER: Final = Hot(
    "INSERT INTO counters (organization_id, kind, value) VALUES (:organization_id, :kind, :first) "
    "ON CONFLICT (organization_id, kind) DO UPDATE SET value = counters.value + 1 RETURNING value"
)

_LIVE_MEMBERS: Final = Hot(
    "SELECT COUNT(*) FROM memberships WHERE organization_id = :organization_id AND program_id = :program_id "
    "AND status NOT IN ('rejected', 'removed', 'left')"
)


class Registry:
    """Loads and stores whole records. Every look-up is within one organization: another's id is not found."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._endpoints: dict[str, Endpoint] = {}
        self.external_ids = ExternalIds(connection)

    def get(self, kind: type[Record], organization_id: str, record_id: str, *, lock: bool = False) -> Record | None:
        """Return a record that is not deleted, None if there is none; `lock` keeps it ours until the commit."""
        lock = lock and self._connection.dialect.name != "sqlite"  # where whoever writes is alone anyway
        statement = shape(kind).select(("id", "organization_id"), lock=lock)
        return self._one(kind, statement, {"id": record_id, "organization_id": organization_id})

    def get_even_deleted(self, kind: type[Record], organization_id: str, record_id: str) -> Record | None:
        """Return a record whether or not it is deleted."""
        statement = shape(kind).select(("id", "organization_id"), deleted=True)
        return self._one(kind, statement, {"id": record_id, "organization_id": organization_id})

    def find(self, kind: type[Record], organization_id: str, **columns: Any) -> list[Record]:
        """Return all records with these column values that are not deleted, in order of number."""
        values = {"organization_id": organization_id, **columns}
        found = shape(kind).select(tuple(values), ordered=True).run(self._connection, values).fetchall()
        return [shape(kind).record(row) for row in found]

    def page(
        self,
        kind: type[Record],
        organization_id: str,
        *,
        after: int | None,
        limit: int,
        matching: str | None = None,
        among: Sequence[str] = (),
        **columns: Any,
    ) -> list[Record]:
        """Return at most `limit` records whose number is above `after`, in order of number; None values filter nothing.

        `matching` is a text that one of the record's names holds, without regard to case, or its number; records whose
        ids are `among` those given match too.
        """
        table = shape(kind).table
        query = self._of(kind, organization_id).order_by(table.c.number).limit(limit)
        for name, value in columns.items():
            if value is not None:
                query = query.where(table.c[name] == value)
        if matching is not None:
            named = (table.c[name].icontains(matching, autoescape=True) for name in _SEARCHED.get(kind, ("id",)))
            numbered = [table.c.number == int(matching)] if _NUMBER.fullmatch(matching) else []
            query = query.where(or_(*named, *numbered, table.c.id.in_(among)))
        return self._all(kind, query if after is None else query.where(table.c.number > after))

    def insert(self, record: Struct) -> None:
        """Store a new record. Raises Conflict("external_id_taken")."""
        known = shape(type(record))
        known.insert.run(self._connection, known.row(record))
        self.external_ids.keep(record, new=True)

    def update(self, record: Struct) -> None:
        """Store a changed record over the old one; deleted, it frees its external ids. Raises Conflict("external_id_taken")."""
        known = shape(type(record))
        known.update.run(self._connection, known.row(record))
        if isinstance(record, Endpoint):
            self._endpoints.pop(record.id, None)
        self.external_ids.keep(record)

    def delete(self, record: Struct) -> None:
        """Take a record away for good (groups, links and promo codes; others are marked deleted)."""
        known = shape(type(record))
        self._connection.execute(known.table.delete().where(known.table.c.id == known.row(record)["id"]))

    def next_number(self, organization_id: str, kind: str) -> int:
        """Return the next number of a kind in an organization; numbers are never given twice."""
        values = {"organization_id": organization_id, "kind": kind, "first": NUMBER_FIRST}
        [number] = _NEXT_NUMBER.run(self._connection, values).fetchone() or (0,)
        return int(number)

    def organizations(self, *, after: int | None = None, limit: int | None = None) -> list[Organization]:
        """Return organizations in order of number, all of them unless there is a `limit`."""
        table = tables.organizations
        query = select(table).order_by(table.c.number).limit(limit)
        return self._all(Organization, query if after is None else query.where(table.c.number > after))

    def organization(self, organization_id: str) -> Organization | None:
        """Return an organization by its id."""
        return self._one(Organization, shape(Organization).select(("id",), deleted=True), {"id": organization_id})

    def organization_by_slug(self, slug: str) -> Organization | None:
        """Return an organization by its slug."""
        return self._first(Organization, select(tables.organizations).where(tables.organizations.c.slug == slug))

    def programs(self, ids: Sequence[str]) -> dict[str, Program]:
        """Return programs by id, deleted ones too."""
        known = shape(Program)
        rows = known.select_many().run(self._connection, [(program_id,) for program_id in ids])
        return {program.id: program for program in map(known.record, rows)}

    def endpoints(self, ids: Sequence[str], *, lock: bool = False) -> dict[str, Endpoint]:
        """Return endpoints by id, deleted ones too. Read once in a transaction, and again when they were changed in it.

        With `lock` nobody changes those that are read now until the commit.
        """
        missing = [(endpoint_id,) for endpoint_id in ids if endpoint_id not in self._endpoints]
        lock = lock and self._connection.dialect.name != "sqlite"
        for row in shape(Endpoint).select_many(lock=lock).run(self._connection, missing):
            endpoint = shape(Endpoint).record(row)
            self._endpoints[endpoint.id] = endpoint
        return {endpoint_id: self._endpoints[endpoint_id] for endpoint_id in ids if endpoint_id in self._endpoints}

    def every_endpoint(self) -> list[Endpoint]:
        """Return the endpoints of all organizations, deleted ones too."""
        return self._all(Endpoint, select(tables.endpoints))

    def live_members(self, organization_id: str, program_id: str) -> int:
        """Return how many memberships of a program are live."""
        values = {"organization_id": organization_id, "program_id": program_id}
        [members] = _LIVE_MEMBERS.run(self._connection, values).fetchone() or (0,)
        return int(members)

    def erasable(self, *, limit: int) -> list[Affiliate]:
        """Return affiliates whose erasure was asked for and whose deliveries have all ended, the oldest wish first."""
        table = tables.affiliates
        unfinished = (
            select(tables.queue.c.position)
            .join(tables.deliveries, tables.deliveries.c.position == tables.queue.c.position)
            .join(tables.events, tables.events.c.id == tables.deliveries.c.event_id)
            .where(tables.events.c.affiliate_id == table.c.id)
        )
        query = select(table).where(table.c.erased_at.is_not(None), ~unfinished.exists())
        return self._all(Affiliate, query.order_by(table.c.erased_at).limit(limit))

    def _of(self, kind: type[Record], organization_id: str) -> Select[Any]:
        table = shape(kind).table
        query = select(table).where(table.c.organization_id == organization_id)
        return query.where(table.c.deleted_at.is_(None)) if "deleted_at" in table.c else query

    def _first(self, kind: type[Record], query: Select[Any]) -> Record | None:
        return next(iter(self._all(kind, query)), None)

    def _all(self, kind: type[Record], query: Select[Any]) -> list[Record]:
        known = shape(kind)
        rows = self._connection.execute(query.with_only_columns(*(known.table.c[name] for name in known.columns)))
        return [known.record(tuple(row)) for row in rows]

    def _one(self, kind: type[Record], statement: Hot, values: dict[str, Any]) -> Record | None:
        row = statement.run(self._connection, values).fetchone()
        return None if row is None else shape(kind).record(row)
