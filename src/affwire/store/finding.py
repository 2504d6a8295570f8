"""What a search finds: records by a value that an index has, and by a name among the newest.

Rule: every look is bounded. What no index finds is looked for among the newest NAMED_MAX, and a page of hits ends it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Table, func, or_, select

from affwire.model import ids
from affwire.store.tables import (
    affiliates,
    attempts,
    deliveries,
    endpoints,
    events,
    external_ids,
    groups,
    identities,
    jobs,
    keys,
    links,
    mails,
    memberships,
    messages,
    programs,
    promo_codes,
    sources,
    users,
)

NAMED_MAX: Final = 50_000
"""Affiliates whose names are looked at, the newest first: some 40 ms where nobody is called so."""
LINKS_MAX: Final = 20_000
"""Links whose URLs are looked at, the newest first, where none of a URL's parts is a token."""
ATTEMPTS_MAX: Final = 5_000
"""Attempts that are looked at for an id, from when it was made: what a fast hour brings while the slowest of them lasts."""
FOUND_MAX: Final = 100
"""Of one value: whoever gets so many has asked for too little."""
RECORDS: Final = ("program", "affiliate", "membership", "group", "link", "promo_code")
"""What platforms have names for."""
_CALLED: Final = {
    programs: (("name",), "name"),
    affiliates: (("email_key", "first_name", "last_name", "company"), "name or address"),
    endpoints: (("url", "description"), "URL or description"),
    sources: (("name",), "name"),
}
"""What each kind of record is called by."""
SPEAKING_MAX: Final = 50
"""Endpoints of a dialect, the newest, whose deliveries are looked at: a search of all of them has one budget."""
_NEWEST: Final = {
    "program": programs.c.number,
    "affiliate": affiliates.c.number,
    "membership": memberships.c.number,
    "group": groups.c.number,
    "link": links.c.number,
    "promo_code": promo_codes.c.number,
    "endpoint": endpoints.c.number,
    "source": sources.c.number,
    "event": events.c.position,
    "delivery": deliveries.c.position,
    "message": messages.c.position,
    "job": jobs.c.id,
    "mail": mails.c.id,
    "key": keys.c.id,
    "user": users.c.id,
}
"""Each kind of record whose id is found by its end, in the order of an index."""
_SAID: Final = select(deliveries.c.event_id, deliveries.c.word, deliveries.c.subject_id)


class Named(Struct, frozen=True):
    """A record, and what about it matched."""

    record_id: str
    how: str


class Said(Struct, frozen=True):
    """What was said for an event: the word, and the record that it is about."""

    event_id: str
    word: str
    subject_id: str


def by_value(connection: Connection, organization_id: str, value: str, namespaces: Sequence[str]) -> list[Named]:
    """Return the records that others call so: external ids, platforms' ids in these namespaces, codes, tokens of links."""
    own = external_ids.c
    external = select(own.record_id, own.namespace).where(own.organization_id == organization_id, own.value == value)
    known = identities.c
    told = select(known.record_id, known.namespace).where(
        known.organization_id == organization_id,
        known.namespace.in_(namespaces),
        known.kind.in_(RECORDS),
        known.value == value,
        ~known.ended,
    )
    found = [Named(row[0], f"{row[1]} id") for query in (external, told) for row in _rows(connection, query)]
    code = _of(promo_codes, organization_id).where(promo_codes.c.code.in_({value, value.upper()}))
    found += [Named(row[0], "promo code") for row in _rows(connection, code)]
    return found + by_token(connection, organization_id, value)


def by_token(connection: Connection, organization_id: str, token: str) -> list[Named]:
    """Return the links with this token."""
    query = _of(links, organization_id).where(links.c.token == token)
    return [Named(row[0], "token of a link") for row in _rows(connection, query)]


