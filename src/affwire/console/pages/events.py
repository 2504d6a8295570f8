"""Events: what happened, in order; one of them with who heard of it, and through the lens of every dialect."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from affwire.console import bodies, places, states
from affwire.console.facets import WITHIN, Facet, among, told_of
from affwire.console.listing import Badge, Column, Listing, Live, Loaded, Query
from affwire.console.routes import Nav, Page, Route
from affwire.console.visit import Visit
from affwire.errors import NotFound
from affwire.model import canonical, sent
from affwire.model.deliveries import Delivery
from affwire.model.events import EVENT_TYPES, OPERATIONAL, Event
from affwire.model.registry import Affiliate, Program
from affwire.services import coverage, journal, lens
from affwire.store import looking, timeline
from affwire.store.log import Entry
from affwire.store.looking import Span
from affwire.store.tx import Tx

PATH: Final = "/events"
_ONE: Final = f"{PATH}/{{event_id}}"
CHANGES: Final = 100
"""Events that one look at the live rows brings."""
_RANKED: Final = ("exhausted", "held", "leased", "pending", "cancelled", "delivered")


class Row(Struct, frozen=True):
    """An event and the deliveries that were made for it."""

    event: Event
    deliveries: Sequence[Delivery]

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"{PATH}/{self.event.id}"

    @property
    def about(self) -> str:
        """Who or what it is about, as it was called then."""
        return name_of(self.event)

    @property
    def heard(self) -> Badge:
        """How it went with those who were told: the worst of it."""
        status = next((one for one in _RANKED if any(own.status == one for own in self.deliveries)), None)
        if status is None:
            return Badge("nobody told")
        count = sum(one.status == status for one in self.deliveries)
        total = len(self.deliveries)
        said = f"{count} of {total} {status}" if count < total else f"{total} {status}"
        return Badge(said, states.DELIVERIES[status].tone)


def name_of(event: Event) -> str:
    """Return what an event's subject was called when it happened."""
    one = event.snapshot.affiliate
    if one is not None and one.erased_at is not None:
        return "somebody who was erased"
    if one is not None:
        return " ".join(part for part in (one.first_name, one.last_name) if part) or one.email or one.id
    return event.snapshot.program.name if event.snapshot.program else event.subject_id


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return a page of events, and how far it looked where few of many fit."""
    since = query.since(tx.now)
    span = Span(place=query.place, limit=query.limit, oldest=query.oldest, since=since)
    found = looking.events_of(tx.connection, visit.organization_id, span, _marks(query))
    rows = _rows(tx, found.positions)
    return Loaded.looked(rows, found.looked_to, full=len(rows) == query.limit, window=looking.WINDOW)


def changes(visit: Visit, tx: Tx, query: Query, after: int) -> tuple[list[tuple[int, Row]], int]:
    """Return the events behind a position that fit, and how far that looked."""
    last = newest(visit, tx)
    span = Span(place=after, limit=CHANGES, oldest=True)
    found = looking.events_of(tx.connection, visit.organization_id, span, _marks(query))
    rows = list(zip(found.positions, _rows(tx, found.positions), strict=True))
    return rows, found.looked_to or max(after, last)


def newest(visit: Visit, tx: Tx) -> int:
    """Return the position of the latest event."""
    return tx.log.last_position(visit.organization_id)


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return an event, who heard of it, and what the lens shows of it. Raises NotFound."""
    organization_id, event_id = visit.organization_id, visit.path["event_id"]
    entry = journal.entry(tx, organization_id, event_id)
    rendering = lens.seen(tx, organization_id, event_id, visit.desk.dialects)
    facts = coverage.of(rendering, visit.desk.dialects)
    event, fates = entry.event, journal.event(tx, organization_id, event_id)["endpoints"]
    return {
        "title": event.type,
        "event": event,
        "about": name_of(event),
        "about_path": _about_path(tx, event),
        "fates": fates,
        "fate_badge": lambda outcome: states.badge(states.DELIVERIES, outcome),
        "changed": [(name, bodies.said(name, was), _now(event, name)) for name, was in event.previous.items()],
        "erased_at": lens.erased_at(event),
        "receivers": tx.registry.endpoints(sorted(one["endpoint_id"] for one in fates)),
        "meaning": {**EVENT_TYPES, **OPERATIONAL}.get(event.type, ""),
        "raw": msgspec.json.format(msgspec.json.encode(canonical.event(event)), indent=2).decode(),
        "path": f"{PATH}/{event.id}",
        "value": bodies.said,
        **_lens(visit, rendering, facts),
    }


class Said(Struct, frozen=True):
    """A request of a dialect, as the lens shows it: its words, its lines, each marked where the one beside it differs."""

    dialect: str
    title: str
    reason: str | None
    words: Sequence[str] = ()
    lines: Sequence[bodies.Line] = ()
    lost: Sequence[tuple[str, Any]] = ()
    changed: Sequence[tuple[str, Any, Any]] = ()
    cannot: Sequence[str] = ()


