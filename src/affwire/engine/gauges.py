"""Gauges of what is true now: states of endpoints and sources, sizes, and what this process itself does.

Rule: the same from every process where they come from the database: take the greatest of them, never their sum.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from prometheus_client.core import GaugeMetricFamily, Metric

from affwire.store.vitals import Vitals


class Process(Struct, frozen=True):
    """What is asked of this very process at each scrape.

    `free_bytes`: room on the disk that holds the data, None where no data is here. `delivers`: whether an engine runs.
    """

    in_flight: Callable[[], int] = int
    streams: Callable[[], int] = int
    free_bytes: Callable[[], int] | None = None
    delivers: bool = False


def of_database(found: Vitals) -> Iterator[Metric]:
    """Yield what every process reads alike."""
    yield _by_state("affwire_endpoints", "Endpoints by state.", found.endpoints)
    yield _by_state("affwire_sources", "Sources by state.", found.sources)
    yield GaugeMetricFamily("affwire_messages_parked", "Inbound messages set aside with a reason.", found.parked)
    yield GaugeMetricFamily("affwire_jobs_running", "Replays and recoveries under way.", found.jobs)
    yield GaugeMetricFamily("affwire_database_bytes", "Size of the database.", found.database_bytes)


def of_process(process: Process) -> Iterator[Metric]:
    """Yield what is this process's own."""
    yield GaugeMetricFamily("affwire_in_flight", "Requests under way in this process.", process.in_flight())
    yield GaugeMetricFamily("affwire_streams", "Live feeds that are open.", process.streams())
    yield GaugeMetricFamily("affwire_delivers", "Whether an engine runs in this process.", process.delivers)
    if process.free_bytes is not None:
        yield GaugeMetricFamily("affwire_disk_free_bytes", "Room on the data's disk.", process.free_bytes())


def _by_state(name: str, meaning: str, counts: Mapping[str, Any]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=["state"])
    for state, count in counts.items():
        family.add_metric([state], count)
    return family
