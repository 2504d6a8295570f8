"""Streams: the log of events and the record of attempts as live feeds (server-sent events)."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from affwire.api.calls import Call, Reader
from affwire.api.feeds import Found, Stream
from affwire.api.pages import PAGE_BYTES_MAX, FilterText, place_of
from affwire.api.routes.events import check_type, position_after
from affwire.model import canonical
from affwire.model.deliveries import DeliveryStatus
from affwire.model.wire import OutcomeKind
from affwire.services import journal
from affwire.store.tx import Tx

router: Final = APIRouter()

PAGE: Final = 100
"""Messages of one look."""
BEGINNING: Final = "0"

_RESUME: Final = (
    "An `id` of this feed, or 0 for its beginning. `Last-Event-ID` goes before it; without both: from now on."
)
_FEED: Final[dict[int | str, Any]] = {
    200: {"description": "`id:` to resume from, `data:` one JSON object.", "content": {"text/event-stream": {}}}
}


class Start(BaseModel):
    """The query of every feed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Annotated[str | None, Field(max_length=100, description=_RESUME)] = None


class EventStart(Start):
    """The query of the stream of events; `after` may be an event's id, too."""

    type: FilterText | None = None
    affiliate_id: FilterText | None = None


class AttemptStart(Start):
    """The query of the stream of deliveries. `status`: as it is when the message is written."""

    status: DeliveryStatus | None = None
    outcome: OutcomeKind | None = None
    endpoint_id: FilterText | None = None
    event_id: FilterText | None = None


@router.get("/events/stream", summary="Follow the log", tags=["events"], responses=_FEED, response_class=Response)
async def stream_events(call: Reader, start: Annotated[EventStart, Query()]) -> Response:
    """Follow the log: each event as `GET /v1/events` shows it, in the log's order, as soon as it is committed."""
    check_type(start.type)
    filters = start.model_dump(exclude={"after"})

    def look(tx: Tx, after: int) -> Found:
        last = tx.log.last_position(call.organization_id)
        entries = tx.log.page(call.organization_id, after=after, limit=PAGE, bytes_max=PAGE_BYTES_MAX, **filters)
        return _found(
            [(int(entry.event.position or 0), canonical.event(entry.event)) for entry in entries], after, last
        )

    def begin(tx: Tx, after: str | None) -> int:
        return (
            tx.log.last_position(call.organization_id)
            if after is None
            else position_after(tx, call.organization_id, after)
        )

    return await _stream(call, start, begin, look)


@router.get(
    "/deliveries/stream", summary="Follow attempts", tags=["deliveries"], responses=_FEED, response_class=Response
)
async def stream_deliveries(call: Reader, start: Annotated[AttemptStart, Query()]) -> Response:
    """Follow deliveries: a delivery with its `attempt`, for each attempt, in the order in which they are recorded."""
    filters = start.model_dump(exclude={"after"})

    def look(tx: Tx, after: int) -> Found:
        last = tx.attempts.last_position(call.organization_id)
        tried = tx.attempts.page(call.organization_id, after=after, limit=PAGE, **filters)
        positions = [attempt.position for attempt, _ in tried]
        return _found(list(zip(positions, journal.tried(tx, tried), strict=True)), after, last)

    def begin(tx: Tx, after: str | None) -> int:
        return tx.attempts.last_position(call.organization_id) if after is None else place_of(after)

    return await _stream(call, start, begin, look)


async def _stream(
    call: Call, start: Start, begin: Callable[[Tx, str | None], int], look: Callable[[Tx, int], Found]
) -> Response:
    after = call.request.headers.get("last-event-id") or start.after
    position = 0 if after == BEGINNING else await call.read(lambda tx: begin(tx, after))

    async def looked(position: int) -> Found:
        return await call.follow(lambda tx: look(tx, position))

    return Stream(call.desk.feeds, position, looked)


def _found(messages: list[tuple[int, Any]], after: int, last: int) -> Found:
    """Where nothing was found everything was looked at: the feed goes on behind what its filters left out."""
    return Found(messages, messages[-1][0] if messages else max(after, last))