def _lens(visit: Visit, rendering: sent.Rendering, facts: Sequence[coverage.Fact]) -> dict[str, Any]:
    """Return what the lens shows: all dialects fact by fact, or one, or one beside another, with what differs."""
    views = {view["dialect"]: view for view in rendering["dialects"]}
    chosen, beside = visit.asked("dialect"), visit.asked("beside")
    for name in (chosen, beside):
        if name is not None and name not in views:
            raise NotFound("unknown_dialect", f"There is no dialect {name!r} here.")
    shown = [_said(visit, views[name], facts) for name in dict.fromkeys((chosen, beside)) if name]
    if len(shown) == 2:  # noqa: PLR2004 -- one beside the other
        shown = _beside(*shown)
    return {
        "dialects": list(views),
        "titles": {name: visit.desk.dialects[name].card.title for name in views},
        "silent": {name: view["reason"] for name, view in views.items() if view["reason"]},
        "speaking": [name for name in views if any(name in fact.cells for fact in facts)],
        "facts": facts,
        "chosen": chosen,
        "beside": beside,
        "shown": shown,
    }


def _said(visit: Visit, view: sent.DialectView, facts: Sequence[coverage.Fact]) -> Said:
    name, card = view["dialect"], visit.desk.dialects[view["dialect"]].card
    lines = [line for request in view["requests"] for line in _lines(request)]
    cells = [(fact, fact.cells[name]) for fact in facts if name in fact.cells]
    return Said(
        name,
        card.title,
        view["reason"],
        [request["word"] for request in view["requests"]],
        [bodies.Line(line, differs=False) for line in lines],
        [(fact.field, fact.value) for fact, cell in cells if cell.state == "missing"],
        [(fact.field, fact.value, cell.became) for fact, cell in cells if cell.state == "changed"],
        card.cannot,
    )


def _beside(one: Said, other: Said) -> list[Said]:
    left, right = bodies.marked([line.text for line in one.lines], [line.text for line in other.lines])
    return [msgspec.structs.replace(one, lines=left), msgspec.structs.replace(other, lines=right)]


def _lines(request: sent.RenderedRequest) -> list[str]:
    """Return a request as it would stand on the wire, its body over lines."""
    if request["reason"]:
        return [f"It cannot be said: {request['reason']}"]
    headers = [f"{name}: {value}" for name, value in request["headers"]]
    body = bodies.shown(coverage.request_of(request).body)
    return ["POST", *headers, "", *body.text.split("\n"), ""]


def _now(event: Event, name: str) -> str:
    """Return what a field that changed is since then."""
    own = event.own
    subject = own.membership if own is not None else event.snapshot.affiliate or event.snapshot.program
    return bodies.said(name, msgspec.to_builtins(getattr(subject, name, None)))


def _about_path(tx: Tx, event: Event) -> str | None:
    """Return the page of what an event is about, if that is still there."""
    kind: Any = Affiliate if event.affiliate_id else Program if event.program_id else None
    record_id = event.affiliate_id or event.program_id
    if kind is None or record_id is None or tx.registry.get(kind, event.organization_id, record_id) is None:
        return None
    return places.of(record_id)


def _marks(query: Query) -> dict[str, str | None]:
    return {
        "type": query.get("type"),
        "affiliate_id": query.get("affiliate"),
        "program_id": query.get("program"),
        "subject_id": query.get("subject"),
    }


def _rows(tx: Tx, positions: Sequence[int]) -> list[Row]:
    entries: list[Entry] = tx.log.at(positions)
    said = timeline.of_events(tx.connection, [one.event.id for one in entries])
    return [Row(one.event, said[one.event.id]) for one in entries]


LISTING: Final = Listing(
    path=PATH,
    title="Events",
    one="event",
    columns=(
        Column("type", "What happened", lambda row: row.event.type, href=lambda row: row.path),
        Column("about", "About", lambda row: row.about),
        Column("heard", "Heard by", lambda row: row.heard, "badge"),
        Column("actor", "By", lambda row: row.event.actor.kind, first=False),
        Column("sequence", "No", lambda row: row.event.sequence, "number", first=False, chosen=False),
        Column("deliveries", "Deliveries", lambda row: len(row.deliveries), "number", first=False, chosen=False),
        Column("occurred_at", "When", lambda row: row.event.occurred_at, "time"),
        Column("affiliate_id", "Affiliate", lambda row: row.event.affiliate_id, "id", first=False, chosen=False),
        Column("program_id", "Program", lambda row: row.event.program_id, "id", first=False, chosen=False),
        Column("id", "Event", lambda row: row.event.id, "id", href=lambda row: row.path),
    ),
    facets=(
        Facet("type", "Event", among((*EVENT_TYPES, *OPERATIONAL))),
        WITHIN,
        Facet("affiliate", "Affiliate", finds=told_of("affiliate")),
        Facet("program", "Program", finds=told_of("program")),
        Facet("subject", "Subject", finds=told_of()),
    ),
    load=load,
    row_id=lambda row: row.event.id,
    row_path=lambda row: row.path,
    empty=(
        "Nothing has happened yet: each change of a program, an affiliate or a membership becomes one event here.",
        "affwire trigger membership.activated",
    ),
    live=Live(newest, changes),
)

NAV: Final = (Nav("Wire", "Events", PATH),)
ROUTES: Final[tuple[Route, ...]] = (
    *LISTING.routes(),
    Page(_ONE, "events/page.html", view),
)
