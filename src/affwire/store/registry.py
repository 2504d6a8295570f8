"""The registry's rows as records and back. One generic book: a record's class names its table."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection, RowMapping, Select, Table, func, or_, select, text

from affwire.model.endpoints import Endpoint
from affwire.model.registry import NUMBER_FIRST, Affiliate, Group, Link, Membership, Organization, Program, PromoCode
from affwire.rules.lifecycle import UNFINISHED
from affwire.store import tables

_TABLES: Final[dict[type[Struct], Table]] = {
    Organization: tables.organizations,
    Program: tables.programs,
    Affiliate: tables.affiliates,
    Membership: tables.memberships,
    Group: tables.groups,
    Link: tables.links,
    PromoCode: tables.promo_codes,
    Endpoint: tables.endpoints,
}
_SEARCHED: Final[dict[type[Struct], tuple[str, ...]]] = {
    Affiliate: ("email_key", "first_name", "last_name", "company", "id")
}
_JSON_FIELDS: Final[dict[type[Struct], tuple[str, ...]]] = {Endpoint: ("secrets", "bearer_token")}

Record = TypeVar("Record", Organization, Program, Affiliate, Membership, Group, Link, PromoCode, Endpoint)


class Registry:
    """Loads and stores whole records. Every look-up is within one organization: another's id is not found."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, kind: type[Record], organization_id: str, record_id: str, *, lock: bool = False) -> Record | None:
        """Return a record that is not deleted, None if there is none; `lock` keeps it ours until the commit."""
        query = self._of(kind, organization_id).where(_TABLES[kind].c.id == record_id)
        return self._first(kind, query.with_for_update() if lock else query)

    def get_even_deleted(self, kind: type[Record], organization_id: str, record_id: str) -> Record | None:
        """Return a record whether or not it is deleted."""
        table = _TABLES[kind]
        return self._first(
            kind, select(table).where(table.c.id == record_id, table.c.organization_id == organization_id)
        )

    def find(self, kind: type[Record], organization_id: str, **columns: Any) -> list[Record]:
        """Return all records with these column values that are not deleted, in order of number."""
        query = self._of(kind, organization_id)
        for name, value in columns.items():
            query = query.where(_TABLES[kind].c[name] == value)
        return self._all(kind, query.order_by(_TABLES[kind].c.number))

    def page(
        self,
        kind: type[Record],
        organization_id: str,
        *,
        after: int | None,
        limit: int,
        matching: str | None = None,
        **columns: Any,
    ) -> list[Record]:
        """Return at most `limit` records whose number is above `after`, in order of number; None values filter nothing.

        `matching` is a text that one of the record's names holds, without regard to case (affiliates).
        """
        table = _TABLES[kind]
        query = self._of(kind, organization_id).order_by(table.c.number).limit(limit)
        for name, value in columns.items():
            if value is not None:
                query = query.where(table.c[name] == value)
        if matching is not None:
            named = (table.c[name].icontains(matching, autoescape=True) for name in _SEARCHED.get(kind, ("id",)))
            query = query.where(or_(*named))
        return self._all(kind, query if after is None else query.where(table.c.number > after))

    def insert(self, record: Struct) -> None:
        """Store a new record."""
        self._connection.execute(_TABLES[type(record)].insert(), _row(record))

    def update(self, record: Struct) -> None:
        """Store a changed record over the old one."""
        table, row = _TABLES[type(record)], _row(record)
        self._connection.execute(table.update().where(table.c.id == row.pop("id")).values(**row))

    def delete(self, record: Struct) -> None:
        """Take a record away for good (groups, links and promo codes; others are marked deleted)."""
        table = _TABLES[type(record)]
        self._connection.execute(table.delete().where(table.c.id == _row(record)["id"]))

    def next_number(self, organization_id: str, kind: str) -> int:
        """Return the next number of a kind in an organization; numbers are never given twice."""
        query = text(
            "INSERT INTO counters (organization_id, kind, value) VALUES (:organization_id, :kind, :first) "
            "ON CONFLICT (organization_id, kind) DO UPDATE SET value = counters.value + 1 RETURNING value"
        )
        values = {"organization_id": organization_id, "kind": kind, "first": NUMBER_FIRST}
        return int(self._connection.execute(query, values).scalar_one())

    def organizations(self, *, after: int | None = None, limit: int | None = None) -> list[Organization]:
        """Return organizations in order of number, all of them unless there is a `limit`."""
        table = tables.organizations
        query = select(table).order_by(table.c.number).limit(limit)
        return self._all(Organization, query if after is None else query.where(table.c.number > after))

    def organization(self, organization_id: str) -> Organization | None:
        """Return an organization by its id."""
        return self._first(
            Organization, select(tables.organizations).where(tables.organizations.c.id == organization_id)
        )

    def organization_by_slug(self, slug: str) -> Organization | None:
        """Return an organization by its slug."""
        return self._first(Organization, select(tables.organizations).where(tables.organizations.c.slug == slug))

    def programs(self, ids: Sequence[str]) -> dict[str, Program]:
        """Return programs by id, deleted ones too."""
        table = tables.programs
        rows = self._all(Program, select(table).where(table.c.id.in_(ids))) if ids else []
        return {program.id: program for program in rows}

    def endpoints(self, ids: Sequence[str]) -> dict[str, Endpoint]:
        """Return endpoints by id, deleted ones too."""
        table = tables.endpoints
        rows = self._all(Endpoint, select(table).where(table.c.id.in_(ids))) if ids else []
        return {endpoint.id: endpoint for endpoint in rows}

    def live_members(self, program_id: str) -> int:
        """Return how many memberships of a program are live."""
        table = tables.memberships
        query = select(func.count()).where(
            table.c.program_id == program_id, table.c.status.not_in(("rejected", "removed", "left"))
        )
        return int(self._connection.execute(query).scalar_one())

    def erasable(self, *, limit: int) -> list[Affiliate]:
        """Return affiliates whose erasure was asked for and whose deliveries have all ended, the oldest wish first."""
        table = tables.affiliates
        unfinished = (
            select(tables.deliveries.c.id)
            .join(tables.events, tables.events.c.id == tables.deliveries.c.event_id)
            .where(tables.events.c.affiliate_id == table.c.id, tables.deliveries.c.status.in_(UNFINISHED))
        )
        query = select(table).where(table.c.erased_at.is_not(None), ~unfinished.exists())
        return self._all(Affiliate, query.order_by(table.c.erased_at).limit(limit))

    def _of(self, kind: type[Record], organization_id: str) -> Select[Any]:
        table = _TABLES[kind]
        query = select(table).where(table.c.organization_id == organization_id)
        return query.where(table.c.deleted_at.is_(None)) if "deleted_at" in table.c else query

    def _first(self, kind: type[Record], query: Select[Any]) -> Record | None:
        row = self._connection.execute(query).mappings().first()
        return None if row is None else _record(kind, row)

    def _all(self, kind: type[Record], query: Select[Any]) -> list[Record]:
        return [_record(kind, row) for row in self._connection.execute(query).mappings()]


def email_key(email: str | None) -> str | None:
    """Return what makes two addresses the same within an organization: the text without regard to case."""
    return None if email is None else email.strip().casefold()


def _row(record: Struct) -> dict[str, Any]:
    row = structs.asdict(record)
    for name in _JSON_FIELDS.get(type(record), ()):
        row[name] = msgspec.to_builtins(row[name])
    if isinstance(record, Affiliate):
        row["email_key"] = email_key(record.email)
    return row


def _record(kind: type[Record], row: RowMapping) -> Record:
    values = {name: row[name] for name in kind.__struct_fields__}
    if kind in _JSON_FIELDS:
        return msgspec.convert(values, kind)
    return kind(**values)
