"""`make bench`: prints the machine, then one JSON line a figure, each beside the bare client's loop of the same minute.

Usage: python bench/run.py [--quick] [NAME ...]   names: drain latency isolation memory registry ingest
"""

import json
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import scenarios
import structlog
import uvloop
from receiver import Receiver

import ingest
from affwire.cli.serve import json_lines

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "e2e"))
from installation import HttpsReceiver, Installation

NAMES = ("drain", "latency", "isolation", "memory", "registry", "ingest")


def run(work: Awaitable[Any]) -> Any:
    async def main() -> Any:
        return await work

    return uvloop.run(main())


def show(name: str, figures: dict[str, float], bare: dict[str, float] | None = None) -> None:
    line: dict[str, Any] = {"figure": name, **{key: round(value, 3) for key, value in figures.items()}}
    if bare:
        line["bare_per_second"] = round(bare["per_second"])
        line["bare_cpu_s_per_1000"] = round(bare["cpu_s_per_1000"], 3)
        if "cpu_s_per_1000" in figures:
            line["cpu_times_bare"] = round(figures["cpu_s_per_1000"] / bare["cpu_s_per_1000"], 2)
        if "per_second" in figures:
            line["speed_of_bare"] = round(figures["per_second"] / bare["per_second"], 3)
    print(json.dumps(line), flush=True)


def measured(name: str, receiver: Receiver, measure: Callable[[Path], Awaitable[dict[str, float]]]) -> None:
    bare = run(scenarios.bare(receiver))
    with tempfile.TemporaryDirectory() as folder:
        show(name, run(measure(Path(folder))), bare)


def memory(pending: int) -> dict[str, float]:
    log_as_the_server_does()
    with tempfile.TemporaryDirectory() as certificates, tempfile.TemporaryDirectory() as folder:
        receiver = Receiver.start(Path(certificates))
        figures: dict[str, float] = run(scenarios.memory(Path(folder), receiver, pending))
        receiver.stop()
    return figures


def registry(quick: bool) -> None:
    for engine in ("off", "on"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            receiver = HttpsReceiver(folder)
            installation = Installation(folder, receiver.ca_file)
            try:
                client = installation.start().organization()
                body = {"url": receiver.url(), "dialect": "standard", "paused": engine == "off"}
                client.post("/v1/endpoints", json=body)
                key = client.headers["Authorization"].removeprefix("Bearer ")
                show(
                    f"registry changes, 32 clients, engine {engine}",
                    scenarios.registry(installation.port, key, 800 if quick else 3_000),
                )
            finally:
                installation.close()
                receiver.close()


def ingesting(quick: bool) -> None:
    seconds = 2 if quick else 6
    nothing = ingest.limit("idle", seconds)
    show("ingest: the same server answers 200 and does nothing", nothing)
    for kind in ("door", "whole"):
        figures = ingest.limit(kind, seconds)
        if kind == "door":  # of the whole, most is the normaliser's
            figures["cpu_times_nothing"] = figures["cpu_s_per_1000"] / nothing["cpu_s_per_1000"]
        show(f"ingest: {kind}, 64 connections", figures)
        show(f"ingest: {kind}, {ingest.RATE_HALF} messages/s", ingest.half(kind, seconds))
    show(f"ingest: door, beside {ingest.FLOOD} forgeries/s", ingest.flooded("door", seconds))
    for mode in ("relay", "mirror"):
        show(f"normaliser: {mode}", run(ingest.normalised(mode, 1_000 if quick else 5_000)))


def main() -> None:
    quick = "--quick" in sys.argv
    names = [name for name in sys.argv[1:] if name in NAMES] or list(NAMES)
    print(
        json.dumps(
            {
                "machine": platform.machine(),
                "cores": os.cpu_count(),
                "python": platform.python_version(),
                "sqlite": sqlite3.sqlite_version,
                "load": os.getloadavg()[0],
                "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            }
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        receiver = Receiver.start(Path(folder))
        show("bare client, 200 in flight", run(scenarios.bare(receiver)))
        if "drain" in names:
            measured("drain", receiver, lambda folder: scenarios.drain(folder, receiver, 5_000 if quick else 50_000))
        if "latency" in names:
            for rate in (200, 500, 1_000):
                measured(
                    f"commit to receiver at {rate} events/s",
                    receiver,
                    lambda folder, rate=rate: scenarios.latency(folder, receiver, rate, 2 if quick else 8),
                )
        if "isolation" in names:
            measured("200 endpoints, 20 hang", receiver, lambda folder: scenarios.isolation(folder, receiver))
        if "memory" in names:
            for pending in (10_000, 20_000 if quick else 200_000):
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                    show(f"{pending} pending, in a process of its own", alone.submit(memory, pending).result())
        receiver.stop()
    if "registry" in names:
        registry(quick)
    if "ingest" in names:
        ingesting(quick)


def log_as_the_server_does() -> None:
    """Lines are made by the server's own processors, written and paid for, but not read."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=json_lines),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=Path(os.devnull).open("w")),  # noqa: SIM115 -- as long as we run
        cache_logger_on_first_use=True,
    )


if __name__ == "__main__":
    log_as_the_server_does()
    main()
