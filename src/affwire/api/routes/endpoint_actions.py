"""What is done with an endpoint beyond its fields: a new secret, a test, telling it what it missed."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from affwire.api.bodies import Body
from affwire.api.calls import Call, Owner, OwnerReader
from affwire.api.fields import Instant, Line, Until
from affwire.api.paths import Route
from affwire.api.routes.endpoints import endpoint_seen
from affwire.api.routes.jobs import RATE_MAX, accepted
from affwire.api.schemas import answers
from affwire.api.writing import Answer, created, rendered, shown
from affwire.engine import testsend
from affwire.errors import Busy
from affwire.model import objects
from affwire.model.endpoints import Endpoint
from affwire.services import health, jobs, organizations, recovery, rotation, spans, views
from affwire.services.actions import found
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/endpoints", tags=["endpoints"], route_class=Route)

HOURS_MAX: Final = 168
"""A week: older attempts tell little about now."""
OVERLAP_MAX: Final = 604_800
"""Seconds: a week for receivers to take over a new secret; longer overlaps are forgotten, not finished."""
OVERLAP_DEFAULT: Final = 86_400


class Rotation(Body):
    """A rotation: for how long the old secrets sign beside the new one, where the dialect's form has room for several."""

    overlap_seconds: Annotated[int, Field(ge=0, le=OVERLAP_MAX)] = OVERLAP_DEFAULT


class TestSend(Body):
    """What a test send says: one of the dialect's words; its first without one."""

    word: Line | None = None


class Recovery(Body):
    """Which events a recovery looks at: those that happened from `since` to before `until`; null: to now."""

    since: Instant
    until: Until = None
    rate_per_second: Annotated[float, Field(gt=0, le=RATE_MAX, allow_inf_nan=False)] | None = None
    dry_run: bool = False


class HealthQuery(BaseModel):
    """Over how many hours back attempts are counted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hours: Annotated[int, Field(ge=1, le=HOURS_MAX)] = 24


@router.get(
    "/{endpoint_id}/health",
    summary="Show an endpoint's health",
    responses=answers("EndpointHealth", "Rate of success, times, backlog, last error, breaker."),
)
async def show_health(call: OwnerReader, endpoint_id: str, query: Annotated[HealthQuery, Query()]) -> Response:
    """Show how an endpoint is doing: its last deliveries' attempts, what waits for it, how far it is from being disabled."""
    return await call.show(lambda tx: health.shown(tx, call.organization_id, endpoint_id, query.hours))


@router.post(
    "/{endpoint_id}/rotate",
    status_code=201,
    summary="Give an endpoint a new secret",
    responses=answers(
        "Endpoint", "The endpoint and, this once, the new secret.", status=201, secret={"type": "string"}
    ),
)
async def rotate_endpoint(call: Owner, endpoint_id: str, body: Rotation | None = None) -> Response:
    """Give an endpoint a new secret. The old one signs too for `overlap_seconds`, where the dialect's form allows several."""
    overlap_ms = (body or Rotation()).overlap_seconds * 1000

    def work(tx: Tx) -> Answer:
        organization = organizations.get(tx, call.organization_id)
        endpoint, secret = rotation.rotate(tx, organization, call.desk.dialects, endpoint_id, overlap_ms=overlap_ms)
        return created({**views.endpoint(tx, call.desk.dialects, endpoint), "secret": secret}, "secret")

    return await call.write(work, of=lambda tx: endpoint_seen(tx, call, endpoint_id))


@router.post(
    "/{endpoint_id}/test",
    summary="Send a sample to an endpoint",
    responses=answers("TestResult", "How it went: an attempt as in a delivery, and the word that was sent."),
)
async def send_test(call: Owner, endpoint_id: str, body: TestSend | None = None) -> Response:
    """Send the dialect's own sample, signed, with the header `Affwire-Test: 1`; nothing is recorded."""
    if (before := await call.kept()) is not None:
        return before
    desk = call.desk
    await call.read(lambda tx: found(tx, Endpoint, call.organization_id, endpoint_id))
    if desk.wire is None:
        raise Busy("no_wire", "This process sends nothing; ask the one that delivers.")
    word = body.word if body else None
    told = await testsend.send(
        desk.store,
        desk.wire,
        desk.dialects,
        desk.world,
        organization_id=call.organization_id,
        endpoint_id=endpoint_id,
        word=word,
    )
    return await call.write(lambda _tx: shown(told))


@router.post(
    "/{endpoint_id}/recover",
    status_code=202,
    summary="Tell an endpoint what it missed",
    responses={**answers("Job", "The job.", status=202), **answers("RecoveryCount", "With `dry_run`: how many.")},
)
async def recover_endpoint(call: Owner, endpoint_id: str, body: Recovery) -> Response:
    """Send what was not delivered of the span's events, and say what the endpoint was never told but wants now."""
    wish = {name: value for name, value in body.sent("dry_run").items() if value is not None}
    spans.begun(body.since, call.desk.world.now(), "field")
    if not body.dry_run and (before := await call.kept()) is not None:
        return before
    count = await _counted(call, endpoint_id, wish)
    if body.dry_run:
        told: objects.RecoveryCount = {
            "dry_run": True,
            "endpoint_id": endpoint_id,
            "replayed": count.again,
            "created": count.new,
            "total": count.extent.total,
        }
        return rendered(shown(told))
    return await call.write(
        lambda tx: accepted(jobs.start_recovery(tx, call.organization_id, endpoint_id, wish, count.extent))
    )


async def _counted(call: Call, endpoint_id: str, wish: dict[str, Any]) -> recovery.Count:
    """Return what a recovery would do, looked at in small reads."""
    count = await call.read(lambda tx: recovery.begin(tx, call.organization_id, endpoint_id, wish))
    while count.seen is not None:
        count = await call.read(partial(recovery.look, dialects=call.desk.dialects, wish=wish, count=count))
    return count
