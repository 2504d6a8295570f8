"""The log: every event once, in order, never changed (but for an erased person's data)."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection, RowMapping, func, select

from affwire.model.events import Event
from affwire.store.erased import erased_events
from affwire.store.hot import HotRows, types_of
from affwire.store.tables import events

_OF_EVENT: Final = (
    "id",
    "organization_id",
    "type",
    "subject_id",
    "affiliate_id",
    "program_id",
    "sequence",
    "occurred_at",
)
_STORED: Final = (*_OF_EVENT, "document", "silences")
_APPEND: Final = HotRows(
    f"INSERT INTO events ({', '.join(_STORED)}) VALUES {{rows}}",  # noqa: S608 -- our own names
    types_of(events, _STORED),
)
_BY_IDS: Final = HotRows("SELECT id, document FROM events WHERE id IN (VALUES {rows})", ("text",))
_DECODER: Final = msgspec.json.Decoder(Event)


class Entry(Struct, frozen=True):
    """An event and, for each endpoint that was told nothing, the reason why."""

    event: Event
    silences: dict[str, str]


class Log:
    """Appends events and reads them back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, entries: list[Entry]) -> None:
        """Write entries at the log's end, in this order."""
        _APPEND.run(self._connection, [_row(entry) for entry in entries])

    def get(self, organization_id: str, event_id: str) -> Entry | None:
        """Return one entry of an organization."""
        query = select(events).where(events.c.id == event_id, events.c.organization_id == organization_id)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else _entry(row)

    def by_ids(self, ids: list[str]) -> dict[str, Event]:
        """Return events by id."""
        rows = _BY_IDS.run(self._connection, [(event_id,) for event_id in ids])
        return {event_id: _decode(document) for event_id, document in rows}

    def erased(self, ids: Sequence[str]) -> set[str]:
        """Return which of these events are of a person whose data are erased, or are to be."""
        return set(self._connection.execute(erased_events(self._connection).where(events.c.id.in_(ids))).scalars())

    def page(
        self, organization_id: str, *, after: int | None, limit: int, bytes_max: int | None = None, **columns: Any
    ) -> list[Entry]:
        """Return at most `limit` entries behind a position, oldest first; None values filter nothing.

        A `type` that ends with `*` takes every type that begins so. The page is cut where its documents pass
        `bytes_max`, behind the entry that does.
        """
        query = (
            select(events).where(events.c.organization_id == organization_id).order_by(events.c.position).limit(limit)
        )
        for name, value in columns.items():
            if value is not None:
                query = query.where(_like(name, value))
        found: list[Entry] = []
        size = 0
        with self._connection.execute(query.where(events.c.position > (after or 0))) as result:
            for row in result.mappings():
                found.append(_entry(row))
                size += len(row["document"])
                if bytes_max is not None and size > bytes_max:
                    break
        return found

    def at(self, positions: Sequence[int]) -> list[Entry]:
        """Return the entries at these positions, in this order."""
        query = select(events).where(events.c.position.in_(positions))
        found = {row["position"]: _entry(row) for row in self._connection.execute(query).mappings()}
        return [found[position] for position in positions if position in found]

    def last_position(self, organization_id: str) -> int:
        """Return the place of an organization's latest event, 0 if there is none."""
        query = select(func.max(events.c.position)).where(events.c.organization_id == organization_id)
        return self._connection.execute(query).scalar() or 0

    def position_of(self, organization_id: str, event_id: str) -> int | None:
        """Return an event's place in the log."""
        query = select(events.c.position).where(events.c.id == event_id, events.c.organization_id == organization_id)
        return self._connection.execute(query).scalar()

    def of_affiliate(self, organization_id: str, affiliate_id: str) -> list[Event]:
        """Return all events about an affiliate, oldest first."""
        query = (
            select(events)
            .where(events.c.organization_id == organization_id, events.c.affiliate_id == affiliate_id)
            .order_by(events.c.position)
        )
        return [_entry(row).event for row in self._connection.execute(query).mappings()]

    def last_sequence(self, subject_id: str) -> int:
        """Return the sequence number of a subject's newest event, 0 if it has none."""
        query = select(func.max(events.c.sequence)).where(events.c.subject_id == subject_id)
        return int(self._connection.execute(query).scalar() or 0)

    def latest(self, subject_id: str, types: Collection[str], *, limit: int) -> list[Event]:
        """Return a subject's newest events of these types, at most `limit`, the newest first."""
        query = select(events.c.document).where(events.c.subject_id == subject_id, events.c.type.in_(types))
        rows = self._connection.execute(query.order_by(events.c.sequence.desc()).limit(limit))
        return [_decode(row.document) for row in rows]

    def newest(self, subject_id: str) -> Event | None:
        """Return a subject's newest event, None if it has none."""
        query = select(events.c.document).where(events.c.subject_id == subject_id)
        row = self._connection.execute(query.order_by(events.c.sequence.desc()).limit(1)).first()
        return None if row is None else _decode(row.document)

    def span(self, organization_id: str, *, since: int | None, until: int | None) -> tuple[int, int]:
        """Return the first and the last position of the events from `since` to before `until` (ms); (1, 0) for none."""
        query = select(func.min(events.c.position), func.max(events.c.position)).where(
            events.c.organization_id == organization_id
        )
        if since is not None:
            query = query.where(events.c.occurred_at >= since)
        if until is not None:
            query = query.where(events.c.occurred_at < until)
        first, last = self._connection.execute(query).one()
        return (1, 0) if first is None else (first, last)

    def unsilence(self, entry: Entry, endpoint_id: str) -> None:
        """Forget why an endpoint was told nothing: now it is told."""
        silences = {name: why for name, why in entry.silences.items() if name != endpoint_id}
        if len(silences) < len(entry.silences):
            self._connection.execute(events.update().where(events.c.id == entry.event.id).values(silences=silences))

    def rewrite(self, event: Event) -> None:
        """Replace an event's document: for the erasure of personal data, and for nothing else."""
        document = msgspec.json.encode(structs.replace(event, position=msgspec.UNSET))
        self._connection.execute(events.update().where(events.c.id == event.id).values(document=document))


def _like(name: str, value: str) -> Any:
    column = events.c[name]
    family = name == "type" and value.endswith("*")
    return column.startswith(value[:-1], autoescape=True) if family else column == value


def _row(entry: Entry) -> list[Any]:
    event = entry.event
    own = [getattr(event, name) for name in _OF_EVENT]
    return [*own, msgspec.json.encode(event), msgspec.json.encode(entry.silences).decode()]


def _decode(document: bytes) -> Event:
    return _DECODER.decode(document)


def _entry(row: RowMapping) -> Entry:
    event = structs.replace(_decode(row["document"]), position=row["position"])
    return Entry(event, row["silences"])
