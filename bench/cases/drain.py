"""The engine from inside: one process is started on a backlog for 20 endpoints; its CPU, all threads, and nothing else's."""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop
from book import Figures
from house import Bench, open_bench
from sink import Sink
from stage import Stage

ENDPOINTS = 20


def run(stage: Stage) -> None:
    deliveries = stage.pick(200, 5_000, 50_000)
    bare = stage.bare()
    with TemporaryDirectory() as folder:
        stage.figure("drain", uvloop.run(drain(Path(folder), stage.sink, deliveries)), bare=bare)


async def drain(folder: Path, sink: Sink, deliveries: int, database_url: str | None = None) -> Figures:
    """Return deliveries a second and CPU-seconds per 1,000: engine, store and wire."""
    async with open_bench(folder, sink, database_url, engine=False) as bench:
        for number in range(ENDPOINTS):
            await bench.endpoint(f"{number}")
        await bench.changes(deliveries // ENDPOINTS)
    sink.take()
    async with open_bench(folder, sink, database_url) as bench:
        began, cpu = time.perf_counter(), time.process_time()
        await _drained(bench)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
    missing = deliveries - sink.count()
    sink.take()
    return {"per_second": deliveries / seconds, "cpu_s_per_1000": used / deliveries * 1000, "missing": missing}


async def _drained(bench: Bench) -> None:
    while await bench.has_work():  # noqa: ASYNC110 -- what is looked at changes without telling
        await asyncio.sleep(0.1)
