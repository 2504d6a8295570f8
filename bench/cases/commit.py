"""The engine from inside: events at a steady rate, ms from just before each one's commit to its arrival."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import limits
import uvloop
from book import Figures
from house import Bench, open_bench
from load import NUMBER, percentiles
from sink import MARK, Sink
from stage import Stage

RATES = (200, 500, 1_000)


def run(stage: Stage) -> None:
    seconds = stage.pick(0.5, 2, 8)
    for rate in RATES:
        straight = limits.straight(stage.sink, rate, min(seconds, 3))
        with TemporaryDirectory() as folder:
            figures = uvloop.run(_commit(Path(folder), stage.sink, rate, round(rate * seconds)))
        stage.figure(f"commit to receiver at {rate} events/s", figures, straight=straight)


async def _commit(folder: Path, sink: Sink, rate: int, events: int) -> Figures:
    async with open_bench(folder, sink) as bench:
        await bench.endpoint("commit", policy={"max_in_flight": 50})
        await bench.changes(50)
        await asyncio.to_thread(sink.wait, 50)
        sink.take()
        loop, tasks = asyncio.get_running_loop(), []
        began = loop.time()
        for number in range(events):
            await asyncio.sleep(max(began + number / rate - loop.time(), 0))
            tasks.append(asyncio.create_task(_numbered(bench, number)))
        commits = await asyncio.gather(*tasks)
        made = loop.time() - began
        await asyncio.to_thread(sink.wait, events)
    waits = [(at - commits[number]) * 1000 for number, at in sink.take().firsts()]
    return {"rate": rate, "rate_reached": events / made, "missing": events - len(waits), **percentiles(waits)}


async def _numbered(bench: Bench, number: int) -> float:
    return await bench.change(NUMBER[: len(MARK)].decode() + f"{number:09d}")