def by_link(connection: Connection, organization_id: str, url: str) -> list[Named]:
    """Return the newest of an organization's links that lead to exactly this URL."""
    newest = select(links.c.id, links.c.url).where(links.c.organization_id == organization_id)
    seen = newest.order_by(links.c.number.desc()).limit(LINKS_MAX).subquery()
    return [Named(row[0], "link") for row in _rows(connection, select(seen.c.id).where(seen.c.url == url))]


def by_dedupe_key(connection: Connection, source_ids: Sequence[str], key: str) -> list[Named]:
    """Return the messages of these sources whose platform gave them this id (webhook-id and the like)."""
    query = select(messages.c.id).where(messages.c.source_id.in_(source_ids), messages.c.dedupe_key == key)
    return [Named(row[0], "the platform's id of a message") for row in _rows(connection, query)]


def by_number(connection: Connection, organization_id: str, number: int) -> list[Named]:
    """Return the programs, affiliates and memberships that have this number."""
    tables = (programs, affiliates, memberships)
    queries = (_of(table, organization_id).where(table.c.number == number) for table in tables)
    return [Named(row[0], "number") for query in queries for row in _rows(connection, query)]


def by_address(connection: Connection, organization_id: str, email_key: str) -> list[Named]:
    """Return the affiliate with that address."""
    # The condition stands here in the words of the index, which is looked into for nothing else.
    query = _of(affiliates, organization_id).where(
        affiliates.c.email_key == email_key, affiliates.c.email_key.is_not(None)
    )
    return [Named(row[0], "address") for row in _rows(connection, query)]


def by_name(connection: Connection, organization_id: str, text: str, limit: int) -> list[Named]:
    """Return the newest records, of each kind the newest NAMED_MAX, whose names hold all words of a text."""
    words = text.split()
    return [one for table in _CALLED for one in _called(connection, organization_id, table, words, limit)]


def endpoints_at(connection: Connection, organization_id: str, url: str, limit: int) -> list[Named]:
    """Return the newest endpoints, of NAMED_MAX, whose URL holds this part of one."""
    return _called(connection, organization_id, endpoints, [url], limit)


def by_ending(connection: Connection, organization_id: str, kind: str, ending: str) -> list[Named]:
    """Return the newest records of a kind, of NAMED_MAX, whose id ends so: as pages shorten it; of attempts, their deliveries."""
    if kind == "attempt":
        own, place = attempts.c, deliveries.c.position
        seen = _newest(organization_id, own.id, own.position, own.delivery_position)
        query = select(deliveries.c.id).join(seen, place == seen.c.delivery_position)
    elif kind in _NEWEST:
        seen = _newest(organization_id, _NEWEST[kind].table.c.id, _NEWEST[kind])
        query = select(seen.c.id)
    else:
        return []
    ends = query.where(seen.c.id.endswith(ending, autoescape=True))
    return [Named(row[0], "shortened id") for row in _rows(connection, ends)]


def addresses(connection: Connection, organization_id: str, limit: int) -> Iterator[tuple[str, str]]:
    """Yield the newest affiliates' ids and addresses, deleted ones too, of those who have one."""
    own = affiliates.c
    query = select(own.id, own.email).where(own.organization_id == organization_id).order_by(own.number.desc())
    return ((row[0], row[1]) for row in connection.execute(query.limit(limit)) if row[1])


