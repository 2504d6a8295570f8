"""Sending deliveries again: those that were chosen, or, as a job, all that the list's facets match; each shown first."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from affwire.console import previews
from affwire.console.listing import Query
from affwire.console.pages.deliveries import LISTING, PATH, REPLAY, REPLAY_ALL, SENT_AGAIN
from affwire.console.pages.jobs import bounds, started
from affwire.console.previews import Preview
from affwire.console.routes import Route
from affwire.console.visit import Visit
from affwire.errors import Conflict, Refused
from affwire.model.jobs import Extent
from affwire.services import deliveries, jobs
from affwire.store.tx import Tx

CHOSEN_MAX: Final = 200
"""Deliveries chosen one by one, by a URL of one's own; more than that is a job."""
_UNSAID: Final = "Without a status chosen, these are the exhausted and the cancelled: what did not arrive."
_NOTHING: Final = "Nothing to send again"
_NONE: Final = (
    "Nothing that fits can be sent again: what is held goes on with its endpoint, what is leased is being sent."
)
_WHY: Final = {
    "endpoint_deleted": "its endpoint was deleted",
    "affiliate_erased": "its affiliate was erased",
    "delivery_leased": "it is being sent",
    "delivery_held": "its endpoint does not go on",
}


class Sorted(Struct, frozen=True):
    """Of chosen deliveries those that can go again, how many of them had arrived, and how many cannot, by reason."""

    going: Sequence[str]
    arrived: int
    staying: dict[str, int]


async def before(visit: Visit) -> Preview | Response:
    """Show what sending the chosen deliveries again comes to. Raises NotFound."""
    chosen = visit.asked_all("id")[:CHOSEN_MAX]
    if not chosen:
        return visit.go(PATH, "Choose deliveries first: tick their boxes.", good=False)
    found = await visit.read(lambda tx: _sorted(tx, visit.organization_id, chosen))
    count = len(found.going)
    return Preview(
        title=f"Send {_named(count)} again?" if count else _NOTHING,
        facts=[
            *(_facts(count, found.arrived) if count else []),
            *(f"{_named(many)} will not: {why}." for why, many in found.staying.items()),
        ],
        button=f"Send {_named(count)} again",
        back=PATH,
        count=count,
        chosen=found.going,
        can=count > 0,
    )


async def again(visit: Visit) -> Response:
    """Send the chosen deliveries again. Raises NotFound."""
    chosen = visit.asked_all("id")[:CHOSEN_MAX]

    def work(tx: Tx) -> int:
        going = _sorted(tx, visit.organization_id, chosen).going
        previews.check(visit, count=len(going), chosen=going)
        for delivery_id in going:
            deliveries.replay(tx, visit.organization_id, delivery_id)
        return len(going)

    return visit.go(PATH, f"{_named(await visit.run(work))} sent again.")


async def before_all(visit: Visit) -> Preview:
    """Show how many deliveries the facets of the list match. Raises Refused."""
    _, counted = await visit.read(lambda tx: _counted(visit, tx))
    count = counted.total
    facts = [
        *_facts(count, counted.arrived),
        f"At most {jobs.RATE_DEFAULT} a second, behind whatever is new. It can be stopped at any time.",
        "What becomes of others from now on is left alone.",
    ]
    return Preview(
        title=f"Send {_named(count)} again?" if count else _NOTHING,
        facts=[*(facts if count else [_NONE]), *([] if visit.asked("status") else [_UNSAID])],
        button=f"Send {_named(count)} again",
        back=LISTING.narrowed(visit),
        count=count,
        fields=bounds(counted),
        can=count > 0,
    )


async def all_again(visit: Visit) -> Response:
    """Start sending again what the facets match. Raises Refused, Conflict("too_many_jobs")."""
    return await started(visit, "replay", _counted, jobs.start_replay)


def _sorted(tx: Tx, organization_id: str, chosen: Sequence[str]) -> Sorted:
    going, arrived, staying = list[str](), 0, dict[str, int]()
    for one in (deliveries.get(tx, organization_id, delivery_id) for delivery_id in dict.fromkeys(chosen)):
        try:
            deliveries.check_replay(tx, one, tx.registry.endpoints([one.endpoint_id])[one.endpoint_id])
        except Conflict as error:
            why = _WHY[error.code]
            staying[why] = staying.get(why, 0) + 1
        else:
            going.append(one.id)
            arrived += one.status == "delivered"
    return Sorted(going, arrived, staying)


def _facts(count: int, arrived: int) -> list[str]:
    """Return what sending again means, and what it means for what had arrived."""
    facts = [
        f"{_named(count)} will be sent again, with the same event ids: a receiver that deduplicates does nothing twice."
    ]
    if arrived:
        which = "All of them" if arrived == count else f"{arrived:,} of them"
        facts += [
            f"{which} had arrived already. They keep their ids, so a receiver that deduplicates ignores them.",
            "Until they arrive again they are pending, no longer delivered.",
        ]
    return facts


def _counted(visit: Visit, tx: Tx, shown: Extent | None = None) -> tuple[dict[str, Any], Extent]:
    """Return the wish of the list's facets and what it comes to; `shown`: of what was counted before."""
    wish = _wish(LISTING.checked(visit, tx), shown.as_of if shown else tx.now)
    return wish, jobs.extent(tx, visit.organization_id, wish, shown)


def _wish(query: Query, now: int) -> dict[str, Any]:
    """Return what the list's facets ask of a replay. Raises Refused for a status that nothing can be sent again of."""
    status = query.get("status")
    if status not in SENT_AGAIN:
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


def _named(count: int) -> str:
    return f"{count:,} {'delivery' if count == 1 else 'deliveries'}"


ROUTES: Final[tuple[Route, ...]] = (
    *previews.asked(REPLAY, before, again),
    *previews.asked(REPLAY_ALL, before_all, all_again),
)
