"""The inbox: every message that came in, and what became of it; chosen ones are processed once more."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from starlette.responses import Response

from affwire.console import places
from affwire.console.listing import SINCE, Badge, Bulk, Choices, Column, Facet, Listing, Live, Loaded, Query, Tone
from affwire.console.routes import Action, Nav, Route
from affwire.console.visit import Visit
from affwire.errors import Conflict, NotFound, Refused
from affwire.model.inbound import STATUSES, Kept, Source
from affwire.services import inbox
from affwire.store import looking
from affwire.store.looking import Span
from affwire.store.tx import Tx

PATH: Final = "/inbox"
REPROCESS: Final = f"{PATH}/reprocess"
CHOSEN_MAX: Final = 200
"""Messages chosen one by one: a page has no more."""
CHANGES: Final = 100
"""Messages that one look at the live rows brings."""
PATIENCE_MS: Final = 3_000
"""How long a live row waits for its message to be processed, which takes milliseconds: then it is shown with its verdict."""
TONES: Final[Mapping[str, Tone]] = {
    "applied": "good",
    "parked": "warn",
    "rejected": "bad",
    "quarantined": "warn",
    "received": "info",
}
_UNFIT: Final = {
    "rejected": "it was not genuine: judge it anew first",
    "quarantined": "it is set aside: release it",
    "received": "it waits for its turn already",
}


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
    short = found.looked_to is not None and len(found.positions) < query.limit
    note = f"No more among the {looking.WINDOW:,} looked through; the next page goes on from there." if short else None
    return Loaded(_rows(tx, found.positions), found.looked_to, note)


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


async def reprocess(visit: Visit) -> Response:
    """Show what processing the chosen messages once more comes to; once that is confirmed, do it."""
    chosen = visit.sent_all("id")[:CHOSEN_MAX]
    if not chosen:
        return visit.go(PATH, "Choose messages first: tick their boxes.", good=False)
    if visit.sent("confirmed"):
        done = await visit.run(lambda tx: _reprocessed(visit, tx, chosen))
        more = f"; {len(chosen) - done} could not be" if done < len(chosen) else ""
        return visit.go(PATH, f"{_counted(done)} in line again{more}.", good=bool(done))
    going, staying = await visit.read(lambda tx: _extent(visit, tx, chosen))
    facts = [
        f"{_counted(going)} will be processed as if they came now. What was carried out already changes nothing again."
    ]
    facts += [f"{_counted(count)} will not: {why}." for why, count in staying.items()]
    context = {
        "title": f"Process {_counted(going)} once more?",
        "facts": facts,
        "fields": [("id", one) for one in chosen],
        "action": REPROCESS,
        "button": f"Process {_counted(going)} once more",
        "can": going > 0,
        "back": PATH,
    }
    return visit.show("confirm.html", context)


def _extent(visit: Visit, tx: Tx, chosen: Sequence[str]) -> tuple[int, dict[str, int]]:
    going, staying = 0, dict[str, int]()
    for message_id in chosen:
        message = inbox.get(tx, visit.organization_id, message_id)
        why = "what they said was erased" if message.body is None else _UNFIT.get(message.status)
        if why is None:
            going += 1
        else:
            staying[why] = staying.get(why, 0) + 1
    return going, staying


def _reprocessed(visit: Visit, tx: Tx, chosen: Sequence[str]) -> int:
    done = 0
    for message_id in chosen:
        try:
            inbox.reprocess(tx, visit.organization_id, visit.desk.dialects, message_id)
        except (Conflict, NotFound):
            continue
        done += 1
    return done


def _counted(count: int) -> str:
    return f"{count} {'message' if count == 1 else 'messages'}"


def _marks(query: Query) -> dict[str, str | None]:
    """Return what the facets ask for. Raises Refused for a status that there is not."""
    status = query.get("status")
    if status is not None and status not in STATUSES:
        raise Refused("invalid_filter", f"status is one of: {', '.join(STATUSES)}.", parameter="status")
    return {
        "status": status,
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


_STATUS: Final = Column(
    "status", "Verdict", lambda row: Badge(row.message.status, TONES.get(row.message.status, "calm")), "badge"
)
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
        Facet("status", "Verdict", lambda _visit, _tx: [(one, one) for one in STATUSES], chips=True),
        Facet("source", "Source", _sources),
        Facet("dialect", "Platform", lambda visit, _tx: [(one, one) for one in visit.desk.dialects]),
        Facet("since", "Within the last", lambda _visit, _tx: SINCE),
        Facet("word", "Says"),
        Facet("affiliate", "Affiliate"),
    ),
    load=load,
    row_id=lambda row: row.message.id,
    row_path=lambda row: row.path,
    empty=(
        "Nothing has come in yet: messages arrive at a source, whose URL a platform sends to. This plays one:",
        "affwire inbox simulate src_...",
    ),
    bulk=(Bulk("Process again", REPROCESS, key="r"),),
    live=Live(newest, changes),
)

NAV: Final = (Nav("Wire", "Inbox", PATH),)
ROUTES: Final[tuple[Route, ...]] = (*LISTING.routes(), Action(REPROCESS, reprocess))
