"""What is measured, one function a figure. Each returns plain numbers; nothing here decides what is good."""

import asyncio
import json
import resource
import time
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from threading import Thread
from typing import Any

from house import Bench, open_bench
from receiver import Receiver

from affwire.destinations.guard import Guard, Rules
from affwire.destinations.http import HttpWire
from affwire.model.wire import Limits, Request

Figures = dict[str, float]


async def bare(receiver: Receiver, count: int = 20_000) -> Figures:
    """The limit: the sending client alone in a loop, 200 in flight, a body of the usual size."""
    wire = HttpWire(Guard(Rules.parse("127.0.0.0/8")), receiver.ca_file)
    request = Request(receiver.url, (("Content-Type", "application/json"),), b"x" * 1300)
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await wire.send(request, Limits(5000, 5000, 5000))

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(200)))
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    await wire.close()
    receiver.take()
    return {"per_second": count / seconds, "cpu_s_per_1000": used / count * 1000}


async def drain(folder: Path, receiver: Receiver, deliveries: int = 50_000, endpoints: int = 20) -> Figures:
    """A backlog is let go: deliveries a second and CPU-seconds per 1,000, engine and store and all."""
    async with open_bench(folder, receiver) as bench:
        ids = [await bench.endpoint(f"{n}", paused=True) for n in range(endpoints)]
        await bench.changes(deliveries // endpoints)
        receiver.take()
        began, cpu = time.perf_counter(), time.process_time()
        for endpoint_id in ids:
            await bench.pause(endpoint_id, paused=False)
        await _drained(bench)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
    return {"per_second": deliveries / seconds, "cpu_s_per_1000": used / deliveries * 1000}


async def latency(folder: Path, receiver: Receiver, rate: int, seconds: int = 8) -> Figures:
    """From an event's time (just before its commit) to its arrival, in ms, at a steady rate of events to one endpoint."""
    async with open_bench(folder, receiver) as bench:
        await bench.endpoint("latency", policy={"max_in_flight": 50})
        await bench.changes(50)
        await asyncio.sleep(1)
        receiver.take()
        loop, tasks = asyncio.get_running_loop(), []
        began = loop.time()
        for number in range(rate * seconds):
            await asyncio.sleep(max(began + number / rate - loop.time(), 0))
            tasks.append(asyncio.create_task(bench.change()))
        await asyncio.gather(*tasks)
        made = loop.time() - began
        await _arrived(receiver, rate * seconds)
    waits = sorted((at - _said_at(body)) * 1000 for at, body in receiver.take())
    cuts = quantiles(waits, n=100)
    return {"rate_reached": rate * seconds / made, "p50_ms": cuts[49], "p95_ms": cuts[94], "p99_ms": cuts[98]}


async def isolation(
    folder: Path, receiver: Receiver, endpoints: int = 200, hung: int = 20, events: int = 25
) -> Figures:
    """200 endpoints of which some hang: the healthy ones' deliveries a second, and how late the slowest arrived."""
    async with open_bench(folder, receiver) as bench:
        for number in range(endpoints):
            await bench.endpoint(f"hang{number}" if number < hung else f"well{number}")
        began = time.time()
        await bench.changes(events)
        await _arrived(receiver, (endpoints - hung) * events)
        waits = sorted((at - _said_at(body)) * 1000 for at, body in receiver.take())
        seconds = time.time() - began
    return {"per_second": len(waits) / seconds, "p99_ms": quantiles(waits, n=100)[98]}


async def memory(folder: Path, receiver: Receiver, pending: int) -> Figures:
    """Resident MiB with so many deliveries waiting for a paused endpoint, and ms from idle to the first delivery."""
    async with open_bench(folder, receiver) as bench:
        paused = [await bench.endpoint(f"paused{n}", paused=True) for n in range(50)]
        await bench.changes(pending // len(paused))
        await bench.endpoint("first")
        resident = _resident_mib()
        await asyncio.sleep(1.5)
        receiver.take()
        await bench.change()
        await _arrived(receiver, 1)
        [(at, body)] = receiver.take()
    return {"resident_mib": resident, "idle_to_first_ms": (at - _said_at(body)) * 1000}


def registry(port: int, key: str, changes: int = 3_000, clients: int = 32) -> Figures:
    """Changes a second of the registry over HTTP, from 32 clients: affiliates are created."""

    def work(client: int) -> None:
        http = HTTPConnection("127.0.0.1", port)
        for number in range(changes // clients):
            body = json.dumps({"email": f"a{client}-{number}-{time.monotonic_ns()}@example.org"})
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            http.request("POST", "/v1/affiliates", body, headers)
            answer = http.getresponse()
            assert answer.status == 201, answer.read()
            answer.read()
        http.close()

    began = time.perf_counter()
    threads = [Thread(target=work, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"per_second": changes // clients * clients / (time.perf_counter() - began)}


async def _drained(bench: Bench) -> None:
    while await bench.has_work():  # noqa: ASYNC110 -- what is looked at changes without telling
        await asyncio.sleep(0.1)


async def _arrived(receiver: Receiver, count: int) -> None:
    while receiver.count() < count:  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0.02)


def _said_at(body: bytes) -> float:
    text: Any = body.partition(b'"timestamp":"')[2][:24].decode()
    return datetime.fromisoformat(text).timestamp()


def _resident_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines() if Path("/proc/self/status").exists() else ():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
