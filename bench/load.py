"""The senders: a process of its own, connections kept alive, every request made before the clock runs.

Each connection has one request under way. At a rate, a request is due at its time whatever is answered, and what it
waits counts from then (no coordinated omission). Speaks just enough HTTP to count the answers.
"""

import asyncio
import hmac
import json
import math
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import count
from multiprocessing import get_context
from statistics import quantiles
from typing import Any

import uvloop
from sink import MARK

TICK_S = 0.001
AGAIN_S = 0.05
"""Between two tries to reach a server that is down."""
PATIENCE_S = 60
"""How long answers are waited for after the last request was due."""
NUMBER = MARK + b"000000000"
PLACEHOLDER = b"[the message's own]"


@dataclass
class Events:
    """Requests that make events: one whole request, in which NUMBER becomes the number of each."""

    template: bytes
    first: int = 0

    def requests(self) -> Iterator[bytes]:
        for number in count(self.first):
            yield self.template.replace(NUMBER, MARK + b"%09d" % number)


@dataclass
class Messages:
    """Rewardful's webhooks, signed with the source's secret or (forged) with another; of 100, `again` are repeats."""

    path: str
    secret: str
    label: str = "a"
    genuine: bool = True
    again: int = 0

    def requests(self) -> Iterator[bytes]:
        secret = (self.secret if self.genuine else self.secret[::-1]).encode()
        head = f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
        for body in bodies(self.label, self.again):
            proof = hmac.digest(secret, body, "sha256").hex()
            yield head + f"X-Rewardful-Signature: {proof}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass
class Load:
    """What is sent: how long, over how many connections; `rate` a second, or as fast as answers come.

    `stubborn` comes back to a server that went down; what it left unanswered is not asked again.
    """

    port: int
    what: Events | Messages
    seconds: float
    connections: int = 64
    rate: float | None = None
    most: int = 60_000
    stubborn: bool = False


