"""Jobs: many deliveries at once, sent again by filter or recovered for an endpoint, with progress and a way to stop."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from affwire.api.bodies import NoFields
from affwire.api.calls import Reader, Writer
from affwire.api.pages import Page
from affwire.api.paths import Route
from affwire.api.schemas import answers, pages
from affwire.api.writing import Answer, done
from affwire.model.jobs import Job
from affwire.services import jobs, views
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
            views.job,
        )
    )


@router.get("/{job_id}", summary="Show a job", responses=answers("Job", "The job and how far it is."))
async def get_job(call: Reader, job_id: str) -> Response:
    """Show a job and how far it is."""
    return await call.show(lambda tx: views.job(jobs.get(tx, call.organization_id, job_id)))


@router.post(
    "/{job_id}/cancel",
    summary="Stop a job",
    status_code=201,
    responses=answers("Job", "The job, cancelled.", status=201),
)
async def cancel_job(call: Writer, job_id: str, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- refuses what it does not know
    """Stop a job; what it has made due stays so. 409 for one that has ended."""

    def work(tx: Tx) -> Answer:
        return done(views.job(jobs.cancel(tx, call.organization_id, job_id)))

    return await call.write(work)


def accepted(job: Job) -> Answer:
    """Return 202: the job runs, its address tells how far it is."""
    return Answer(ACCEPTED, views.job(job))
