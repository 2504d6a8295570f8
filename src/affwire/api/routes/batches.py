"""Batches: many writes of the registry in one commit, each a request of its own, all of them or none."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from affwire.api.batching import OPERATIONS_MAX, Rehearsed, carry_out, plan
from affwire.api.bodies import Body
from affwire.api.calls import Writer
from affwire.api.schemas import answers
from affwire.api.writing import Answer, rendered

router: Final = APIRouter(prefix="/batches", tags=["batches"])


class Operation(Body):
    """One write, as its own route takes it: `path` with its query, `body` as that route's."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: Annotated[str, Field(min_length=1, max_length=2_000)]
    body: Any = None


class Batch(Body):
    """Up to 1,000 operations. `emit` false writes no events and tells nobody; `dry_run` answers, and changes nothing."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "emit": False,
                    "operations": [
                        {"method": "PUT", "path": "/v1/affiliates/ext:crm:7", "body": {"email": "kim@example.com"}}
                    ],
                }
            ]
        }
    )

    emit: bool = True
    dry_run: bool = False
    operations: Annotated[list[Operation], Field(min_length=1, max_length=OPERATIONS_MAX)]


@router.post(
    "",
    status_code=201,
    summary="Carry out many writes in one commit",
    responses=answers("BatchResults", "What each operation would have been answered, in order.", status=201),
)
async def create_batch(call: Writer, body: Batch) -> Response:
    """Carry out operations on the registry in order; one that is refused undoes all, and `operation` tells which."""
    kept = await call.kept()
    if kept is not None:
        return kept
    works = await plan(call, [(one.method, one.path, one.body) for one in body.operations])
    if isinstance(works, Response):
        return works
    try:
        return await call.write(lambda tx: carry_out(tx, call, works, emit=body.emit, dry_run=body.dry_run))
    except Rehearsed as rehearsed:
        return rendered(Answer(201, rehearsed.body))
