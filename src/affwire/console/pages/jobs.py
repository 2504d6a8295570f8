"""Jobs: telling an endpoint what it missed, sending again whatever fits; counted first, then carried out, followed, stopped."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from affwire.console import previews
from affwire.console.listing import PERIODS, Badge, Query, Tone
from affwire.console.pages import deliveries
from affwire.console.pages.endpoint import ONE, find
from affwire.console.pages.endpoints import PATH as ENDPOINTS
from affwire.console.routes import Action, Page, Route
from affwire.console.visit import Visit
from affwire.errors import Refused
from affwire.model import times
from affwire.model.jobs import Job
from affwire.services import jobs, recovery
from affwire.store.tx import Tx

PATH: Final = "/jobs"
_TONES: Final[Mapping[str, Tone]] = {"running": "info", "done": "good", "cancelled": "calm", "failed": "bad"}
_KINDS: Final = {"replay": "Sending again", "recover": "Recovering", "reprocess": "Processing again"}


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return a job and how far it is. Raises NotFound."""
    job = jobs.get(tx, visit.organization_id, visit.path["job_id"])
    seen = job.done + job.skipped
    return {
        "title": _KINDS[job.kind],
        "job": job,
        "state": Badge(job.status, _TONES[job.status]),
        "percent": 100 if job.status == "done" or not job.total else seen * 100 // job.total,
        "request": _request(job),
    }


async def cancel(visit: Visit) -> Response:
    """Stop a job; what it has made due stays so. Raises NotFound, Conflict("job_finished")."""
    job = await visit.run(lambda tx: jobs.cancel(tx, visit.organization_id, visit.path["job_id"]))
    return visit.go(f"{PATH}/{job.id}", f"Stopped after {job.done:,} of {job.total:,}.")


async def replay_all(visit: Visit) -> Response:
    """Show how many deliveries the facets of the list match; once that is confirmed, send them again. Raises Refused."""
    query = deliveries.LISTING.query(visit)
    wish = _wish(query, visit.desk.world.now())
    counted = await visit.read(lambda tx: jobs.extent(tx, visit.organization_id, wish))
    if previews.confirmed(visit):
        job = await visit.run(lambda tx: jobs.start_replay(tx, visit.organization_id, wish, counted))
        return visit.go(f"{PATH}/{job.id}", "Started: it goes on by itself.")
    total = counted.total
    named = f"{total:,} {'delivery' if total == 1 else 'deliveries'}"
    facts = [
        f"{named} will be sent again, with the same event ids: a receiver that dedupes does nothing twice.",
        f"At most {jobs.RATE_DEFAULT} a second, behind whatever is new. It can be stopped at any time.",
        "What becomes of others from now on is left alone.",
    ]
    none = [
        "Nothing that fits can be sent again: what is held goes on with its endpoint, what is under way is under way."
    ]
    context = {
        "title": f"Send {named} again?" if total else "Nothing to send again",
        "facts": [*(facts if total else none), *([] if query.get("status") else [_UNSAID])],
        "fields": [],
        "action": deliveries.REPLAY_ALL,
        "asked": dict(query.values),
        "button": f"Send {named} again",
        "can": total > 0,
        "typed": total if total > previews.TYPED_ABOVE else None,
        "back": deliveries.PATH,
    }
    return visit.show("confirm.html", context)


_UNSAID: Final = "Without a status chosen, these are the exhausted and the cancelled: what did not arrive."
_STATUSES: Final = ("exhausted", "cancelled", "delivered", "pending", "retrying")


def _wish(query: Query, now: int) -> dict[str, Any]:
    """Return what the list's facets ask of a replay. Raises Refused for a status that nothing can be sent again of."""
    status = query.get("status")
    if status is not None and status not in _STATUSES:
        raise Refused(
            "invalid_filter", f"What is {status} cannot be sent again: it goes on by itself.", parameter="status"
        )
    wish = {
        "status": status,
        "endpoint_id": query.get("endpoint"),
        "event_id": query.get("event"),
        "since": query.since(now),
        **{name: query.get(name) for name in jobs.NARROWING},
    }
    return {name: value for name, value in wish.items() if value is not None}


def _request(job: Job) -> list[tuple[str, str]]:
    """Return what a job was asked for, as words."""
    asked = {name: value for name, value in job.request.items() if name not in jobs.UNSHOWN}
    return [
        (name.replace("_", " "), times.rfc3339(value) if name in {"since", "until"} else str(value))
        for name, value in asked.items()
    ]


async def recover(visit: Visit) -> Response:
    """Show how much an endpoint missed since a time; once that is confirmed, tell it. Raises NotFound, Conflict, Refused."""
    endpoint = await visit.read(lambda tx: find(visit, tx))
    wish: dict[str, Any] = {"since": _since(visit)}
    count = await _counted(visit, endpoint.id, wish)
    if previews.confirmed(visit):
        job = await visit.run(
            lambda tx: jobs.start_recovery(tx, visit.organization_id, endpoint.id, wish, count.extent)
        )
        return visit.go(f"{PATH}/{job.id}", "Started: it goes on by itself.")
    total = count.extent.total
    facts = [
        f"{count.again:,} that did not arrive are sent again, with the same event ids.",
        f"{count.new:,} that it was never told of are made now.",
        f"At most {jobs.RATE_DEFAULT} a second, behind whatever is new.",
    ]
    context = {
        "title": f"Send {total:,} {'delivery' if total == 1 else 'deliveries'}?" if total else "It missed nothing",
        "facts": facts if total else ["Everything of that time was delivered, is on its way, or was not asked for."],
        "fields": [("since", times.rfc3339(wish["since"]))],
        "action": f"{ENDPOINTS}/{endpoint.id}/recover",
        "button": "Send what it missed",
        "can": total > 0,
        "typed": total if total > previews.TYPED_ABOVE else None,
        "back": f"{ENDPOINTS}/{endpoint.id}",
    }
    return visit.show("confirm.html", context)


async def _counted(visit: Visit, endpoint_id: str, wish: Mapping[str, Any]) -> recovery.Count:
    count = await visit.read(lambda tx: recovery.begin(tx, visit.organization_id, endpoint_id, wish))
    while count.seen is not None:
        count = await visit.read(partial(recovery.look, dialects=visit.desk.dialects, wish=wish, count=count))
    return count


def _since(visit: Visit) -> int:
    asked = visit.sent("since")
    if asked in PERIODS:
        return visit.desk.world.now() - PERIODS[asked]
    try:
        return times.parse(asked)
    except ValueError:
        raise Refused("invalid_time", "Choose since when: a period, or an RFC 3339 time.", field="since") from None


ROUTES: Final[tuple[Route, ...]] = (
    Page(f"{PATH}/{{job_id}}", "jobs/page.html", view),
    Action(f"{PATH}/{{job_id}}/cancel", cancel),
    Action(deliveries.REPLAY_ALL, replay_all),
    Action(f"{ONE}/recover", recover, scope="admin"),
)
