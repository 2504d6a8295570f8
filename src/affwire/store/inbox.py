"""The inbox: every message that came in, raw, in order of arrival, and what became of it.

A message is kept once for each dedupe key of its source; one that is not genuine has no key, so it stands in nobody's way.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import structs
from sqlalchemy import Connection, Row, Select, Text, cast, func, select

from affwire.model.inbound import Kept, MessageStatus
from affwire.model.jobs import Extent
from affwire.model.wire import Headers
from affwire.store.hot import Hot, HotRows, types_of
from affwire.store.tables import messages

WAITING_BYTES_MAX: Final = 8 * 1_048_576
"""Bodies taken out at one time: eight of the largest, or thousands of usual ones."""

_STORED: Final = tuple(name for name in Kept.__struct_fields__ if name != "position")
_JSON_PLACES: Final = tuple(_STORED.index(name) for name in ("headers", "events"))
_POSITION_PLACE: Final = Kept.__struct_fields__.index("position")
"""The last field: the store gives it."""
_NAMES: Final = ", ".join(_STORED)
_KEEP: Final = HotRows(
    f"INSERT INTO messages ({_NAMES}) VALUES {{rows}} "  # noqa: S608 -- our own names
    "ON CONFLICT (source_id, dedupe_key) DO NOTHING",
    types_of(messages, _STORED),
)
_AMONG: Final = HotRows("SELECT id FROM messages WHERE id IN (VALUES {rows})", types_of(messages, ["id"]))
_WAITING: Final = Hot(
    f"SELECT {_NAMES}, position FROM messages WHERE status = 'received' AND position > :after "  # noqa: S608 -- as above
    "ORDER BY position LIMIT :limit"
)
_WAITS: Final = Hot("SELECT 1 FROM messages WHERE id = :id AND status = 'received'")
_SETTLE: Final = Hot("""
    UPDATE messages SET status = :status, reason = :reason, word = COALESCE(:word, word), occurred_at = :occurred_at,
        affiliate_id = COALESCE(:affiliate_id, affiliate_id), events = :events, settled_at = :now
    WHERE id = :id AND status = 'received'
""")
_MOVE: Final = Hot("""
    UPDATE messages SET status = :status, reason = :reason, settled_at = :settled_at, dedupe_key = :dedupe_key, word = :word
    WHERE id = :id AND status = :before
""")
_TRIM: Final = Hot("""
    DELETE FROM messages WHERE position IN (
        SELECT position FROM (
            SELECT position, ROW_NUMBER() OVER newest AS place, SUM(size) OVER newest AS bytes
            FROM messages WHERE source_id = :source_id AND status = 'rejected'
            WINDOW newest AS (ORDER BY position DESC)
        ) AS rejected WHERE place > :count_max OR bytes > :bytes_max
    )
""")
_PARKED: Final = Hot(
    "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM messages WHERE source_id = :source_id AND status = 'parked'"
)
_KEY_TAKEN: Final = Hot(
    "SELECT id FROM messages WHERE source_id = :source_id AND dedupe_key = :dedupe_key AND id <> :id LIMIT 1"
)
_REWRITE: Final = Hot("UPDATE messages SET headers = :headers WHERE id = :id")
_FORGET: Final = Hot("""
    DELETE FROM messages WHERE position IN (
        SELECT position FROM messages
        WHERE settled_at IS NOT NULL AND settled_at < :before AND status <> 'quarantined' LIMIT :limit
    )
