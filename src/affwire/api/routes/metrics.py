"""/metrics, for the operator: without the operator's key only straight from this machine."""

from ipaddress import ip_address
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from affwire.api.calls import operator_only
from affwire.api.desk import desk_of
from affwire.store.depth import depth
from affwire.store.vitals import vitals

router: Final = APIRouter(tags=["health"])

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED: Final = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"})
"""Who sends one of these is a proxy, and speaks for somebody else."""


async def operator_or_neighbour(request: Request) -> None:
    """Let in the operator's key, and whoever asks straight from this machine. Raises Unauthorized, Forbidden."""
    local = request.client is not None and _loopback(request.client.host)
    if not local or request.headers.get("authorization") or _FORWARDED & set(request.headers.keys()):
        await operator_only(request)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"description": "Prometheus' text format.", "content": {"text/plain": {}}}},
)
async def metrics(request: Request, _: Annotated[None, Depends(operator_or_neighbour)]) -> Response:
    """Show counters, gauges and histograms. Takes the operator's key, or a request from the machine itself."""
    desk = desk_of(request)
    queue, found = await desk.store.read(lambda tx: (depth(tx.connection, tx.now), vitals(tx.connection)))
    return Response(desk.meters.scraped(queue, desk.world.now(), found), media_type=CONTENT_TYPE)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
