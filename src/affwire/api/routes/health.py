"""Health: /livez says that the process serves, /readyz that its store does, too."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from affwire.api.desk import desk_of
from affwire.api.schemas import answers

router: Final = APIRouter(tags=["health"])
_OPEN: Final[dict[str, Any]] = {"security": []}
_OK: Final = answers("Health", "Yes.")


@router.get("/livez", summary="Whether the process serves", openapi_extra=_OPEN, responses=_OK)
async def livez() -> Response:
    """Answer 200 as long as requests are served at all."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Whether the store answers", openapi_extra=_OPEN, responses=_OK)
async def readyz(request: Request) -> Response:
    """Answer 200 if the store can be read; 503 if it cannot take work just now.

    `warnings`, where there are any: what makes the database unsafe, in sentences.
    """
    store = desk_of(request).store
    await store.read(lambda tx: tx.registry.organizations(limit=1))
    return JSONResponse({"status": "ok", "warnings": store.warnings} if store.warnings else {"status": "ok"})
