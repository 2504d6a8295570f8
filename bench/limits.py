"""What bounds a figure: the sending client alone, a server that does nothing, senders straight at the receiver."""

import asyncio
import time

import uvloop
from book import Figures
from load import NUMBER, Events, Load, sent
from serving import serving
from sink import Sink

from affwire.destinations.guard import Guard, Rules
from affwire.destinations.http import HttpWire
from affwire.model.wire import Limits, Request

BODY_BYTES = 1_300
"""Of a usual delivery."""


def client(sink: Sink, count: int = 20_000, script: str = "ok", in_flight: int = 200) -> Figures:
    """affwire's sending client alone in a loop, over HTTPS: a body of the usual size, no store, no engine."""
    return uvloop.run(_client(sink.url("bare", script), sink, count, in_flight))


async def _client(url: str, sink: Sink, count: int, in_flight: int) -> Figures:
    wire = HttpWire(Guard(Rules.parse("127.0.0.0/8")), sink.ca_file, connections_max=max(in_flight, 200))
    request = Request(url, (("Content-Type", "application/json"),), b"x" * BODY_BYTES)
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await wire.send(request, Limits(5000, 5000, 5000))

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    await wire.close()
    sink.take()
    return {"per_second": count / seconds, "cpu_s_per_1000": used / count * 1000}


def server(seconds: float, connections: int = 32) -> Figures:
    """The same HTTP server answers 200 to everything and does nothing."""
    with serving("idle") as idle:
        before = idle.cpu_s()
        heard = sent(Load(idle.port, Events(_straight("/in/nothing")), seconds, connections))
        used = idle.cpu_s() - before
    done = heard.statuses[200]
    return {"per_second": done / heard.seconds, "cpu_s_per_1000": used / done * 1000, **heard.percentiles()}


def straight(sink: Sink, rate: float, seconds: float) -> Figures:
    """The same senders at the same rate straight at the receiver: ms from when each was due to its answer."""
    heard = sent(Load(sink.plain_port, Events(_straight("/straight/ok")), seconds, 32, rate))
    sink.take()
    return heard.percentiles()


def _straight(path: str) -> bytes:
    body = NUMBER.ljust(100)
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
