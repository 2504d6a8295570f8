"""/v1/stats, for the operator as /metrics is: what waits, in what state endpoints and sources are, who makes trouble."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from affwire.api.calls import refuse_odd_parameters
from affwire.api.desk import desk_of
from affwire.api.routes.metrics import operator_or_neighbour
from affwire.api.schemas import answers
from affwire.api.writing import Answer, rendered
from affwire.services import stats

router: Final = APIRouter(prefix="/stats", tags=["operator"])


@router.get(
    "",
    summary="Show how the installation does",
    responses=answers("Stats", "The queue, states, and the endpoints in most trouble."),
)
async def show_stats(request: Request, _: Annotated[None, Depends(operator_or_neighbour)]) -> Response:
    """Show what waits and for how long, states of endpoints and sources, and the five endpoints in most trouble.

    Of all organizations. Takes the operator's key, or a request from the machine itself. Rates are in `/metrics`.
    """
    refuse_odd_parameters(request)
    return rendered(Answer(200, await desk_of(request).store.read(stats.shown)))