def said_by(connection: Connection, organization_id: str, dialect: str, limit: int) -> Iterator[Said]:
    """Yield what was said to a dialect's endpoints, deleted ones too: the newest of each, `limit` of all."""
    own = endpoints.c
    speaking = select(own.id).where(own.organization_id == organization_id, own.dialect == dialect)
    its = connection.execute(speaking.order_by(own.number.desc()).limit(SPEAKING_MAX)).scalars().all()
    for endpoint_id in its:
        mine = deliveries.c.organization_id == organization_id, deliveries.c.endpoint_id == endpoint_id
        query = _SAID.where(*mine).order_by(deliveries.c.position.desc()).limit(limit // len(its))
        yield from (Said(*row) for row in connection.execute(query))


def said_for(connection: Connection, event_ids: Sequence[str]) -> Iterator[Said]:
    """Yield what was said for some events."""
    return (Said(*row) for row in connection.execute(_SAID.where(deliveries.c.event_id.in_(event_ids))))


def events_of_time(connection: Connection, organization_id: str, at: int, limit: int) -> list[str]:
    """Return the ids of the events whose id was made at a time (ms): ids begin with it, and have an index."""
    first, last = (f"{ids.PREFIXES['event']}_{ids.text(number)}" for number in (at << 80, (at + 1 << 80) - 1))
    query = select(events.c.id).where(events.c.id.between(first, last), events.c.organization_id == organization_id)
    return list(connection.execute(query.order_by(events.c.id).limit(limit)).scalars())


def of_attempt(connection: Connection, organization_id: str, attempt_id: str, made_at: int) -> Named | None:
    """Return the delivery that an attempt, which has ended, belongs to, by the attempt's id and the time (ms) in it."""
    begin = _first_ended(connection, organization_id, made_at)
    one = attempts.c
    later = select(one.id, one.delivery_position).where(one.organization_id == organization_id, one.position >= begin)
    seen = later.order_by(one.position).limit(ATTEMPTS_MAX).subquery()
    its = deliveries.c.position == seen.c.delivery_position
    rows = _rows(connection, select(deliveries.c.id).join(seen, its).where(seen.c.id == attempt_id))
    return Named(rows[0][0], "attempt") if rows else None


def _first_ended(connection: Connection, organization_id: str, at: int) -> int:
    """Return a position before which no attempt ended at a time (ms) or later: positions and times grow together."""
    own = attempts.c
    mine = select(own.position, own.ended_at).where(own.organization_id == organization_id).order_by(own.position)
    # Each by itself: asked for both at once, SQLite walks through all.
    ends = (select(end(own.position)).where(own.organization_id == organization_id) for end in (func.min, func.max))
    low, high = (connection.execute(one).scalar() or 0 for one in ends)
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(mine.where(own.position >= middle).limit(1)).one()
        low, high = (row.position + 1, high) if row.ended_at < at else (low, middle)
    return int(low)


def _newest(organization_id: str, identifier: Any, place: Any, *others: Any) -> Any:
    query = select(identifier, *others).where(identifier.table.c.organization_id == organization_id)
    return query.order_by(place.desc()).limit(NAMED_MAX).subquery()


def _called(
    connection: Connection, organization_id: str, table: Table, words: Sequence[str], limit: int
) -> list[Named]:
    names, how = _CALLED[table]
    query = select(*(table.c[name] for name in ("id", *names))).where(table.c.organization_id == organization_id)
    query = query.where(table.c.deleted_at.is_(None)).order_by(table.c.number.desc())
    seen = query.limit(NAMED_MAX).subquery().c
    # SQLite's LIKE knows no case of ASCII by itself, and asking for it as others do costs half as much again.
    hold = _contains if connection.dialect.name == "sqlite" else _icontains
    wanted = (or_(*(hold(seen[name], word) for name in names)) for word in words)
    return [Named(row[0], how) for row in connection.execute(select(seen.id).where(*wanted).limit(limit))]


def _contains(column: Any, word: str) -> ColumnElement[bool]:
    return or_(*(column.contains(form, autoescape=True) for form in _forms(word)))


def _icontains(column: Any, word: str) -> ColumnElement[bool]:
    return or_(*(column.icontains(form, autoescape=True) for form in _forms(word)))


def _forms(word: str) -> list[str]:
    """Return a word as it may stand: beyond ASCII, databases tell capitals from small letters."""
    return [word] if word.isascii() else sorted({word, word.lower(), word.upper(), word.title()})


def _of(table: Table, organization_id: str) -> Any:
    query = select(table.c.id).where(table.c.organization_id == organization_id)
    return query.where(table.c.deleted_at.is_(None)) if "deleted_at" in table.c else query


def _rows(connection: Connection, query: Any) -> Sequence[Any]:
    return connection.execute(query.limit(FOUND_MAX)).all()
