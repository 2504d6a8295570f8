"""Jobs: many deliveries at once, sent again by filter or recovered for an endpoint, with progress and a way to stop."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from affwire.api.bodies import NoFields
from affwire.api.calls import Reader, Writer
from affwire.api.pages import Page
from affwire.api.paths import Route
from affwire.api.schemas import answers, pages
from affwire.api.writing import Answer, done
from affwire.model import canonical, objects
from affwire.model.jobs import Job
from affwire.model.times import rfc3339
from affwire.services import jobs
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/jobs", tags=["jobs"], route_class=Route)
ACCEPTED: Final = 202
RATE_MAX: Final = 1_000
"""Deliveries a second that one job may make due: above it, it would crowd the writer."""


@router.get("", summary="List jobs", responses=pages("Job", "A page of jobs."))
async def list_jobs(call: Reader, page: Annotated[Page, Query()]) -> Response:
    """List jobs, the newest first."""
    return await call.show(
        lambda tx: page.filled(
            lambda limit: tx.jobs.page(call.organization_id, before=page.place, limit=limit),
            lambda job: job.id,
            job_shown,
        )
    )


@router.get("/{job_id}", summary="Show a job", responses=answers("Job", "The job and how far it is."))
async def get_job(call: Reader, job_id: str) -> Response:
    """Show a job and how far it is."""
    return await call.show(lambda tx: job_shown(jobs.get(tx, call.organization_id, job_id)))


@router.post(
    "/{job_id}/cancel",
    summary="Stop a job",
    status_code=201,
    responses=answers("Job", "The job, cancelled.", status=201),
)
async def cancel_job(call: Writer, job_id: str, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- refuses what it does not know
    """Stop a job; what it has made due stays so. 409 for one that has ended."""

    def work(tx: Tx) -> Answer:
        return done(job_shown(jobs.cancel(tx, call.organization_id, job_id)))

    return await call.write(work)


def accepted(job: Job) -> Answer:
    """Return 202: the job runs, its address tells how far it is."""
    return Answer(ACCEPTED, job_shown(job))


def job_shown(job: Job) -> objects.Job:
    """Return a job as a JSON object."""
    wish = {name: value for name, value in job.request.items() if name not in jobs.UNSHOWN}
    asked: Any = {name: canonical.timed(f"{name}_at", value) for name, value in wish.items()}
    return {
        "id": job.id,
        "kind": job.kind,
        "status": job.status,
        "request": asked,
        "total": job.total,
        "done": job.done,
        "skipped": job.skipped,
        "reason": job.reason,
        "created_at": rfc3339(job.created_at),
        "updated_at": rfc3339(job.updated_at),
        "finished_at": canonical.timed("finished_at", job.finished_at),
    }
