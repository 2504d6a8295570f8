"""Jobs: long work that an owner asked for, carried out in small steps beside the traffic."""

from typing import Any, Final, Literal, Self, get_args

from msgspec import Struct, structs

JobKind = Literal["replay", "recover", "reprocess"]
KINDS: Final[tuple[JobKind, ...]] = get_args(JobKind)
"""Jobs of any other kind are a newer version's, which carries them out."""
JobStatus = Literal["running", "done", "cancelled", "failed"]


class Extent(Struct, frozen=True, kw_only=True):
    """What a job is about, fixed at the look that counted it: what comes later is left alone.

    `total`: deliveries that will be sent, or messages that will be processed; `arrived`: how many of them had arrived
    already. It looks at positions behind `after` and not behind `last`, at what had ended by `as_of` (ms).
    """

    total: int
    arrived: int = 0
    after: int = 0
    last: int
    as_of: int


class Job(Struct, frozen=True, kw_only=True):
    """What is to be done (`request`), and how far it is.

    `cursor` is the position up to which all is looked at, so a restart goes on from there. `total`: the deliveries, or
    messages, that were counted at the start; each of them ends as `done` or `skipped`.
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
    due_at: int | None = None
    """When its next step may be done (ms), by whichever process comes first: so its rate is one for all of them."""
    created_at: int
    updated_at: int
    finished_at: int | None = None

    def moved(self, *, cursor: int, done: int, skipped: int) -> Self:
        """Return the job so much further on: what is done and skipped never passes the total."""
        all_done = self.done + done
        total = max(self.total, all_done)  # more than was counted only where the endpoint wants more since then
        return structs.replace(
            self, cursor=cursor, total=total, done=all_done, skipped=min(self.skipped + skipped, total - all_done)
        )

    def finished(self, at: int) -> Self:
        """Return the job when it is through (ms): whatever of it was not done is skipped."""
        return structs.replace(self, status="done", skipped=self.total - self.done, finished_at=at)
