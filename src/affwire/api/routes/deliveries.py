"""Deliveries: what is on its way, what arrived, what did not and why."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from affwire.api.bodies import Body, NoFields
from affwire.api.calls import Reader, Writer
from affwire.api.fields import Instant, Until
from affwire.api.pages import FilterText, Page
from affwire.api.paths import Route
from affwire.api.routes.jobs import RATE_MAX, accepted
from affwire.api.schemas import answers, pages
from affwire.api.writing import Answer, done, rendered, shown
from affwire.model import objects
from affwire.model.deliveries import DeliveryStatus
from affwire.services import deliveries, jobs, journal, spans
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/deliveries", tags=["deliveries"], route_class=Route)


class DeliveryPage(Page):
    """The query of a list of deliveries. `since`: when they were made."""

    status: DeliveryStatus | None = None
    endpoint_id: FilterText | None = None
    event_id: FilterText | None = None
    since: Instant | None = None


@router.get("", summary="List deliveries", responses=pages("Delivery", "A page of deliveries."))
async def list_deliveries(call: Reader, page: Annotated[DeliveryPage, Query()]) -> Response:
    """List deliveries, the newest first."""
    filters = page.model_dump(exclude={"limit", "cursor"})

    spans.begun(page.since, call.desk.world.now())

    def work(tx: Tx) -> Any:
        found = page.filled(
            lambda limit: tx.outbox.page(call.organization_id, before=page.position, limit=limit, **filters),
            lambda delivery: delivery.position,
            lambda delivery: delivery,
        )
        return {**found, "data": journal.shown(tx, found["data"])}

    return await call.show(work)


class Replay(Body):
    """Which deliveries to send again: those that match every field; without a status, the exhausted and the cancelled.

    `since` and `until` are about when they were made.
    """

    status: Literal["exhausted", "cancelled", "delivered", "pending"] | None = None
    endpoint_id: FilterText | None = None
    event_id: FilterText | None = None
    since: Instant | None = None
    until: Until = None
    rate_per_second: Annotated[float, Field(gt=0, le=RATE_MAX, allow_inf_nan=False)] | None = None
    dry_run: bool = False


@router.post(
    "/replay",
    summary="Send many deliveries again",
    status_code=202,
    responses={**answers("Job", "The job.", status=202), **answers("ReplayCount", "With `dry_run`: how many.")},
)
async def replay_deliveries(call: Writer, body: Replay) -> Response:
    """Send all matching deliveries again, as a job: slowly, behind first tries, with progress and a way to stop."""
    wish = {name: value for name, value in body.sent("dry_run").items() if value is not None}
    spans.begun(body.since, call.desk.world.now(), "field")
    if (before := await call.kept()) is not None:
        return before
    counted = await call.read(lambda tx: jobs.extent(tx, call.organization_id, wish))
    if body.dry_run:
        told: objects.ReplayCount = {"dry_run": True, "total": counted.total, "arrived": counted.arrived}
        return rendered(shown(told))
    return await call.write(lambda tx: accepted(jobs.start_replay(tx, call.organization_id, wish, counted)))


@router.get(
    "/{delivery_id}",
    summary="Show a delivery",
    responses=answers("DeliveryWithAttempts", "The delivery and its attempts."),
)
async def get_delivery(call: Reader, delivery_id: str) -> Response:
    """Show a delivery with every attempt: request (secrets masked), response (cut to a limit), timings."""
    return await call.show(lambda tx: journal.delivery(tx, call.organization_id, delivery_id))


@router.post(
    "/{delivery_id}/replay",
    summary="Send a delivery again",
    status_code=201,
    responses=answers("DeliveryWithAttempts", "The delivery, due again.", status=201),
)
async def replay_delivery(call: Writer, delivery_id: str, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- refuses what it does not know
    """Send a delivery again: same event id, attempts counted on, a new round of its schedule."""

    def work(tx: Tx) -> Answer:
        deliveries.replay(tx, call.organization_id, delivery_id)
        return done(journal.delivery(tx, call.organization_id, delivery_id))

    return await call.write(work)


@router.post(
    "/{delivery_id}/cancel",
    summary="Cancel a delivery",
    status_code=201,
    responses=answers("DeliveryWithAttempts", "The delivery, ended.", status=201),
)
async def cancel_delivery(call: Writer, delivery_id: str, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- refuses what it does not know
    """End a delivery that waits; 409 for one that is under way or has ended."""

    def work(tx: Tx) -> Answer:
        deliveries.cancel(tx, call.organization_id, delivery_id)
        return done(journal.delivery(tx, call.organization_id, delivery_id))

    return await call.write(work)
