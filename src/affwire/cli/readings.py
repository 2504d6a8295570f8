"""Readings of /metrics: what several processes count together, and what happened between two readings.

Rule: counters of processes are added up; what all of them read from the one database is taken once, from the greatest.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

SUMMED: Final = ("affwire_in_flight", "affwire_streams")
OF_THE_DATABASE: Final = "affwire_events_total"
HISTOGRAMS: Final = {
    "attempt": "affwire_attempt_seconds",
    "arrival": "affwire_arrival_seconds",
    "lag": "affwire_lag_seconds",
    "durable": "affwire_durable_seconds",
}
"""What is told of as a 95th percentile, and the histogram it is estimated from."""
NTH: Final = 0.95

Buckets = Mapping[float, float]
"""How many were at most so long (s), by that bound."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All processes' counters at one moment. `at`: seconds on a clock that never goes back."""

    at: float
    counts: Mapping[str, float]
    buckets: Mapping[str, Buckets]


def read(texts: Iterable[str], at: float) -> Reading:
    """Return what Prometheus texts, one of each process, say together. Raises ValueError for what is none."""
    counts: Counter[str] = Counter()
    buckets: dict[str, Counter[float]] = {name: Counter() for name in HISTOGRAMS}
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                _take(counts, buckets, sample)
    if not counts:
        raise ValueError("no metrics of affwire")
    return Reading(at, counts, buckets)


def between(before: Reading, after: Reading) -> dict[str, Any]:
    """Return rates per second and 95th percentiles (ms; None without an observation) of the time between two readings."""
    seconds = max(after.at - before.at, 1e-9)
    rates = {
        name: round(_grown(before.counts.get(key, 0), after.counts.get(key, 0)) / seconds, 2)
        for name, key in _RATES.items()
    }
    late = {
        f"{name}_p95_ms": _milliseconds(percentile(NTH, _observed(before.buckets[name], after.buckets[name])))
        for name in HISTOGRAMS
    }
    return {"seconds": round(seconds, 3), **rates, **late, "in_flight": int(after.counts.get("affwire_in_flight", 0))}


def percentile(nth: float, buckets: Buckets) -> float | None:
    """Return the estimated value (s) that a share `nth` of the observations is at most; None without any.

    Within a bucket they are taken to be spread evenly; of those beyond the last bound only that bound is known.
    """
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0
    if total <= 0:
        return None
    rank = nth * total
    for low, high in pairwise([0.0, *bounds]):
        if buckets[high] >= rank:
            below = buckets.get(low, 0.0)
            share = (rank - below) / max(buckets[high] - below, 1e-9)
            return low if math.isinf(high) else low + (high - low) * share
    return None


_RATES: Final = {
    "events_per_second": OF_THE_DATABASE,
    "attempts_per_second": "attempts",
    "delivered_per_second": "attempts.ok",
    "failed_per_second": "attempts.failed",
    "messages_per_second": "messages",
}


def _take(counts: Counter[str], buckets: Mapping[str, Counter[float]], sample: Any) -> None:
    name, labels, value = sample.name, sample.labels, sample.value
    if name in SUMMED:
        counts[name] += value
    elif name == OF_THE_DATABASE:
        counts[name] = max(counts[name], value)
    elif name == "affwire_attempts_total":
        counts["attempts"] += value
        counts[f"attempts.{labels['outcome']}"] += value
    elif name == "affwire_messages_total":
        counts["messages"] += value
    else:
        for short, family in HISTOGRAMS.items():
            if name == f"{family}_bucket":
                buckets[short][float(labels["le"])] += value


def _grown(before: float, after: float) -> float:
    """How far a counter went; one that is smaller began anew, with its process."""
    return after - before if after >= before else after


def _observed(before: Buckets, after: Buckets) -> dict[float, float]:
    return {bound: _grown(before.get(bound, 0), count) for bound, count in after.items()}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the last values as a line of blocks, the greatest of them full."""
    shown = values[-width:]
    top = max(shown, default=0) or 1
    return "".join(_BLOCKS[round(value / top * (len(_BLOCKS) - 1))] for value in shown)


_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