@dataclass
class Heard:
    """How it was answered, in order of asking: when each was due (monotonic), what it waited (s), and its status."""

    dues: "array[float]" = field(default_factory=lambda: array("d"))
    waits: "array[float]" = field(default_factory=lambda: array("d"))
    answers: "array[int]" = field(default_factory=lambda: array("H"))
    seconds: float = 0.0

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was answered; 0 for no answer."""
        return Counter(self.answers)

    def taken(self) -> list[int]:
        """Return which were accepted, as positions in the order of asking."""
        return [order for order, status in enumerate(self.answers) if 200 <= status < 300]

    def percentiles(self) -> dict[str, float]:
        return percentiles([wait * 1000 for wait in self.waits if not math.isnan(wait)])


def percentiles(waits_ms: list[float], prefix: str = "") -> dict[str, float]:
    """Return p50, p95, p99 and the longest of some waits in ms."""
    cuts = quantiles(waits_ms, n=100, method="inclusive") if len(waits_ms) > 1 else waits_ms * 99
    named = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(waits_ms)} if cuts else {}
    return {f"{prefix}{name}_ms": value for name, value in named.items()}


def bodies(label: str, again: int = 0) -> Iterator[bytes]:
    """Yield Rewardful messages without end, each about an affiliate of its own, or (`again` of 100) the one before."""
    sample = files("affwire.dialects.rewardful").joinpath("samples", "affiliate.created.json").read_bytes()
    said: Any = json.loads(sample)
    said["event"]["id"] = said["object"]["id"] = PLACEHOLDER.decode()
    said["object"]["email"] = f"{PLACEHOLDER.decode()}@example.org"
    template = json.dumps(said).encode()
    for number in count():
        own = number - 1 if number and number * again % 100 < again else number
        yield template.replace(PLACEHOLDER, f"{label}-{own}".encode())


@contextmanager
def senders(number: int = 1) -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(number, mp_context=get_context("spawn")) as pool:
        yield pool


def sent(load: Load) -> Heard:
    """Carry a load out in a process of its own, and wait for it."""
    with senders() as pool:
        done: Future[Heard] = pool.submit(send, load)
        return done.result()


def send(load: Load) -> Heard:
    """Carry a load out in this process, on a loop of its own."""
    wanted = load.most if load.rate is None else max(round(load.rate * load.seconds), 1)
    ready = deque(request for _, request in zip(range(wanted), load.what.requests(), strict=False))
    return uvloop.run(_Sender(load, ready).run())


class _Talk(asyncio.Protocol):
    def __init__(self, sender: "_Sender") -> None:
        self._sender = sender
        self._data = b""
        self.order: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def ask(self, request: bytes, order: int) -> None:
        self.order = order
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._data[:end].lower()
        _, found, rest = head.partition(b"content-length:")
        if len(self._data) < end + 4 + (int(rest.split(b"\r\n", 1)[0]) if found else 0):
            return
        self._data = b""
        self._sender.answered(self, int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        self._sender.lost(self, error)

    def close(self) -> None:
        self._transport.close()


class _Sender:
    def __init__(self, load: Load, ready: "deque[bytes]") -> None:
        self.load, self.ready, self.heard = load, ready, Heard()
        self.idle: deque[_Talk] = deque()
        self.late: deque[float] = deque()
        self.under_way, self.is_over = 0, False
        self.fault: str | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> Heard:
        for _ in range(self.load.connections):
            await self._connect()
        began = time.monotonic()
        await (self._flat_out(began) if self.load.rate is None else self._at_rate(self.load.rate, began))
        await self._answers(began)
        self.is_over = True
        self.heard.seconds = time.monotonic() - began
        await asyncio.gather(*self.tasks)  # uvloop may wait for ever at its end for a connection cut while it was made
        for talk in self.idle:
            talk.close()
        return self.heard

    def answered(self, talk: _Talk, status: int) -> None:
        now, order = time.monotonic(), talk.order
        assert order is not None, "an answer that nobody asked for"
        self.under_way -= 1
        self.heard.answers[order] = status
        self.heard.waits[order] = now - self.heard.dues[order]
        talk.order = None
        self.idle.append(talk)
        if self.load.rate is None and not self.is_over:
            self.late.append(now)
        self.push()

    def lost(self, talk: _Talk, error: Exception | None) -> None:
        if self.is_over:
            return
        if talk.order is None:
            self.idle.remove(talk)
        else:
            self.under_way -= 1
        if self.load.stubborn:
            self.tasks.add(asyncio.ensure_future(self._come_back()))
        else:
            self.fault = f"the server closed a connection: {error}"

    def push(self) -> None:
        while self.late and self.idle and self.ready:
            self.heard.dues.append(self.late.popleft())
            self.heard.waits.append(math.nan)
            self.heard.answers.append(0)
            self.under_way += 1
            self.idle.popleft().ask(self.ready.popleft(), len(self.heard.dues) - 1)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, talk = await loop.create_connection(lambda: _Talk(self), "127.0.0.1", self.load.port)
        self.idle.append(talk)

    async def _come_back(self) -> None:
        while not self.is_over:
            try:
                await self._connect()
            except OSError:
                await asyncio.sleep(AGAIN_S)
            else:
                self.push()
                return

    async def _flat_out(self, began: float) -> None:
        self.late.extend([began] * self.load.connections)
        self.push()
        while time.monotonic() - began < self.load.seconds and self.ready:
            await self._tick()
        self.is_over = True
        self.late.clear()

    async def _at_rate(self, rate: float, began: float) -> None:
        """Let each request be due at its time, whether or not earlier ones were answered."""
        total, due = len(self.ready), 0
        while due < total:
            now = time.monotonic()
            while due < total and began + due / rate <= now:
                self.late.append(began + due / rate)
                due += 1
            self.push()
            await self._tick()

    async def _answers(self, began: float) -> None:
        while (self.under_way or self.late) and time.monotonic() - began < self.load.seconds + PATIENCE_S:
            await self._tick()

    async def _tick(self) -> None:
        if self.fault:
            raise RuntimeError(self.fault)
        await asyncio.sleep(TICK_S)
