"""Messages: what platforms sent, byte for byte, and what became of it; by hand: once more, judged anew, set aside."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from affwire.api.bodies import Body, NoFields
from affwire.api.calls import Owner, Reader, Writer
from affwire.api.fields import Instant, Until
from affwire.api.pages import FilterText, Page
from affwire.api.paths import Route
from affwire.api.routes.jobs import RATE_MAX, accepted
from affwire.api.schemas import answers, pages
from affwire.api.writing import Answer, done, rendered, shown
from affwire.errors import NotFound
from affwire.model import objects
from affwire.model.inbound import Kept, MessageStatus
from affwire.services import inbox, jobs, reprocessing, spans, views
from affwire.services.sources import BEARER_TOKEN_MAX
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/messages", tags=["messages"], route_class=Route)


class MessagePage(Page):
    """The query of a list of messages. `since`: when they came in; `word`: what the platform calls it."""

    source_id: FilterText | None = None
    status: MessageStatus | None = None
    word: FilterText | None = None
    affiliate_id: FilterText | None = None
    since: Instant | None = None


class Doubt(Body):
    """What to judge a message with: this secret, which is not kept, or without one those its source has now."""

    secret: Annotated[str, Field(min_length=1, max_length=BEARER_TOKEN_MAX)] | None = None


@router.get("", summary="List messages", responses=pages("Message", "A page of messages."))
async def list_messages(call: Reader, page: Annotated[MessagePage, Query()]) -> Response:
    """List messages, the newest first, without what they say."""
    filters = page.model_dump(exclude={"limit", "cursor"})

    spans.begun(page.since, call.desk.world.now())

    def work(tx: Tx) -> Any:
        return page.filled(
            lambda limit: tx.inbox.page(call.organization_id, before=page.position, limit=limit, **filters),
            lambda message: message.position,
            views.message,
        )

    return await call.show(work)


class Reprocessing(Body):
    """Which messages to process once more: those that match every field; without a status, the parked.

    `since` and `until` are about when they came in.
    """

    status: Literal["parked", "applied", "unchanged"] | None = None
    source_id: FilterText | None = None
    word: FilterText | None = None
    since: Instant | None = None
    until: Until = None
    rate_per_second: Annotated[float, Field(gt=0, le=RATE_MAX, allow_inf_nan=False)] | None = None
    dry_run: bool = False


@router.post(
    "/reprocess",
    summary="Process many messages once more",
    status_code=202,
    responses=answers("Job", "The job.", status=202) | answers("MessageCount", "With dry_run: the count."),
)
async def reprocess_messages(call: Writer, body: Reprocessing) -> Response:
    """Process all matching messages once more, as a job, with progress and a way to stop."""
    wish = {name: value for name, value in body.sent("dry_run").items() if value is not None}
    spans.begun(body.since, call.desk.world.now(), "field")
    if (before := await call.kept()) is not None:
        return before
    counted = await call.read(lambda tx: reprocessing.extent(tx, call.organization_id, wish))
    if body.dry_run:
        count: objects.MessageCount = {"dry_run": True, "total": counted.total}
        return rendered(shown(count))
    return await call.write(lambda tx: accepted(jobs.start_reprocessing(tx, call.organization_id, wish, counted)))


@router.get("/{message_id}", summary="Show a message", responses=answers("MessageInFull", "The message in full."))
async def get_message(call: Reader, message_id: str) -> Response:
    """Show a message with headers and body; credentials in headers are masked."""
    return await call.show(lambda tx: views.message_in_full(inbox.get(tx, call.organization_id, message_id)))


@router.get(
    "/{message_id}/raw",
    summary="Show a message's bytes",
    response_class=Response,
    responses={
        200: {
            "description": "The body as it came.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def get_raw_message(call: Reader, message_id: str) -> Response:
    """Show a message's body, byte for byte as it came; 404 once it is erased."""
    message = await call.read(lambda tx: inbox.get(tx, call.organization_id, message_id))
    if message.body is None:
        raise NotFound("message_erased", f"What {message.id} said was erased; only that it came is still known.")
    headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": f'attachment; filename="{message.id}"'}
    return Response(message.body, media_type="application/octet-stream", headers=headers)


@router.post(
    "/{message_id}/reprocess",
    status_code=201,
    summary="Process a message once more",
    responses=answers("MessageInFull", "The message, in line again.", status=201),
)
async def reprocess_message(call: Writer, message_id: str, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- refuses what it does not know
    """Process a message once more, as if it came now: for one that was parked, once what was in its way is mended."""
    return await call.write(
        lambda tx: _done(inbox.reprocess(tx, call.organization_id, call.desk.dialects, message_id)),
    )


@router.post(
    "/{message_id}/verify",
    status_code=201,
    summary="Judge a message anew",
    responses=answers("Verification", "The message, and whether it is genuine.", status=201),
)
async def verify_message(call: Owner, message_id: str, body: Doubt | None = None) -> Response:
    """Judge a message as at the time it came, with another secret on wish. A rejected one that is genuine is taken in."""
    secret = body.secret if body else None

    def work(tx: Tx) -> Answer:
        message, doubt = inbox.verify(tx, call.organization_id, call.desk.dialects, message_id, secret)
        return done({**views.message_in_full(message), "genuine": doubt is None, "doubt": doubt and doubt.sentence})

    return await call.write(work)


@router.post(
    "/{message_id}/quarantine",
    status_code=201,
    summary="Set a message aside",
    responses=answers("MessageInFull", "The message, set aside.", status=201),
)
async def quarantine_message(call: Writer, message_id: str, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- as above
    """Set a message aside: it is neither processed nor forgotten until it is released."""
    return await call.write(lambda tx: _done(inbox.quarantine(tx, call.organization_id, message_id)))


@router.post(
    "/{message_id}/release",
    status_code=201,
    summary="Release a message",
    responses=answers("MessageInFull", "The message, in line again.", status=201),
)
async def release_message(call: Writer, message_id: str, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- as above
    """Have a quarantined message processed."""
    return await call.write(
        lambda tx: _done(inbox.release(tx, call.organization_id, call.desk.dialects, message_id)),
    )


def _done(message: Kept) -> Answer:
    return done(views.message_in_full(message))
