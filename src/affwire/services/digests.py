"""Ids that a dialect digests from ours, found again: nobody turns a digest back, but all it may be made of is asked.

Rule: every look is bounded, and whoever shows what it found says the bound.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from affwire.dialects import passing
from affwire.dialects.base import Dialect
from affwire.dialects.naming import NamesMessages, NamesPeople
from affwire.model import ids
from affwire.store import finding
from affwire.store.finding import Named, Said
from affwire.store.tx import Tx

PEOPLE_MAX: Final = 12_000
"""Affiliates, the newest, whose address is digested: some 50 ms of one reader's time, for a search has 100."""
SAID_MAX: Final = 12_000
"""Deliveries to a dialect's endpoints, the newest, whose message's id is digested: some 50 ms of one reader's time."""
MOVED_MAX: Final = 500
"""Of them, changes of an address that are asked for the one before: some 25 ms."""
AT_ONCE_MAX: Final = 500
"""Events of one millisecond that are asked for the id of a message: as many as a batch makes."""
_SAMPLE: Final = ids.make("event", 0, 0)
_TIME_SHIFT: Final = 80
"""Bits behind the time (ms) in an id."""


def messages(tx: Tx, organization_id: str, text: str, dialects: Mapping[str, Dialect]) -> list[Named]:
    """Return the events that a dialect tells of in messages with this id."""
    return [
        found
        for one in dialects.values()
        if isinstance(one, NamesMessages) and _alike(one, text)
        for found in _said(tx, organization_id, text, one, one)
    ]


def people(tx: Tx, organization_id: str, text: str, dialects: Mapping[str, Dialect]) -> list[Named]:
    """Return the affiliates, deleted ones too, whom a dialect calls so by their address, or called so by the one before."""
    return [
        Named(affiliate_id, f"{one.card.name} id")
        for one in dialects.values()
        if isinstance(one, NamesPeople) and _called(one, text)
        for affiliate_id in _people(tx, organization_id, text, one, one)
    ]


def _people(tx: Tx, organization_id: str, text: str, dialect: Dialect, naming: NamesPeople) -> list[str]:
    known = finding.addresses(tx.connection, organization_id, PEOPLE_MAX)
    now = [affiliate_id for affiliate_id, address in known if naming.affiliate_id(address) == text]
    return now or [
        affiliate_id
        for affiliate_id, address in _moved_from(tx, organization_id, dialect)
        if naming.affiliate_id(address) == text
    ]


def _moved_from(tx: Tx, organization_id: str, dialect: Dialect) -> Iterator[tuple[str, str]]:
    """Yield who had which address before: a new one makes the dialect say of one event that one ended and another began."""
    words: dict[str, set[str]] = {}
    for one in finding.said_by(tx.connection, organization_id, dialect.card.name, SAID_MAX):
        words.setdefault(one.event_id, set()).add(one.word)
    moves = [event_id for event_id, its in words.items() if len(its) > 1][:MOVED_MAX]
    for event in tx.log.by_ids(moves).values():
        if event.affiliate_id and event.previous.get("email"):
            yield event.affiliate_id, event.previous["email"]


def _said(tx: Tx, organization_id: str, text: str, dialect: Dialect, naming: NamesMessages) -> list[Named]:
    known = _candidates(tx, organization_id, text, dialect)
    its = (one.event_id for one in known if naming.message_id(one.event_id, one.word, one.subject_id) == text)
    event_id = next(its, None)
    return [] if event_id is None else [Named(event_id, f"the id of a message in {dialect.card.name}")]


def _candidates(tx: Tx, organization_id: str, text: str, dialect: Dialect) -> Iterator[Said]:
    """Yield what a message with this id may say: of its time, if the id begins with that, else the newest."""
    try:
        at = ids.number_of(text) >> _TIME_SHIFT
    except ValueError:
        return finding.said_by(tx.connection, organization_id, dialect.card.name, SAID_MAX)
    return _of_time(tx, organization_id, at, dialect)


def _of_time(tx: Tx, organization_id: str, at: int, dialect: Dialect) -> Iterator[Said]:
    """Yield what was said for the events of a millisecond, and what the dialect would say to an endpoint that asks for it."""
    event_ids = finding.events_of_time(tx.connection, organization_id, at, AT_ONCE_MAX)
    yield from finding.said_for(tx.connection, event_ids)
    for event in tx.log.by_ids(event_ids).values():
        yield from (Said(event.id, one.word, one.subject) for one in passing.said(dialect, event))


def _alike(dialect: NamesMessages, text: str) -> bool:
    """Whether a text has the form of a dialect's ids of messages: their prefix and length."""
    return _form(dialect.message_id(_SAMPLE, "", "")) == _form(text)


def _called(dialect: NamesPeople, text: str) -> bool:
    return _form(dialect.affiliate_id("")) == _form(text)


def _form(text: str) -> tuple[str, int]:
    return text.rpartition("_")[0], len(text)
