"""Events: the log as a feed in stable order, and what became of one event at each endpoint."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from affwire.api.calls import Reader
from affwire.api.pages import PAGE_BYTES_MAX, FilterText, Page, cursor
from affwire.api.schemas import answers, pages
from affwire.errors import NotFound, Refused
from affwire.model import canonical
from affwire.model.events import EVENT_TYPES
from affwire.rules.matching import covers
from affwire.services import journal
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/events", tags=["events"])

_EVENT_PREFIX: Final = "evt_"


class Feed(Page):
    """The query of the feed. `type`: a canonical name, or the beginning of several with `*` at its end."""

    after: Annotated[
        str | None, Field(max_length=100, description="An event's id or a `next_cursor`: what came after it.")
    ] = None
    type: FilterText | None = None
    affiliate_id: FilterText | None = None


@router.get("", summary="Read the log", responses=pages("Event", "What happened next; poll with `next_cursor`."))
async def list_events(call: Reader, feed: Annotated[Feed, Query()]) -> Response:
    """Read the log, oldest first. `next_cursor` is there whenever `data` is not empty: keep it, and poll with it."""
    _check_type(feed.type)

    def work(tx: Tx) -> Any:
        entries = tx.log.page(
            call.organization_id,
            after=_position(tx, call.organization_id, feed),
            limit=feed.limit,
            bytes_max=PAGE_BYTES_MAX,
            type=feed.type,
            affiliate_id=feed.affiliate_id,
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


def _position(tx: Tx, organization_id: str, feed: Feed) -> int | None:
    after = feed.cursor or feed.after
    if after is None or not after.startswith(_EVENT_PREFIX):
        return Page(cursor=after).position
    position = tx.log.position_of(organization_id, after)
    if position is None:
        raise NotFound("event_not_found", f"There is no event {after} in this organization.")
    return position


def _check_type(pattern: str | None) -> None:
    if pattern is not None and not any(covers(pattern, name) for name in EVENT_TYPES):
        raise Refused(
            "unknown_event_type",
            "There is no such event type; a * may stand at the end.",
            parameter="type",
            known=list(EVENT_TYPES),
        )
