"""The overview: how an organization's deliveries fare just now, in a few figures, and what needs somebody.

Reading only; made of bounded samples, so that it takes as long with a million deliveries as with a hundred.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from affwire.model.endpoints import Endpoint
from affwire.model.health import EndpointHealth
from affwire.services.health import state as standing
from affwire.store.figures import COUNT_MAX
from affwire.store.tx import Tx

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
SPANS: Final = {"1h": (HOUR_MS, 60), "24h": (DAY_MS, 48), "7d": (7 * DAY_MS, 84)}
"""Each span's length (ms) and the pieces of its chart: a minute, half an hour, two hours."""
SPAN: Final = "24h"
OUTCOMES: Final = ("ok", "failed", "unknown")


class Need(Struct, frozen=True):
    """An endpoint that somebody should look at: its state, how it fared of late, and how many deliveries it holds up."""

    endpoint: Endpoint
    state: str
    health: EndpointHealth
    held: int


class Overview(Struct, frozen=True, kw_only=True):
    """Figures of a span back from now, and of what waits just now. Times in ms, None where nothing was measured.

    Counts go up to `counted_max`. `series`: for ok, failed and unknown, the attempts of each piece of the span, the oldest
    first; `reaches_to`: where it begins, if more than fit were made in the span. `inbox`: messages that came in, by status.
    `unsent_mails`, `asking`: mails that wait, memberships that wait to be decided on.
    """

    span_ms: int
    delivered: int
    exhausted: int
    counted_max: int
    p50_ms: int | None
    p95_ms: int | None
    oldest_due_at: int | None
    pending: int
    leased: int
    held: int
    retrying: int
    series: dict[str, list[int]]
    reaches_to: int | None
    inbox: dict[str, int]
    needs: list[Need]
    endpoints: int
    unsent_mails: int
    asking: int

    @property
    def share(self) -> float | None:
        """The share that arrived of what ended."""
        ended = self.delivered + self.exhausted
        return self.delivered / ended if ended else None


def span(tx: Tx, organization_id: str) -> str:
    """Return the span that shows most: the shortest while nothing is older, the usual one, the longest for old news alone."""
    found = tx.figures.reach(organization_id)
    if found is None or found[0] >= tx.now - SPANS["1h"][0]:
        return "1h"
    return SPAN if found[1] >= tx.now - SPANS[SPAN][0] else "7d"


def of(tx: Tx, organization_id: str, span: str = SPAN) -> Overview:
    """Return the overview of an organization as of now; `span`: one of SPANS."""
    length, pieces = SPANS[span]
    since = tx.now - length
    receivers = tx.registry.find(Endpoint, organization_id)
    backlogs = {one.id: tx.health.backlog(one.id) for one in receivers}
    took = tx.figures.times_to_ack(organization_id, since)
    due = [one.oldest_due_at for one in backlogs.values() if one.oldest_due_at is not None]
    tally = tx.figures.tally(organization_id, since=since, piece_ms=length // pieces)
    needs = [_need(one, tx.health.get(one.id), backlogs[one.id].held) for one in receivers]
    return Overview(
        span_ms=length,
        delivered=tx.figures.ended(organization_id, "delivered", since),
        exhausted=tx.figures.ended(organization_id, "exhausted", since),
        counted_max=COUNT_MAX,
        p50_ms=_percentile(took, 50),
        p95_ms=_percentile(took, 95),
        oldest_due_at=min((at for at in due if at <= tx.now), default=None),
        pending=sum(one.pending for one in backlogs.values()),
        leased=sum(one.leased for one in backlogs.values()),
        held=sum(one.held for one in backlogs.values()),
        retrying=tx.figures.retrying([one.id for one in receivers]),
        series={name: [tally.counts.get((nth, name), 0) for nth in range(pieces)] for name in OUTCOMES},
        reaches_to=tally.reaches_to,
        inbox=tx.figures.came_in(organization_id, since),
        needs=[need for need in needs if need is not None],
        endpoints=len(receivers),
        unsent_mails=tx.figures.unsent_mails(organization_id),
        asking=tx.figures.asking(organization_id),
    )


def _need(endpoint: Endpoint, health: EndpointHealth, held: int) -> Need | None:
    if endpoint.silent_because is not None:
        return None
    state = standing(endpoint, health)
    return None if state == "healthy" else Need(endpoint, state, health, held)


def _percentile(times: Sequence[int], nth: int) -> int | None:
    return times[(len(times) - 1) * nth // 100] if times else None
