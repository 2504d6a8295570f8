"""Rows as records and back: a record's class names its table, its fields are the columns.

Made once per class: which columns hold JSON, which are flags, and the statements that the registry runs again and again.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar, get_type_hints

import msgspec
from msgspec import Struct
from sqlalchemy import JSON, Boolean, Table

from affwire.model.endpoints import Endpoint
from affwire.model.inbound import Source
from affwire.model.registry import Affiliate, Group, Link, Membership, Organization, Program, PromoCode
from affwire.store import tables
from affwire.store.hot import Hot, HotRows

Record = TypeVar("Record", Organization, Program, Affiliate, Membership, Group, Link, PromoCode, Endpoint, Source)
RecordType = TypeVar("RecordType", bound=Struct)

_TABLES: Final[dict[type[Struct], Table]] = {
    Organization: tables.organizations,
    Program: tables.programs,
    Affiliate: tables.affiliates,
    Membership: tables.memberships,
    Group: tables.groups,
    Link: tables.links,
    PromoCode: tables.promo_codes,
    Endpoint: tables.endpoints,
    Source: tables.sources,
}


class Shape(Generic[RecordType]):
    """One class of records and its table."""

    def __init__(self, kind: type[RecordType]) -> None:
        self.kind = kind
        self.table = _TABLES[kind]
        self.columns: tuple[str, ...] = kind.__struct_fields__
        self.has_deleted = "deleted_at" in self.table.c
        self._readers = _readers(kind, self.table)
        self._json = tuple(name for name in self.columns if isinstance(self.table.c[name].type, JSON))

    @property
    def insert(self) -> Hot:
        """The statement that stores a new record."""
        names = self._stored
        return _hot(
            f"INSERT INTO {self.table.name} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
        )

    @property
    def update(self) -> Hot:
        """The statement that stores a record over its old row."""
        assignments = ", ".join(f"{name} = :{name}" for name in self._stored if name != "id")
        return _hot(f"UPDATE {self.table.name} SET {assignments} WHERE id = :id")

    def select(self, names: Sequence[str], *, deleted: bool = False, ordered: bool = False, lock: bool = False) -> Hot:
        """The statement that finds records by the values of columns; without `deleted`, those that are not deleted."""
        conditions = [f"{name} = :{name}" for name in names]
        if self.has_deleted and not deleted:
            conditions.append("deleted_at IS NULL")
        order = " ORDER BY number" if ordered else ""
        return _hot(
            f"SELECT {', '.join(self.columns)} FROM {self.table.name} WHERE {' AND '.join(conditions)}{order}"
            + (" FOR UPDATE" if lock else "")
        )

    def select_many(self, *, lock: bool = False) -> HotRows:
        """The statement that finds records by many ids, deleted ones too; `lock`: nobody changes them until the commit."""
        end = " ORDER BY id FOR SHARE" if lock else ""
        return _hot_rows(f"SELECT {', '.join(self.columns)} FROM {self.table.name} WHERE id IN (VALUES {{rows}}){end}")

    def row(self, record: RecordType) -> dict[str, Any]:
        """Return a record as the values of its row."""
        row = {name: getattr(record, name) for name in self.columns}
        for name in self._json:
            row[name] = None if row[name] is None else msgspec.json.encode(row[name]).decode()
        if isinstance(record, Affiliate):
            row["email_key"] = email_key(record.email)
        return row

    def record(self, row: Sequence[Any]) -> RecordType:
        """Return the record of a row whose values stand in the order of `columns`."""
        values = dict(zip(self.columns, row, strict=True))
        for name, read in self._readers:
            if values[name] is not None:
                values[name] = read(values[name])
        return self.kind(**values)

    @property
    def _stored(self) -> tuple[str, ...]:
        return (*self.columns, "email_key") if self.kind is Affiliate else self.columns


@lru_cache
def shape(kind: type[RecordType]) -> Shape[RecordType]:
    """Return the shape of a class of records."""
    return Shape(kind)


def email_key(email: str | None) -> str | None:
    """Return what makes two addresses the same within an organization: the text without regard to case."""
    return None if email is None else email.strip().casefold()


@lru_cache
def _hot(statement: str) -> Hot:
    return Hot(statement)


@lru_cache
def _hot_rows(statement: str) -> HotRows:
    return HotRows(statement, ("text",))


def _readers(kind: type[Struct], table: Table) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """Return how columns become fields where the driver gives something else: JSON as text, flags as numbers."""
    hints = get_type_hints(kind)
    found: list[tuple[str, Callable[[Any], Any]]] = []
    for name in kind.__struct_fields__:
        if isinstance(table.c[name].type, JSON):
            found.append((name, _json_reader(hints[name])))
        elif isinstance(table.c[name].type, Boolean):
            found.append((name, bool))
    return tuple(found)


def _json_reader(hint: Any) -> Callable[[Any], Any]:
    decoder = msgspec.json.Decoder(hint)
    return lambda value: decoder.decode(value) if isinstance(value, (str, bytes)) else msgspec.convert(value, hint)
