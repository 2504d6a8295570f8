"""Deliveries: what is on its way, what arrived, what did not and why; looked through, followed live, sent again."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from starlette.responses import Response

from affwire.console import places
from affwire.console.listing import SINCE, Badge, Bulk, Choices, Column, Facet, Listing, Live, Loaded, Query, Tone
from affwire.console.routes import Action, Nav, Route
from affwire.console.visit import Visit
from affwire.errors import Conflict, NotFound, Refused
from affwire.model.deliveries import Delivery
from affwire.model.endpoints import Endpoint
from affwire.model.events import EVENT_TYPES
from affwire.services import deliveries
from affwire.store.browse import WINDOW, Tried, Wanted
from affwire.store.tx import Tx

PATH: Final = "/deliveries"
REPLAY: Final = f"{PATH}/replay"
REPLAY_ALL: Final = f"{PATH}/replay-all"
CHOSEN_MAX: Final = 200
"""Deliveries chosen one by one: a page has no more; more than that is a job."""
CHANGES: Final = 100
"""Attempts that one look at the live rows brings."""
_STATUSES: Final = ("delivered", "retrying", "pending", "held", "leased", "exhausted", "cancelled")
_TONES: Final[Mapping[str, Tone]] = {
    "delivered": "good",
    "exhausted": "bad",
    "held": "warn",
    "retrying": "warn",
    "leased": "info",
    "pending": "info",
}
_OUTCOMES: Final = (
    ("ok", "succeeded"),
    ("failed", "failed"),
    ("unknown", "unknown"),
    *((f"{digit}xx", f"answered {digit}xx") for digit in "2345"),
)
_UNFIT: Final = {"held": "its endpoint does not go on", "leased": "it is under way"}


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
    status = "retrying" if waits else delivery.status
    return Badge(status, _TONES.get(status, "calm"))


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return a page of deliveries, and how far it looked where few of many fit."""
    look = tx.browse.deliveries(
        visit.organization_id, _wanted(query, tx.now), place=query.place, limit=query.limit, oldest=query.oldest
    )
    short = look.looked_to is not None and len(look.rows) < query.limit
    note = f"No more among the {WINDOW:,} looked through; the next page goes on from there." if short else None
    return Loaded(_rows(tx, look.rows), look.looked_to, note)


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


async def replay(visit: Visit) -> Response:
    """Show what sending the chosen deliveries again would do; once that is confirmed, do it."""
    chosen = visit.sent_all("id")[:CHOSEN_MAX]
    if not chosen:
        return visit.go(PATH, "Choose deliveries first: tick their boxes.", good=False)
    if visit.sent("confirmed"):
        sent, skipped = await visit.run(lambda tx: _replayed(tx, visit.organization_id, chosen))
        more = f"; {skipped} could not go" if skipped else ""
        return visit.go(PATH, f"{_counted(sent)} sent again{more}.", good=bool(sent))
    going, staying = await visit.read(lambda tx: _extent(tx, visit.organization_id, chosen))
    facts = [
        f"{_counted(going)} will be sent again, with the same event id: a receiver that dedupes does nothing twice."
    ]
    facts += [f"{_counted(count)} will not: {why}." for why, count in staying.items()]
    context = {
        "title": f"Send {_counted(going)} again?",
        "facts": facts,
        "fields": [("id", one) for one in chosen],
        "action": REPLAY,
        "button": f"Send {_counted(going)} again",
        "can": going > 0,
        "back": PATH,
    }
    return visit.show("confirm.html", context)


def _extent(tx: Tx, organization_id: str, chosen: Sequence[str]) -> tuple[int, dict[str, int]]:
    """Return how many of the chosen would be sent again, and how many not, by reason. Raises NotFound."""
    going, staying = 0, dict[str, int]()
    for one in (deliveries.get(tx, organization_id, delivery_id) for delivery_id in chosen):
        endpoint = tx.registry.endpoints([one.endpoint_id])[one.endpoint_id]
        why = "its endpoint was deleted" if endpoint.deleted_at is not None else _UNFIT.get(one.status)
        if why is None:
            going += 1
        else:
            staying[why] = staying.get(why, 0) + 1
    return going, staying


def _replayed(tx: Tx, organization_id: str, chosen: Sequence[str]) -> tuple[int, int]:
    sent = 0
    for delivery_id in chosen:
        try:
            deliveries.replay(tx, organization_id, delivery_id)
        except (Conflict, NotFound):
            continue
        sent += 1
    return sent, len(chosen) - sent


def _counted(count: int) -> str:
    return f"{count} {'delivery' if count == 1 else 'deliveries'}"


def _wanted(query: Query, now: int) -> Wanted:
    """Return what the facets ask for. Raises Refused for a status or an outcome that there is not."""
    for name, known in (("status", _STATUSES), ("outcome", [value for value, _ in _OUTCOMES])):
        value = query.get(name)
        if value is not None and value not in known:
            raise Refused("invalid_filter", f"{name} is one of: {', '.join(known)}.", parameter=name)
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
    return [(one.id, _named(one)) for one in tx.registry.find(Endpoint, visit.organization_id)]


def _named(endpoint: Endpoint) -> str:
    """Return how an endpoint is called: by its owner's note, else by its URL without what all have in common."""
    return endpoint.description or endpoint.url.removeprefix("https://").removeprefix("http://")


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
            lambda row: _named(row.endpoint) if row.endpoint else row.tried.delivery.endpoint_id,
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
        Facet("status", "Status", lambda _visit, _tx: [(one, one) for one in _STATUSES if one != "leased"], chips=True),
        Facet("outcome", "Outcome", lambda _visit, _tx: _OUTCOMES),
        Facet("endpoint", "Endpoint", _endpoints),
        Facet("dialect", "Dialect", lambda visit, _tx: [(one, one) for one in visit.desk.dialects]),
        Facet("type", "Event", lambda _visit, _tx: [(one, one) for one in EVENT_TYPES]),
        Facet("since", "Within the last", lambda _visit, _tx: SINCE),
        Facet("event", "Event id"),
    ),
    load=load,
    row_id=lambda row: row.tried.delivery.id,
    row_path=lambda row: row.path,
    empty=(
        "Nothing has been sent yet: a change in a program makes an event, and each endpoint that hears of it a delivery.",
        "affwire trigger membership.activated",
    ),
    bulk=(Bulk("Send again", REPLAY, key="r"),),
    everything=Bulk("Send all that fit again", REPLAY_ALL),
    live=Live(newest, changes),
)


NAV: Final = (Nav("Wire", "Deliveries", PATH),)
ROUTES: Final[tuple[Route, ...]] = (*LISTING.routes(), Action(REPLAY, replay))
