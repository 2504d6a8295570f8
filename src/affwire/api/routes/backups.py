"""Backups: the operator has the running server copy its database, on its own machine."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog
from fastapi import APIRouter
from starlette.responses import Response

from affwire.api.bodies import NoFields
from affwire.api.calls import Operator
from affwire.api.schemas import answers
from affwire.api.writing import done
from affwire.errors import Conflict
from affwire.model import ids
from affwire.model.times import rfc3339

router: Final = APIRouter(prefix="/backups", tags=["operator"])


@router.post(
    "",
    summary="Back up the database",
    status_code=201,
    responses=answers("Backup", "The file, on the server's machine.", status=201),
)
async def create_backup(call: Operator, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- refuses what it does not know
    """Copy the whole database as it is now, while everything goes on. It holds whatever was answered before.

    The file is written into `backups/` in the data directory, for its owner alone. It is not removed by affwire.
    """
    if (before := await call.kept()) is not None:
        return before
    folder = call.desk.backups
    if folder is None:
        raise Conflict("no_backups", "This server keeps its database in memory; there is nothing to back up.")
    now = call.desk.world.now()
    path = folder / _name(now, call.request.state.request_id)
    folder.mkdir(mode=0o700, exist_ok=True)
    await call.desk.store.backup(path)
    made = _made(path, now)
    structlog.get_logger("affwire.api").info("backup.made", **made)
    return await call.write(lambda _: done(made))


def _name(now: int, request_id: str) -> str:
    return f"affwire-{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%SZ}-{ids.body_of(request_id)[-6:]}.db"


def _made(path: Path, now: int) -> dict[str, Any]:
    return {"path": str(path.resolve()), "bytes": path.stat().st_size, "created_at": rfc3339(now)}
