"""Jobs: telling an endpoint what it missed, sending again whatever fits; counted first, then carried out, followed, stopped."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from affwire.console import previews, states
from affwire.console.facets import PERIODS
from affwire.console.pages.endpoint import ONE, find
from affwire.console.pages.endpoints import PATH as ENDPOINTS
from affwire.console.parameters import is_number
from affwire.console.previews import Preview
from affwire.console.routes import Action, Page, Route
from affwire.console.visit import Visit
from affwire.errors import Refused
from affwire.model import times
from affwire.model.jobs import Extent, Job, JobKind
from affwire.services import jobs, recovery
from affwire.store.tx import Tx

PATH: Final = "/jobs"
_UNDER_WAY: Final = "This is under way already: no second one was started. When it has ended, look at what is left."
KINDS: Final = {"replay": "Sending again", "recover": "Recovering", "reprocess": "Processing again"}
Counted = Callable[[Visit, Tx, Extent | None], tuple[dict[str, Any], Extent]]
"""Returns a list's wish and what it comes to, within the bounds of what was shown, if there are such."""
Start = Callable[[Tx, str, Mapping[str, Any], Extent], Job]
"""Starts a job of an organization for a wish and what was counted for it."""


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return a job and how far it is. Raises NotFound."""
    job = jobs.get(tx, visit.organization_id, visit.path["job_id"])
    seen = job.done + job.skipped
    return {
        "title": KINDS[job.kind],
        "job": job,
        "state": states.badge(states.JOBS, job.status),
        "percent": 100 if job.status == "done" or not job.total else seen * 100 // job.total,
        "request": _request(visit, job),
    }


async def cancel(visit: Visit) -> Response:
    """Stop a job; what it has made due stays so. Raises NotFound, Conflict("job_finished")."""
    job = await visit.run(lambda tx: jobs.cancel(tx, visit.organization_id, visit.path["job_id"]))
    return visit.go(f"{PATH}/{job.id}", f"{KINDS[job.kind]}: stopped after {job.done:,} of {job.total:,}.")


def _request(visit: Visit, job: Job) -> list[tuple[str, str]]:
    """Return what a job was asked for, as words."""
    asked = {name: value for name, value in job.request.items() if name not in jobs.UNSHOWN}
    return [
        (name.replace("_", " "), visit.words.time(value) if name in {"since", "until"} else str(value))
        for name, value in asked.items()
    ]


async def before_recovering(visit: Visit) -> Preview:
    """Show how much an endpoint missed since a time. Raises NotFound, Conflict, Refused."""
    endpoint = await visit.read(lambda tx: find(visit, tx))
    _, count = await _counted(visit)
    total = count.extent.total
    facts = [
        f"{count.again:,} that did not arrive are sent again, with the same event ids.",
        f"{count.new:,} that it was never told of are made now.",
        f"At most {jobs.RATE_DEFAULT} a second, behind whatever is new.",
    ]
    return Preview(
        title=f"Send {total:,} {'delivery' if total == 1 else 'deliveries'}?" if total else "It missed nothing",
        facts=facts if total else ["Everything of that time was delivered, is on its way, or was not asked for."],
        button="Send what it missed",
        back=f"{ENDPOINTS}/{endpoint.id}",
        count=total,
        fields=bounds(count.extent),
        can=total > 0,
    )


async def recover(visit: Visit) -> Response:
    """Start telling an endpoint what it missed. Raises NotFound, Conflict, Refused."""
    shown = await visit.read(lambda tx: seen(visit, tx))
    wish, count = await _counted(visit, shown)
    endpoint_id = count.endpoint.id
    asked = {**wish, "endpoint_id": endpoint_id}
    if (there := await already(visit, "recover", asked)) is not None:
        return there
    previews.check(visit, count=count.extent.total)
    return await begun(
        visit,
        "recover",
        asked,
        lambda tx: jobs.start_recovery(tx, visit.organization_id, endpoint_id, wish, count.extent),
    )


async def begun(visit: Visit, kind: JobKind, wish: Mapping[str, Any], start: Callable[[Tx], Job]) -> Response:
    """Start a job and go to it; to the one that is doing the same already, where another tab or click has started it."""

    def work(tx: Tx) -> tuple[Job, bool]:
        running = _under_way(tx, visit.organization_id, kind, wish)
        return (running, False) if running else (start(tx), True)

    job, new = await visit.run(work)
    return _gone_to(visit, job, "Started: it goes on by itself." if new else _UNDER_WAY)


async def started(visit: Visit, kind: JobKind, counted: Counted, start: Start) -> Response:
    """Start the job that a list's facets ask for, unless it runs already; what was counted is counted within the same bounds.

    Raises Refused, NotFound, Conflict("too_many_jobs"), and Changed where it is not what was shown.
    """
    wish, extent = await visit.read(lambda tx: counted(visit, tx, seen(visit, tx)))
    if (there := await already(visit, kind, wish)) is not None:
        return there
    previews.check(visit, count=extent.total)
    return await begun(visit, kind, wish, lambda tx: start(tx, visit.organization_id, wish, extent))


async def already(visit: Visit, kind: JobKind, wish: Mapping[str, Any]) -> Response | None:
    """Return the way to the job that is doing the same already; None if there is none."""
    job = await visit.read(lambda tx: _under_way(tx, visit.organization_id, kind, wish))
    return None if job is None else _gone_to(visit, job, _UNDER_WAY)


def bounds(extent: Extent) -> dict[str, int]:
    """Return what a preview's form carries of what was counted, so that it is counted within the same bounds again."""
    return {"last": extent.last, "as_of": extent.as_of}


