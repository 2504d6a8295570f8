"""How endpoints do, side by side: what their attempts of a span tell, by pieces of it. Reading only, of a bounded sample."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from affwire.store.figures import Try
from affwire.store.tx import Tx

PIECES: Final = 24
"""Pieces of a span: an hour each of a day, which a small picture still tells apart."""
OUTCOMES: Final = ("ok", "failed", "unknown")


class Fitness(Struct, frozen=True):
    """Attempts of a span: share that succeeded and 95th percentile (ms), None without any; counts by outcome and piece."""

    rate: float | None
    p95_ms: int | None
    series: dict[str, list[int]]

    @property
    def course(self) -> list[float]:
        """The share that succeeded in each piece that had attempts."""
        pieces = zip(self.series["ok"], self.series["failed"], strict=True)
        return [ok / (ok + failed) for ok, failed in pieces if ok + failed]


def of_all(tx: Tx, organization_id: str, span_ms: int, pieces: int = PIECES) -> dict[str, Fitness]:
    """Return the fitness of an organization's endpoints that had attempts in a span back from now, by id."""
    tries: dict[str, list[Try]] = {}
    for one in tx.figures.tries(organization_id, tx.now - span_ms):
        tries.setdefault(one.endpoint_id, []).append(one)
    return {endpoint_id: measured(found, tx.now, span_ms, pieces) for endpoint_id, found in tries.items()}


def of_one(tx: Tx, organization_id: str, endpoint_id: str, span_ms: int, pieces: int = PIECES) -> Fitness:
    """Return the fitness of one endpoint."""
    return measured(tx.figures.tries(organization_id, tx.now - span_ms, endpoint_id), tx.now, span_ms, pieces)


def measured(tries: Sequence[Try], now: int, span_ms: int, pieces: int) -> Fitness:
    """Return what attempts tell of a span (ms) back from now."""
    counts = {outcome: sum(one.outcome == outcome for one in tries) for outcome in OUTCOMES}
    known = counts["ok"] + counts["failed"]
    took = sorted(one.took_ms for one in tries if one.outcome != "unknown")
    p95 = took[(len(took) - 1) * 95 // 100] if took else None
    return Fitness(counts["ok"] / known if known else None, p95, series(tries, now, span_ms, pieces))


def series(tries: Iterable[Try], now: int, span_ms: int, pieces: int) -> dict[str, list[int]]:
    """Return the attempts of each piece by outcome, the oldest piece first."""
    counted = {outcome: [0] * pieces for outcome in OUTCOMES}
    for one in tries:
        piece = pieces - 1 - (now - one.ended_at) * pieces // span_ms
        if 0 <= piece < pieces:
            counted[one.outcome][piece] += 1
    return counted
