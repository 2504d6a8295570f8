"""The inbox: every message that came in, and what became of it; chosen ones are processed once more."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from affwire.console import places, starting, states
from affwire.console.facets import WITHIN, Choices, Facet, among, dialects, record, told_of
from affwire.console.listing import Bulk, Column, Listing, Live, Loaded, Query
from affwire.console.routes import Nav, Route
from affwire.console.visit import Visit
from affwire.model.inbound import Kept, Source
from affwire.store import looking
from affwire.store.looking import Span
from affwire.store.tx import Tx

PATH: Final = "/inbox"
REPROCESS: Final = f"{PATH}/reprocess"
REPROCESS_ALL: Final = f"{PATH}/reprocess-all"
PARKED: Final = frozenset({"parked"})
"""What the facet of the status must be for all that fits to be processed once more."""
CHANGES: Final = 100
"""Messages that one look at the live rows brings."""
PATIENCE_MS: Final = 3_000
"""How long a live row waits for its message to be processed, which takes milliseconds: then it is shown with its verdict."""


class Row(Struct, frozen=True):
    """A message and where it came in."""

    message: Kept
    source: Source | None

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"{PATH}/{self.message.id}"


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return a page of messages, and how far it looked where few of many fit."""
    span = Span(place=query.place, limit=query.limit, oldest=query.oldest, since=query.since(tx.now))
    found = looking.messages_of(tx.connection, visit.organization_id, span, _marks(query))
    rows = _rows(tx, found.positions)
    return Loaded.looked(rows, found.looked_to, full=len(rows) == query.limit, window=looking.WINDOW)


def of_source(tx: Tx, organization_id: str, source_id: str, limit: int) -> list[Row]:
    """Return the newest messages of a source."""
    found = looking.messages_of(tx.connection, organization_id, Span(limit=limit), {"source_id": source_id})
    return _rows(tx, found.positions)


def changes(visit: Visit, tx: Tx, query: Query, after: int) -> tuple[list[tuple[int, Row]], int]:
    """Return the messages behind a position that fit, up to the first that is being processed, and how far that looked."""
    span = Span(place=after, limit=CHANGES, oldest=True)
    everything = looking.messages_of(tx.connection, visit.organization_id, span, {})
    settled: list[int] = []
    for row in _rows(tx, everything.positions):
        if row.message.status == "received" and row.message.received_at > tx.now - PATIENCE_MS:
            break
        settled.append(row.message.position)
    if not settled:
        return [], after
    fitting = looking.messages_of(tx.connection, visit.organization_id, span, _marks(query)).positions
    here = [position for position in fitting if position <= settled[-1]]
    return list(zip(here, _rows(tx, here), strict=True)), settled[-1]


def newest(_visit: Visit, tx: Tx) -> int:
    """Return the position of the latest message."""
    return tx.inbox.last_position()


def _marks(query: Query) -> dict[str, str | None]:
    """Return what the facets ask for."""
    return {
        "status": query.get("status"),
        "source_id": query.get("source"),
        "dialect": query.get("dialect"),
        "word": query.get("word"),
        "affiliate_id": query.get("affiliate"),
    }


def _rows(tx: Tx, positions: Sequence[int]) -> list[Row]:
    messages = tx.inbox.at(positions)
    owners = {one.source_id: one.organization_id for one in messages}
    known = {one: tx.registry.get_even_deleted(Source, owner, one) for one, owner in owners.items()}
    return [Row(one, known[one.source_id]) for one in messages]


def _sources(visit: Visit, tx: Tx) -> Choices:
    return [(one.id, one.name or one.dialect) for one in tx.registry.find(Source, visit.organization_id)]


_STATUS: Final = Column("status", "Status", lambda row: states.badge(states.MESSAGES, row.message.status), "badge")
_WORD: Final = Column("word", "Says", lambda row: row.message.word or "nothing known", href=lambda row: row.path)
_REASON: Final = Column("reason", "Why", lambda row: row.message.reason, first=False)
_EVENTS: Final = Column("events", "Events", lambda row: len(row.message.events), "number")
_RECEIVED: Final = Column("received_at", "Came", lambda row: row.message.received_at, "time")
_ID: Final = Column("id", "Message", lambda row: row.message.id, "id", href=lambda row: row.path)
BRIEF: Final = (_STATUS, _WORD, _REASON, _EVENTS, _RECEIVED, _ID)
"""What a source's own page shows of its messages."""

LISTING: Final = Listing(
    path=PATH,
    title="Inbox",
    one="message",
    columns=(
        _STATUS,
        _WORD,
        Column(
            "source",
            "Source",
            lambda row: (row.source.name if row.source else None) or row.message.dialect,
            href=lambda row: places.of(row.message.source_id),
        ),
        _REASON,
        _EVENTS,
        Column("size", "Bytes", lambda row: row.message.size, "number", first=False),
        Column("dialect", "Platform", lambda row: row.message.dialect, first=False, chosen=False),
        Column("dedupe_key", "Dedupe key", lambda row: row.message.dedupe_key, "code", first=False, chosen=False),
        Column("hops", "Hops", lambda row: row.message.hops, "number", first=False, chosen=False),
        _RECEIVED,
        _ID,
    ),
    facets=(
        Facet("status", "Status", among(states.MESSAGES), chips=True),
        Facet("source", "Source", _sources, finds=record(Source)),
        dialects("Platform"),
        WITHIN,
        Facet("word", "Says"),
        Facet("affiliate", "Affiliate", finds=told_of("affiliate")),
    ),
    load=load,
    row_id=lambda row: row.message.id,
    row_path=lambda row: row.path,
    empty=starting.inbox,
    bulk=(Bulk("Process again", REPROCESS, key="r"),),
    everything=Bulk("Process all that fit", REPROCESS_ALL, statuses=PARKED),
    live=Live(newest, changes),
)

NAV: Final = (Nav("Wire", "Inbox", PATH),)
ROUTES: Final[tuple[Route, ...]] = LISTING.routes()
