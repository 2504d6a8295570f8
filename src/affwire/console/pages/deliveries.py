"""Deliveries: what is on its way, what arrived, what did not and why; looked through, followed live, sent again."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from affwire.console import places, starting, states
from affwire.console.facets import WITHIN, Choices, Facet, among, dialects, record
from affwire.console.listing import Badge, Bulk, Column, Listing, Live, Loaded, Query
from affwire.console.routes import Nav, Route
from affwire.console.visit import Visit
from affwire.model.deliveries import Delivery
from affwire.model.endpoints import Endpoint
from affwire.model.events import EVENT_TYPES
from affwire.store.browse import WINDOW, Tried, Wanted
from affwire.store.tx import Tx

PATH: Final = "/deliveries"
REPLAY: Final = f"{PATH}/replay"
REPLAY_ALL: Final = f"{PATH}/replay-all"
SENT_AGAIN: Final = frozenset({None, "exhausted", "cancelled", "delivered", "pending", "retrying"})
"""What the facet of the status may be for all that fits to be sent again: the rest goes on by itself."""
CHANGES: Final = 100
"""Attempts that one look at the live rows brings."""
_OUTCOMES: Final = (
    ("ok", "succeeded"),
    ("failed", "failed"),
    ("unknown", "unknown"),
    *((f"{digit}xx", f"answered {digit}xx") for digit in "2345"),
)


class Row(Struct, frozen=True):
    """A delivery and where it goes."""

    tried: Tried
    endpoint: Endpoint | None

    @property
    def status(self) -> str:
        """The delivery's status; a try that failed and is tried again is said so."""
        return status_badge(self.tried.delivery).text

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"{PATH}/{self.tried.delivery.id}"

    @property
    def answer(self) -> str | None:
        """What came of the latest attempt: a status code, else what went wrong."""
        code, error = self.tried.status_code, self.tried.error
        return str(code) if code is not None else error


def status_badge(delivery: Delivery) -> Badge:
    """Return how a delivery stands: one that was tried and waits for another try is retrying."""
    waits = delivery.status == "pending" and delivery.attempts > 0
    return states.badge(states.DELIVERIES, states.RETRYING if waits else delivery.status)


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return a page of deliveries, and how far it looked where few of many fit."""
    look = tx.browse.deliveries(
        visit.organization_id, _wanted(query, tx.now), place=query.place, limit=query.limit, oldest=query.oldest
    )
    full = len(look.rows) == query.limit
    return Loaded.looked(_rows(tx, look.rows), look.looked_to, full=full, window=WINDOW)


def changes(visit: Visit, tx: Tx, query: Query, after: int) -> tuple[list[tuple[int, Row]], int]:
    """Return the deliveries that were tried behind a position and fit, each once, and how far that looked."""
    organization_id = visit.organization_id
    last = tx.attempts.last_position(organization_id)
    tried = tx.attempts.page(organization_id, after=after, limit=CHANGES)
    positions = {delivery.position: attempt.position for attempt, delivery in tried}
    wanted = _wanted(query, tx.now)
    rows = _rows(tx, tx.browse.deliveries_by_position(organization_id, sorted(positions), wanted))
    found = sorted(((positions[row.tried.delivery.position], row) for row in rows), key=lambda one: one[0])
    return found, (tried[-1][0].position if tried else max(after, last))


def newest(visit: Visit, tx: Tx) -> int:
    """Return the position of the latest attempt."""
    return tx.attempts.last_position(visit.organization_id)


def _wanted(query: Query, now: int) -> Wanted:
    """Return what the facets ask for."""
    return Wanted(
        status=query.get("status"),
        outcome=query.get("outcome"),
        endpoint_id=query.get("endpoint"),
        dialect=query.get("dialect"),
        type=query.get("type"),
        event_id=query.get("event"),
        since=query.since(now),
    )


def _rows(tx: Tx, found: Sequence[Tried]) -> list[Row]:
    endpoints = tx.registry.endpoints(sorted({one.delivery.endpoint_id for one in found}))
    return [Row(one, endpoints.get(one.delivery.endpoint_id)) for one in found]


def _endpoints(visit: Visit, tx: Tx) -> Choices:
    return [(one.id, one.called) for one in tx.registry.find(Endpoint, visit.organization_id)]


LISTING: Final = Listing(
    path=PATH,
    title="Deliveries",
    one="delivery",
    columns=(
        Column("status", "Status", lambda row: status_badge(row.tried.delivery), "badge"),
        Column("event_type", "Event", lambda row: row.tried.event_type, href=lambda row: row.path),
        Column(
            "endpoint",
            "Endpoint",
            lambda row: row.endpoint.called if row.endpoint else row.tried.delivery.endpoint_id,
            href=lambda row: places.of(row.tried.delivery.endpoint_id),
        ),
        Column("dialect", "Dialect", lambda row: row.endpoint.dialect if row.endpoint else None, chosen=False),
        Column("word", "Said as", lambda row: row.tried.delivery.word, "code", chosen=False),
        Column("answer", "Answer", lambda row: row.answer, "code"),
        Column("attempts", "Tries", lambda row: row.tried.delivery.attempts, "number"),
        Column("took", "Took", lambda row: row.tried.attempt_ms, "ms", first=False),
        Column(
            "due_at",
            "Next try",
            lambda row: row.tried.delivery.due_at if row.tried.delivery.status == "pending" else None,
            "ago",
        ),
        Column("reason", "Why", lambda row: row.tried.delivery.reason, first=False, chosen=False),
        Column("created_at", "Made", lambda row: row.tried.delivery.created_at, "time"),
        Column("id", "Delivery", lambda row: row.tried.delivery.id, "id", first=False),
        Column("event_id", "Event id", lambda row: row.tried.delivery.event_id, "id", first=False, chosen=False),
    ),
    facets=(
        Facet("status", "Status", among(states.DELIVERIES), chips=True),
        Facet("outcome", "Outcome", lambda _visit, _tx: _OUTCOMES),
        Facet("endpoint", "Endpoint", _endpoints, finds=record(Endpoint)),
        dialects("Dialect"),
        Facet("type", "Event", among(EVENT_TYPES)),
        WITHIN,
        Facet("event", "Event id", finds=lambda visit, tx, value: tx.log.get(visit.organization_id, value)),
    ),
    load=load,
    row_id=lambda row: row.tried.delivery.id,
    row_path=lambda row: row.path,
    empty=starting.deliveries,
    bulk=(Bulk("Send again", REPLAY, key="r"),),
    everything=Bulk("Send all that fit again", REPLAY_ALL, statuses=SENT_AGAIN),
    live=Live(newest, changes),
)


NAV: Final = (Nav("Wire", "Deliveries", PATH),)
ROUTES: Final[tuple[Route, ...]] = LISTING.routes()
