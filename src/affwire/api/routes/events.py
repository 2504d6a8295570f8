"""Events: the log as a feed in stable order, and what became of one event at each endpoint."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from affwire.api.bodies import Body
from affwire.api.calls import Call, Reader
from affwire.api.fields import Line
from affwire.api.pages import PAGE_BYTES_MAX, FilterText, Page, cursor, place_of
from affwire.api.paths import Route
from affwire.api.problems import hint
from affwire.api.reading import dialect_named
from affwire.api.schemas import answers, pages
from affwire.dialects.base import Dialect
from affwire.errors import NotFound, Refused
from affwire.model import canonical
from affwire.model.events import EVENT_TYPES, OPERATIONAL
from affwire.model.registry import Affiliate
from affwire.rules.matching import covers
from affwire.rules.signing import SECRET_MAX
from affwire.services import journal
from affwire.services import lens as rendering
from affwire.services.actions import resolved
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/events", tags=["events"], route_class=Route)

_EVENT_PREFIX: Final = "evt_"
ATTEMPT_MAX: Final = 1_000
"""The number of a try that somebody may play: more than any schedule has."""
Secret = Annotated[str, Field(min_length=1, max_length=SECRET_MAX)]


class Feed(Page):
    """The query of the feed. `type`: a canonical name, or the beginning of several with `*` at its end."""

    after: Annotated[
        str | None, Field(max_length=100, description="An event's id or a `next_cursor`: what came after it.")
    ] = None
    type: FilterText | None = None
    affiliate_id: FilterText | None = None
    subject_id: Annotated[
        FilterText | None,
        Field(description="An affiliate's id, or a program's for what happened to the program itself."),
    ] = None


class Lens(BaseModel):
    """The query of a rendering."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dialect: Annotated[FilterText | None, Field(description="In this dialect; else in every one.")] = None


class Proof(Body):
    """A rendering as if it left now: signed with a secret of the caller's own, which is not kept, as this try."""

    dialect: Line | None = None
    secret: Secret | None = None
    attempt: Annotated[int, Field(ge=1, le=ATTEMPT_MAX)] = 1


@router.get("", summary="Read the log", responses=pages("Event", "What happened next; poll with `next_cursor`."))
async def list_events(call: Reader, feed: Annotated[Feed, Query()]) -> Response:
    """Read the log, oldest first. `next_cursor` is there whenever `data` is not empty: keep it, and poll with it."""
    check_type(feed.type)

    def work(tx: Tx) -> Any:
        entries = tx.log.page(
            call.organization_id,
            after=_position(tx, call.organization_id, feed),
            limit=feed.limit,
            bytes_max=PAGE_BYTES_MAX,
            type=feed.type,
            affiliate_id=resolved(tx, Affiliate, call.organization_id, feed.affiliate_id)
            if feed.affiliate_id
            else None,
            subject_id=feed.subject_id,
        )
        following = cursor(entries[-1].event.position) if entries else None  # type: ignore[arg-type] # read back: it has one
        return {"data": [canonical.event(entry.event) for entry in entries], "next_cursor": following}

    return await call.show(work)


@router.get(
    "/{event_id}", summary="Show an event", responses=answers("EventWithEndpoints", "The event and its endpoints.")
)
async def get_event(call: Reader, event_id: str) -> Response:
    """Show an event and, for each endpoint, what became of it or why nothing was said."""
    return await call.show(lambda tx: journal.event(tx, call.organization_id, event_id))


@router.get(
    "/{event_id}/render",
    summary="Show an event in a dialect's words",
    responses=answers("Rendering", "Each dialect's requests."),
)
async def render_event(call: Reader, event_id: str, lens: Annotated[Lens, Query()]) -> Response:
    """Show the requests that would leave for an event, headers and body; what depends on a secret is masked."""
    chosen = _chosen(call, lens.dialect)
    return await call.show(lambda tx: rendering.seen(tx, call.organization_id, event_id, chosen))


@router.post(
    "/{event_id}/render",
    summary="Sign an event for a try of your own",
    responses=answers("Rendering", "Each dialect's requests, signed."),
)
async def sign_event(call: Reader, event_id: str, body: Proof | None = None) -> Response:
    """Show the requests as if they left now, signed with a secret of your own; nothing is kept or sent."""
    proof = body or Proof()
    chosen, trial = _chosen(call, proof.dialect), rendering.Trial(proof.secret, proof.attempt)
    return await call.show(lambda tx: rendering.seen(tx, call.organization_id, event_id, chosen, trial))


def _chosen(call: Call, name: str | None) -> Mapping[str, Dialect]:
    return call.desk.dialects if name is None else {name: dialect_named(call, name)}


def _position(tx: Tx, organization_id: str, feed: Feed) -> int | None:
    after = feed.cursor or feed.after
    return None if after is None else position_after(tx, organization_id, after)


def position_after(tx: Tx, organization_id: str, after: str) -> int:
    """Return the place that a cursor or an event's id stands for. Raises NotFound, Refused ("invalid_cursor")."""
    if not after.startswith(_EVENT_PREFIX):
        return place_of(after)
    position = tx.log.position_of(organization_id, after)
    if position is None:
        raise NotFound("event_not_found", f"There is no event {after} in this organization.")
    return position


def check_type(pattern: str | None) -> None:
    """Raise Refused ("unknown_event_type") for a filter that can find nothing."""
    known = [*EVENT_TYPES, *OPERATIONAL]
    if pattern is not None and not any(covers(pattern, name) for name in known):
        raise Refused(
            "unknown_event_type",
            f"There is no such event type{hint(pattern, known) or '.'} A * may stand at the end.",
            parameter="type",
            known=known,
        )