""")
_FORGET_PERSON: Final = Hot("UPDATE messages SET body = NULL, headers = '[]' WHERE affiliate_id = :affiliate_id")


class Inbox:
    """Keeps messages, hands out those that wait, and notes what became of them."""

    def __init__(self, connection: Connection, now: int) -> None:
        self._connection = connection
        self._now = now

    def keep(self, arrivals: Sequence[Kept]) -> list[bool]:
        """Keep messages in this order; False for one whose dedupe key its source brought before."""
        if _KEEP.change(self._connection, [_row(one) for one in arrivals]) == len(arrivals):
            return [True] * len(
                arrivals
            )  # no repeat among them: the usual case, and returning each id would cost as much
        kept = {row[0] for row in _AMONG.run(self._connection, [(one.id,) for one in arrivals])}
        return [one.id in kept for one in arrivals]

    def waiting(self, limit: int, *, after: int = 0) -> list[Kept]:
        """Return at most `limit` messages that wait, in order of arrival, behind a position.

        Fewer where their bodies pass WAITING_BYTES_MAX, but one at least if there is one.
        """
        found: list[Kept] = []
        size = 0
        cursor = _WAITING.run(self._connection, {"after": after, "limit": limit})
        for row in iter(cursor.fetchone, None):
            found.append(_kept((*_STORED, "position"), row))
            size += found[-1].size
            if size >= WAITING_BYTES_MAX:
                break
        cursor.close()
        return found

    def waits(self, message_id: str) -> bool:
        """Return whether a message still waits for its turn."""
        return _WAITS.run(self._connection, {"id": message_id}).fetchone() is not None

    def settle(
        self,
        message_id: str,
        status: MessageStatus,
        reason: str | None = None,
        *,
        word: str | None = None,
        occurred_at: int | None = None,
        affiliate_id: str | None = None,
        events: Sequence[str] = (),
    ) -> bool:
        """Note what became of a message that waits; False if it does not wait (any more), and nothing is changed."""
        values = {"id": message_id, "status": status, "reason": reason, "word": word, "occurred_at": occurred_at}
        values |= {"affiliate_id": affiliate_id, "events": _json(list(events)), "now": self._now}
        return _SETTLE.run(self._connection, values).rowcount == 1

    def get(self, organization_id: str, message_id: str) -> Kept | None:
        """Return a message of an organization, body and all."""
        query = select(messages).where(messages.c.id == message_id, messages.c.organization_id == organization_id)
        row = self._connection.execute(query).first()
        return None if row is None else _record(row)

    def page(
        self,
        organization_id: str,
        *,
        before: int | None,
        limit: int,
        since: int | None = None,
        descending: bool = True,
        **columns: Any,
    ) -> list[Kept]:
        """Return at most `limit` messages from beyond a position, without bodies; None values filter nothing.

        Newest first, or with `descending` False oldest first. `since`: received at that time (ms) or later.
        """
        position = messages.c.position
        listed = [column for column in messages.c if column.name != "body"]
        query = select(*listed).where(messages.c.organization_id == organization_id).limit(limit)
        query = query.order_by(position.desc() if descending else position)
        if before is not None:
            query = query.where(position < before if descending else position > before)
        return [_record(row) for row in self._connection.execute(_narrowed(query, since=since, **columns))]

    def at(self, positions: Sequence[int]) -> list[Kept]:
        """Return the messages at these positions, without bodies, in this order."""
        listed = [column for column in messages.c if column.name != "body"]
        query = select(*listed).where(messages.c.position.in_(positions))
        found = {row.position: _record(row) for row in self._connection.execute(query)}
        return [found[position] for position in positions if position in found]

    def count(self, organization_id: str, status: str, *, extent: Extent, **filters: Any) -> int:
        """Return how many messages of an extent have a status, were settled by then, and still say what they said.

        `filters` as of `page`, and `until`: received before that time (ms).
        """
        query = select(func.count()).where(
            messages.c.organization_id == organization_id,
            messages.c.status == status,
            messages.c.position <= extent.last,
            messages.c.settled_at <= extent.as_of,
            messages.c.body.is_not(None),
        )
        return int(self._connection.execute(_narrowed(query, **filters)).scalar_one())

    def last_position(self) -> int:
        """Return the position of the newest message, 0 if there is none."""
        return int(self._connection.execute(select(func.max(messages.c.position))).scalar() or 0)

    def move(self, message: Kept, status: MessageStatus, reason: str | None = None) -> bool:
        """Give a message as it was read another status, by hand; False if it has another one by now.

        Its word and dedupe key are stored with it. Received, it waits for its turn again.
        """
        settled_at = None if status in {"received", "quarantined"} else self._now
        values = {"id": message.id, "status": status, "reason": reason, "settled_at": settled_at}
        values |= {"before": message.status, "dedupe_key": message.dedupe_key, "word": message.word}
        return _MOVE.run(self._connection, values).rowcount == 1

    def key_taken(self, source_id: str, dedupe_key: str, *, besides: str) -> str | None:
        """Return the id of another message of the source with that dedupe key, None if there is none."""
        values = {"source_id": source_id, "dedupe_key": dedupe_key, "id": besides}
        row = _KEY_TAKEN.run(self._connection, values).fetchone()
        return None if row is None else str(row[0])

    def trim_rejected(self, source_id: str, *, count_max: int, bytes_max: int) -> int:
        """Drop the oldest messages of a source that were not genuine, beyond these numbers; return how many."""
        values = {"source_id": source_id, "count_max": count_max, "bytes_max": bytes_max}
        return _TRIM.run(self._connection, values).rowcount

    def parked(self, source_id: str) -> tuple[int, int]:
        """Return how many messages of a source are parked, and their bytes."""
        count, size = _PARKED.run(self._connection, {"source_id": source_id}).fetchone() or (0, 0)
        return int(count), int(size)

    def with_headers_like(self, text: str) -> list[Kept]:
        """Return the messages, without bodies, that were not genuine and whose headers hold a text, of all organizations."""
        listed = [column for column in messages.c if column.name != "body"]
        query = select(*listed).where(messages.c.status == "rejected")
        query = query.where(cast(messages.c.headers, Text).contains(text, autoescape=True))
        return [_record(row) for row in self._connection.execute(query)]

    def rewrite_headers(self, message_id: str, headers: Headers) -> None:
        """Replace a message's headers: for secrets sealed under another key, and for nothing else."""
        _REWRITE.run(self._connection, {"id": message_id, "headers": _json(headers)})

    def forget(self, before: int, *, limit: int) -> int:
        """Drop messages that were settled before a time (ms), and with them that they ever came; return how many.

        What waits and what is quarantined stays.
        """
        return _FORGET.run(self._connection, {"before": before, "limit": limit}).rowcount

    def forget_person(self, affiliate_id: str) -> int:
        """Drop bodies and headers of the messages about an affiliate; that they came stays. Return how many."""
        return _FORGET_PERSON.run(self._connection, {"affiliate_id": affiliate_id}).rowcount


def _narrowed(query: Select[Any], *, since: int | None = None, until: int | None = None, **columns: Any) -> Select[Any]:
    """Return a query with these conditions too; None values are none."""
    if since is not None:
        query = query.where(messages.c.received_at >= since)
    if until is not None:
        query = query.where(messages.c.received_at < until)
    for name, value in columns.items():
        if value is not None:
            query = query.where(messages.c[name] == value)
    return query


def _row(message: Kept) -> list[Any]:
    values = list(structs.astuple(message))
    for place in _JSON_PLACES:
        values[place] = _json(values[place])
    return values[:_POSITION_PLACE]


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _record(row: Row[Any]) -> Kept:
    return _kept(tuple(row._fields), row)


def _kept(names: Sequence[str], row: Sequence[Any]) -> Kept:
    values = dict(zip(names, row, strict=True))
    values["headers"] = msgspec.convert(_parsed(values["headers"]), tuple[tuple[str, str], ...])
    values["events"] = _parsed(values["events"])
    return Kept(**values)


def _parsed(value: Any) -> Any:
    """The driver gives JSON as text, SQLAlchemy as what it stands for."""
    return msgspec.json.decode(value) if isinstance(value, (str, bytes)) else value
