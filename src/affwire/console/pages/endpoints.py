"""Endpoints: who is told, in which dialect, and how each is doing; a new one, made in one form."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from affwire.console import starting, states
from affwire.console.facets import dialects
from affwire.console.forms import Field, Form
from affwire.console.listing import Badge, Column, Listing, Loaded, Query, Share
from affwire.console.routes import Action, Nav, Page, Route
from affwire.console.visit import Visit
from affwire.dialects.base import Card
from affwire.errors import Refused
from affwire.model.endpoints import Endpoint
from affwire.model.events import EVENT_TYPES
from affwire.services import endpoints, fitness, health, organizations
from affwire.services.endpoints import Wish, card_of
from affwire.services.fitness import Fitness
from affwire.store.health import Backlog
from affwire.store.tx import Tx

PATH: Final = "/endpoints"
DAY_MS: Final = 86_400_000
FIELDS: Final = (
    Field("url", "URL", "url", hint="Where the receiver takes its POSTs.", required=True),
    Field("description", "Description", hint="What you call it. Lists show this rather than the URL."),
)
TOKEN: Final = Field(
    "bearer_token", "Bearer token", hint="Sent along as the receiver's proof. Kept sealed, never shown."
)


class Row(Struct, frozen=True):
    """An endpoint, how it stands, how it did for a day, and what has not ended there."""

    endpoint: Endpoint
    state: str
    fitness: Fitness | None
    backlog: Backlog
    last_error: str | None

    @property
    def unfinished(self) -> int:
        """Deliveries that have not ended."""
        return self.backlog.pending + self.backlog.held + self.backlog.leased


def state_badge(state: str) -> Badge:
    """Return the state of an endpoint as a badge."""
    return states.badge(states.ENDPOINTS, state)


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return a page of endpoints, in order of number."""
    found = tx.registry.page(
        Endpoint, visit.organization_id, after=query.place, limit=query.limit + 1, dialect=query.get("dialect")
    )
    shown, more = found[: query.limit], len(found) > query.limit
    fit = fitness.of_all(tx, visit.organization_id, DAY_MS)
    return Loaded([_row(tx, one, fit.get(one.id)) for one in shown], shown[-1].number if more else None)


def _row(tx: Tx, endpoint: Endpoint, fit: Fitness | None) -> Row:
    known = tx.health.get(endpoint.id)
    return Row(endpoint, health.state(endpoint, known), fit, tx.health.backlog(endpoint.id), known.last_error)


def new(visit: Visit, tx: Tx) -> Mapping[str, Any]:  # noqa: ARG001 -- a view
    """Return the dialects to choose from; with one chosen, its form. Raises Refused("unknown_dialect")."""
    chosen = visit.asked("dialect")
    if chosen is None:
        return {
            "title": "New endpoint: which dialect?",
            "cards": [one.card for one in visit.desk.dialects.values()],
            "form": None,
        }
    return _edited(visit, card_of(visit.desk.dialects, chosen), Form.of(_fields(card_of(visit.desk.dialects, chosen))))


async def create(visit: Visit) -> Response:
    """Create an endpoint and show its secret, this once; the form again, if something is not right."""
    card = card_of(visit.desk.dialects, visit.sent("dialect"))
    form = Form.sent(_fields(card), visit.sent)
    if form.faults:
        return visit.show("endpoints/new.html", _edited(visit, card, form), 422)
    try:
        wish = await _wish(visit, form)
        made, secret = await visit.run(lambda tx: _created(visit, tx, card, wish))
    except Refused as error:
        form = form.refused(error.facts.get("field"), error.sentence)
        return visit.show("endpoints/new.html", _edited(visit, card, form), 422)
    return shown_once(visit, made, card, secret, "Created")


