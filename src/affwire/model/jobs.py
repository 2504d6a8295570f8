"""Jobs: long work that an owner asked for, carried out in small steps beside the traffic."""

from typing import Any, Literal

from msgspec import Struct

JobKind = Literal["replay", "recover"]
JobStatus = Literal["running", "done", "cancelled", "failed"]


class Job(Struct, frozen=True, kw_only=True):
    """What is to be done (`request`), and how far it is.

    `cursor` is the position up to which all is looked at, so a restart goes on from there. `total` was counted at the
    start: deliveries of a replay, events of a recovery; each of them ends as `done` or `skipped`.
    """

    id: str
    organization_id: str
    kind: JobKind
    status: JobStatus = "running"
    request: dict[str, Any]
    cursor: int = 0
    total: int = 0
    done: int = 0
    skipped: int = 0
    reason: str | None = None
    created_at: int
    updated_at: int
    finished_at: int | None = None
