"""What a delivery costs while 10,000 or 200,000 wait (or 5,000,000): CPU and memory of a server that drains them.

The backlog is put straight into the store; then `affwire serve` starts on it, in front of a receiver that answers
nobody yet. From when it does, the first 8,000 deliveries are measured. Medians of three servers.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from book import Figures
from drivers.affwire import Affwire
from processes import cpu_s, resident_mib
from seeding import ENDPOINTS, seed
from sink import Sink
from stage import Stage

SMALL = 10_000
ROUNDS = 3
WINDOW_S_MAX = 60


def run(stage: Stage) -> None:
    few = stage.pick(1_000, SMALL, SMALL)
    window = few * 4 // 5
    urls = [stage.sink.url(number) for number in range(ENDPOINTS)]
    small = _measured(stage, few, window, urls)
    stage.figure(f"pending, {few:,}", small)
    for many in (stage.pick(2_000, 50_000, 200_000), *((5_000_000,) if stage.size == "full" else ())):
        large = _measured(stage, many, window, urls)
        ratio = {"cpu_ratio": large["cpu_s_per_1000"] / small["cpu_s_per_1000"]}
        stage.figure("pending, 5,000,000" if many == 5_000_000 else "pending", {**large, **ratio})


def _measured(stage: Stage, pending: int, window: int, urls: list[str]) -> Figures:
    with TemporaryDirectory(prefix="bench-") as name:
        place = Path(name)
        for done in seed(place / "seeded", urls, pending):
            stage.say(f"{done:,} of {pending:,} deliveries put into the store")
        rounds = stage.pick(1, ROUNDS, ROUNDS) if pending <= 200_000 else 1
        found = list(_rounds(stage.sink, place, window, rounds))
    return {"pending": pending, **{key: median(one[key] for one in found) for key in found[0]}}


def _rounds(sink: Sink, place: Path, window: int, rounds: int) -> Iterator[Figures]:
    """Yield the figures of servers, each on a copy; the last on the seeded directory itself."""
    for turn in range(rounds):
        folder = place / f"round{turn}"
        folder.mkdir()
        (shutil.move if turn == rounds - 1 else shutil.copytree)(place / "seeded", folder / "data")
        driver = Affwire()
        sink.take()
        sink.shut()
        try:
            driver.start(folder, sink.ca_file)
            yield _window(sink, driver.pids()["system"][0], window)
        finally:
            sink.open()
            driver.stop()
        shutil.rmtree(folder)


def _window(sink: Sink, pid: int, until: int) -> Figures:
    """Open the receiver's gate, and look until so many have come in all. TimeoutError if they do not."""
    began, used, first = time.monotonic(), cpu_s(pid), sink.count()
    sink.open()
    while (now := sink.count()) < until:
        if time.monotonic() > began + WINDOW_S_MAX:
            raise TimeoutError(f"{now} of {until} came within {WINDOW_S_MAX} s")
        time.sleep(0.005)
    seconds, used = time.monotonic() - began, cpu_s(pid) - used
    return {
        "per_second": (now - first) / seconds,
        "cpu_s_per_1000": used / (now - first) * 1000,
        "resident_mib": resident_mib(pid),
    }