def shown_once(visit: Visit, endpoint: Endpoint, card: Card, secret: str | None, title: str) -> Response:
    """Show an endpoint's new secret and what to do with it; it is shown never again."""
    snippet = (
        "from affwire import receive\n\n"
        f'received = receive("{card.name}", request.headers, raw_body, {"secret" if secret else "None"})\n'
        "print(received.event, received.records)"
    )
    context = {"title": title, "endpoint": endpoint, "card": card, "secret": secret, "snippet": snippet}
    return visit.show("endpoints/once.html", context)


def _fields(card: Card) -> tuple[Field, ...]:
    return (*FIELDS, TOKEN) if card.authentication.kind == "bearer" else FIELDS


async def _wish(visit: Visit, form: Form) -> Wish:
    """Return what the form asks for. Raises Refused for a URL that the guard does not let pass, or an unknown event."""
    chosen = visit.sent_all("event_types")
    if not set(chosen) <= EVENT_TYPES.keys():
        raise Refused("unknown_event_type", "One of the events is not known here.", field="event_types")
    try:
        judged = await visit.desk.guard.judge(form.values["url"])
    except Refused as error:
        raise Refused(error.code, error.sentence, field="url") from error
    fields = {"description": form.values["description"], "event_types": chosen}
    token = form.values.get("bearer_token")
    return Wish(url=judged, fields=fields, **({"bearer_token": token} if token else {}))


def _created(visit: Visit, tx: Tx, card: Card, wish: Wish) -> tuple[Endpoint, str | None]:
    organization = organizations.get(tx, visit.organization_id)
    return endpoints.create(tx, organization, visit.desk.dialects, card.name, wish)


def _edited(visit: Visit, card: Card, form: Form) -> dict[str, Any]:
    return {
        "title": f"New endpoint: {card.title}",
        "form": form,
        "card": card,
        "coverage": coverage(card),
        "chosen": visit.sent_all("event_types"),
        "span": lambda: sum(card.promise.retry_schedule) * 1000,
    }


def coverage(card: Card) -> list[tuple[str, str, list[str]]]:
    """Return each event with its meaning and the words that the dialect has for it; none: it cannot say it."""
    return [
        (name, meaning, [word.name for word in card.words if name in word.canonical])
        for name, meaning in EVENT_TYPES.items()
    ]


LISTING: Final = Listing(
    path=PATH,
    title="Endpoints",
    one="endpoint",
    columns=(
        Column("state", "State", lambda row: state_badge(row.state), "badge"),
        Column(
            "name",
            "Endpoint",
            lambda row: row.endpoint.called,
            href=lambda row: f"{PATH}/{row.endpoint.id}",
        ),
        Column("url", "URL", lambda row: row.endpoint.url, first=False, chosen=False, filed=True),
        Column("dialect", "Dialect", lambda row: row.endpoint.dialect, "code"),
        Column(
            "success",
            "Succeeded, 24 h",
            lambda row: Share(row.fitness.rate, row.fitness.course) if row.fitness else Share(None),
            "share",
        ),
        Column("p95_ms", "p95", lambda row: row.fitness.p95_ms if row.fitness else None, "ms"),
        Column("unfinished", "Unfinished", lambda row: row.unfinished, "number"),
        Column("last_error", "Last error", lambda row: row.last_error, "code", chosen=False),
        Column("created_at", "Made", lambda row: row.endpoint.created_at, "time", first=False, chosen=False),
        Column("id", "Id", lambda row: row.endpoint.id, "id", first=False, chosen=False),
    ),
    facets=(dialects("Dialect"),),
    load=load,
    row_id=lambda row: row.endpoint.id,
    row_path=lambda row: f"{PATH}/{row.endpoint.id}",
    empty=("No endpoint yet: nobody is told of anything. This adds one:", starting.ENDPOINT),
    ordered=False,
    template="endpoints/list.html",
)

NAV: Final = (Nav("Wire", "Endpoints", PATH),)
ROUTES: Final[tuple[Route, ...]] = (
    *LISTING.routes(),
    Page(f"{PATH}/new", "endpoints/new.html", new, scope="admin"),
    Action(PATH, create, scope="admin"),
)
