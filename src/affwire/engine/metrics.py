"""Metrics for Prometheus: counters and histograms fed by the dispatcher, gauges read from the queue at each scrape.

Rule: labels are dialects, outcomes and error classes, never ids: their number is bounded. Counting is a few plain
additions, because it is done for every attempt; Prometheus' own objects are made when somebody looks.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from threading import Lock
from typing import Final

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from affwire import __version__
from affwire.engine import gauges
from affwire.engine.gauges import Process
from affwire.model.deliveries import REPLAY
from affwire.rules import delivery as verdicts
from affwire.services.deliveries import Result
from affwire.store.depth import Depth
from affwire.store.vitals import NONE, Vitals

ATTEMPT_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60)
"""From a neighbour's answer to the longest time-out there is."""
ARRIVAL_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3_600, 21_600, 86_400, 259_200)
"""From at once to three days, the longest schedule of a dialect."""
DURABLE_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""From a quick disk's flush to what no caller should wait for."""
LAG_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3_600, 21_600)
"""From the next cycle to a backlog of hours."""
_EMPTY: Final = Depth(0, 0, 0, 0, 0, None, 0)


class Meters:
    """One process's metrics. Used from the event loop only."""

    def __init__(self) -> None:
        self._attempts: Counter[tuple[str, ...]] = Counter()
        self._verdicts: Counter[tuple[str, ...]] = Counter()
        self._messages: Counter[tuple[str, ...]] = Counter()
        self._seconds = _Durations(ATTEMPT_SECONDS)
        self._arrival = _Durations(ARRIVAL_SECONDS)
        self._lag = _Durations(LAG_SECONDS)
        self._durable = _Durations(DURABLE_SECONDS, labelled=False)
        self._writers = Lock()
        self._process = Process()
        self._depth, self._now, self._vitals = _EMPTY, 0, NONE
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._registry.register(self)

    def watch(
        self,
        *,
        in_flight: Callable[[], int],
        streams: Callable[[], int],
        free_bytes: Callable[[], int] | None = None,
        delivers: bool = False,
    ) -> None:
        """Have these asked at each scrape; see gauges.Process."""
        self._process = Process(in_flight, streams, free_bytes, delivers)

    def settled(self, result: Result, *, fits: bool) -> None:
        """Count one attempt. `fits` False: its claim was stale, and nothing came of it."""
        attempt, dialect = result.attempt, result.claim.endpoint.dialect
        self._attempts[dialect, attempt.outcome, attempt.error or ""] += 1
        self._verdicts[dialect, type(result.verdict).__name__.lower() if fits else "stale"] += 1
        self._seconds.observe(dialect, attempt.ended_at - attempt.started_at)
        if result.claim.delivery.due_at is not None:
            self._lag.observe(dialect, attempt.started_at - result.claim.delivery.due_at)
        replayed = result.claim.delivery.priority == REPLAY  # how long ago the event was says nothing of us then
        if fits and not replayed and isinstance(result.verdict, verdicts.Delivered):
            self._arrival.observe(dialect, attempt.ended_at - result.claim.delivery.created_at)

    def came_in(self, dialect: str, fate: str) -> None:
        """Count one inbound message: kept, repeated, rejected or full."""
        self._messages[dialect, fate] += 1

    def durable(self, seconds: float) -> None:
        """Count one write that is committed and flushed. From any thread."""
        with self._writers:
            self._durable.observe("", seconds * 1000)

    def scraped(self, depth: Depth, now: int, vitals: Vitals = NONE) -> bytes:
        """Return everything in Prometheus' text format, with the queue as it is at `now` (ms)."""
        self._depth, self._now, self._vitals = depth, now, vitals
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield all of it; the registry asks for it."""
        yield InfoMetricFamily("affwire", "The version that runs.", {"version": __version__})
        yield _counted("affwire_attempts", "Requests tried.", ["dialect", "outcome", "error"], self._attempts)
        yield _counted("affwire_verdicts", "Decisions after an attempt.", ["dialect", "verdict"], self._verdicts)
        yield self._seconds.family("affwire_attempt_seconds", "How long an attempt took.")
        yield self._arrival.family("affwire_arrival_seconds", "From the event's commit to the receiver's acceptance.")
        yield _counted("affwire_messages", "Inbound messages.", ["dialect", "fate"], self._messages)
        yield GaugeMetricFamily("affwire_messages_waiting", "Inbound messages to be processed.", self._depth.messages)
        yield CounterMetricFamily("affwire_events", "Events that were ever written.", self._depth.events)
        yield self._lag.family("affwire_lag_seconds", "How long a due delivery waited for its attempt to begin.")
        yield self._durable.family("affwire_durable_seconds", "From a write's place in line to its flushed commit.")
        yield from self._queue()
        yield from gauges.of_database(self._vitals)
        yield from gauges.of_process(self._process)

    def _queue(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("affwire_queue_deliveries", "Unfinished deliveries.", labels=["status"])
        for status in ("pending", "behind", "held", "leased"):
            waiting.add_metric([status], getattr(self._depth, status))
        yield waiting
        due = self._depth.oldest_due_at
        age = 0.0 if due is None else (self._now - due) / 1000
        yield GaugeMetricFamily("affwire_oldest_due_seconds", "How long the longest due one waits.", age)


class _Durations:
    """A histogram of seconds for each dialect; not `labelled`, one for all."""

    def __init__(self, bounds: Sequence[float], *, labelled: bool = True) -> None:
        self._bounds = bounds
        self._labels = ["dialect"] if labelled else []
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = defaultdict(float)

    def observe(self, dialect: str, ms: float) -> None:
        counts = self._counts.get(dialect)
        if counts is None:
            counts = self._counts[dialect] = [0] * (len(self._bounds) + 1)
        counts[bisect_left(self._bounds, ms / 1000)] += 1
        self._sums[dialect] += max(ms, 0)

    def family(self, name: str, meaning: str) -> Metric:
        family = HistogramMetricFamily(name, meaning, labels=self._labels)
        bounds = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for dialect, counts in self._counts.items():
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            family.add_metric([dialect][: len(self._labels)], buckets, self._sums[dialect] / 1000)
        return family


def _counted(name: str, meaning: str, labels: list[str], counts: Counter[tuple[str, ...]]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=labels)
    for values, count in counts.items():
        family.add_metric(values, count)
    return family