def _under_way(tx: Tx, organization_id: str, kind: JobKind, wish: Mapping[str, Any]) -> Job | None:
    """Return the job that runs and does what a wish asks for; of another look at the clock, too."""
    mine = [one for one in tx.jobs.running() if one.organization_id == organization_id and one.kind == kind]
    return next((one for one in mine if _choice(one.request) == _choice(wish)), None)


def _choice(wish: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a wish tells it from others: of its times, which depend on when it was made, whether it has them."""
    moving = jobs.UNSHOWN | {"since", "rate_per_second"}
    return {name: value for name, value in wish.items() if name not in moving} | {"since": "since" in wish}


def _gone_to(visit: Visit, job: Job, said: str) -> Response:
    return visit.go(f"{PATH}/{job.id}", said)


def seen(visit: Visit, tx: Tx) -> Extent:
    """Return the bounds of what was counted for the preview. Raises Changed where the form has none."""
    last, as_of = visit.sent("last"), visit.sent("as_of")
    if not (is_number(last) and is_number(as_of)):
        raise previews.Changed
    return Extent(total=0, last=int(last), as_of=min(int(as_of), tx.now))


async def _counted(visit: Visit, shown: Extent | None = None) -> tuple[dict[str, Any], recovery.Count]:
    """Return the wish of the URL and what it comes to; `shown`: of what was counted before."""

    def begun(tx: Tx) -> tuple[dict[str, Any], recovery.Count]:
        wish = {"since": _since(visit, shown.as_of if shown else tx.now)}
        return wish, recovery.begin(tx, visit.organization_id, visit.path["endpoint_id"], wish, shown)

    wish, count = await visit.read(begun)
    while count.seen is not None:
        count = await visit.read(partial(recovery.look, dialects=visit.desk.dialects, wish=wish, count=count))
    return wish, count


def _since(visit: Visit, now: int) -> int:
    asked = visit.asked("since") or ""
    if asked in PERIODS:
        return now - PERIODS[asked]
    try:
        return times.parse(asked)
    except ValueError:
        raise Refused("invalid_time", "Choose since when: a period, or an RFC 3339 time.", field="since") from None


ROUTES: Final[tuple[Route, ...]] = (
    Page(f"{PATH}/{{job_id}}", "jobs/page.html", view),
    Action(f"{PATH}/{{job_id}}/cancel", cancel),
    *previews.asked(f"{ONE}/recover", before_recovering, recover, "admin"),
)
