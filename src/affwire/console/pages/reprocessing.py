"""Processing messages once more: those that were chosen, or, as a job, all parked ones that fit; each shown first."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from affwire.console import previews
from affwire.console.listing import Query
from affwire.console.pages.inbox import LISTING, PARKED, PATH, REPROCESS, REPROCESS_ALL
from affwire.console.pages.jobs import bounds, started
from affwire.console.previews import Preview
from affwire.console.routes import Route
from affwire.console.visit import Visit
from affwire.errors import Conflict, Refused
from affwire.model.jobs import Extent
from affwire.services import inbox, jobs, reprocessing
from affwire.store.tx import Tx

CHOSEN_MAX: Final = 200
"""Messages chosen one by one, by a URL of one's own; more than that is a job."""
_NOTHING: Final = "Nothing to process once more"
_WAITS: Final = "it waits for its turn already"
_WHY: Final = {
    "message_rejected": "it was not genuine: judge it anew first",
    "message_quarantined": "it is set aside: release it",
    "message_forgotten": "what it said was erased",
    "message_repeated": "it repeats one that was taken in",
    "dialect_missing": "its dialect is not installed",
}


async def before(visit: Visit) -> Preview | Response:
    """Show what processing the chosen messages once more comes to. Raises NotFound."""
    chosen = visit.asked_all("id")[:CHOSEN_MAX]
    if not chosen:
        return visit.go(PATH, "Choose messages first: tick their boxes.", good=False)
    going, staying = await previews.rehearse(visit, lambda tx: _processed(visit, tx, chosen))
    count = len(going)
    return Preview(
        title=f"Process {_named(count)} once more?" if count else _NOTHING,
        facts=[
            *([_what(count)] if count else []),
            *(f"{_named(many)} will not: {why}." for why, many in staying.items()),
        ],
        button=f"Process {_named(count)} once more",
        back=PATH,
        count=count,
        chosen=going,
        can=count > 0,
    )


async def again(visit: Visit) -> Response:
    """Put the chosen messages in line again. Raises NotFound."""
    chosen = visit.asked_all("id")[:CHOSEN_MAX]

    def work(tx: Tx) -> int:
        going, _ = _processed(visit, tx, chosen)
        previews.check(visit, count=len(going), chosen=going)
        return len(going)

    return visit.go(PATH, f"{_named(await visit.run(work))} in line again.")


async def before_all(visit: Visit) -> Preview:
    """Show how many parked messages the facets of the list match. Raises Refused, NotFound."""
    _, counted = await visit.read(lambda tx: _counted(visit, tx))
    count = counted.total
    facts = [
        _what(count),
        f"At most {jobs.RATE_DEFAULT} a second. It can be stopped at any time.",
        "What cannot be carried out this time either is parked again, with its reason.",
    ]
    return Preview(
        title=f"Process {_named(count)} once more?" if count else _NOTHING,
        facts=facts if count else ["Nothing that fits is parked, and still says what it said."],
        button=f"Process {_named(count)} once more",
        back=LISTING.narrowed(visit),
        count=count,
        fields=bounds(counted),
        can=count > 0,
    )


async def all_again(visit: Visit) -> Response:
    """Start processing once more what the facets match. Raises Refused, NotFound, Conflict("too_many_jobs")."""
    return await started(visit, "reprocess", _counted, jobs.start_reprocessing)


def _processed(visit: Visit, tx: Tx, chosen: Sequence[str]) -> tuple[list[str], dict[str, int]]:
    """Put messages in line; return which, and how many others, by reason. Raises NotFound."""
    going, staying = list[str](), dict[str, int]()
    for message_id in dict.fromkeys(chosen):
        why = _put_in_line(visit, tx, message_id)
        if why is None:
            going.append(message_id)
        else:
            staying[why] = staying.get(why, 0) + 1
    return going, staying


def _put_in_line(visit: Visit, tx: Tx, message_id: str) -> str | None:
    """Put a message in line; return why it is not."""
    if inbox.get(tx, visit.organization_id, message_id).status == "received":
        return _WAITS
    try:
        inbox.reprocess(tx, visit.organization_id, visit.desk.dialects, message_id)
    except Conflict as error:
        return _WHY[error.code]
    return None


def _counted(visit: Visit, tx: Tx, shown: Extent | None = None) -> tuple[dict[str, Any], Extent]:
    """Return the wish of the list's facets and what it comes to; `shown`: of what was counted before."""
    wish = _wish(LISTING.checked(visit, tx), shown.as_of if shown else tx.now)
    return wish, reprocessing.extent(tx, visit.organization_id, wish, shown)


def _wish(query: Query, now: int) -> dict[str, Any]:
    """Return what the list's facets ask for. Raises Refused unless they ask for what is parked."""
    if query.get("status") not in PARKED:
        raise Refused("invalid_filter", "All at once goes with what is parked only.", parameter="status")
    wish = {
        "status": query.get("status"),
        "source_id": query.get("source"),
        "dialect": query.get("dialect"),
        "word": query.get("word"),
        "affiliate_id": query.get("affiliate"),
        "since": query.since(now),
    }
    return {name: value for name, value in wish.items() if value is not None}


def _what(count: int) -> str:
    came = "it came" if count == 1 else "they came"
    return f"{_named(count)} will be processed as if {came} now. What was carried out already changes nothing again."


def _named(count: int) -> str:
    return f"{count:,} {'message' if count == 1 else 'messages'}"


ROUTES: Final[tuple[Route, ...]] = (
    *previews.asked(REPROCESS, before, again),
    *previews.asked(REPROCESS_ALL, before_all, all_again),
)
