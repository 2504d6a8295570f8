"""The senders of the ingest figures: a process of its own, connections kept alive, every request made before the clock runs.

Each connection has one request under way, as a platform's client has. Speaks just enough HTTP to count the answers.
"""

import asyncio
import hmac
import json
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import count
from typing import Any

import uvloop

TICK_S = 0.001
PLACEHOLDER = b"[the message's own]"


@dataclass
class Load:
    """What is sent: to which path, how long, over how many connections; `rate` a second, or as fast as answers come."""

    port: int
    path: str
    secret: str
    seconds: float
    connections: int = 64
    rate: int | None = None
    most: int = 60_000
    label: str = "a"
    genuine: bool = True


@dataclass
class Heard:
    """How it was answered: statuses, and for each answer the seconds since it was due."""

    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0


def bodies(label: str) -> Iterator[bytes]:
    """Yield Rewardful messages without end, each about an affiliate of its own."""
    sample = files("affwire.dialects.rewardful").joinpath("samples", "affiliate.created.json").read_bytes()
    said: Any = json.loads(sample)
    said["event"]["id"] = said["object"]["id"] = PLACEHOLDER.decode()
    said["object"]["email"] = f"{PLACEHOLDER.decode()}@example.org"
    template = json.dumps(said).encode()
    for number in count():
        yield template.replace(PLACEHOLDER, f"{label}-{number}".encode())


def requests(load: Load) -> Iterator[bytes]:
    """Yield whole requests, signed with the source's secret, or with another one."""
    secret = (load.secret if load.genuine else load.secret[::-1]).encode()
    head = f"POST {load.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
    for body in bodies(load.label):
        proof = hmac.digest(secret, body, "sha256").hex()
        yield head + f"X-Rewardful-Signature: {proof}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def send(load: Load) -> Heard:
    """Carry a load out; runs in a process of its own."""
    ready = deque(request for request, _ in zip(requests(load), range(_wanted(load)), strict=False))
    return uvloop.run(_send(load, ready))


def _wanted(load: Load) -> int:
    return load.most if load.rate is None else int(load.rate * load.seconds)


class _Talk(asyncio.Protocol):
    def __init__(self, sender: "_Sender") -> None:
        self._sender = sender
        self._data = b""
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def ask(self, request: bytes, due: float) -> None:
        self.due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._data[:end].lower()
        at = head.index(b"content-length:") + 15
        if len(self._data) < end + 4 + int(head[at:].split(b"\r\n", 1)[0]):
            return
        self._data = b""
        self._sender.answered(self, int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        self._sender.lost(error)

    def close(self) -> None:
        self._transport.close()


class _Sender:
    def __init__(self, load: Load, ready: "deque[bytes]") -> None:
        self.load, self.ready, self.heard = load, ready, Heard()
        self.idle: deque[_Talk] = deque()
        self.late: deque[float] = deque()
        self.under_way, self.is_over = 0, False

    def answered(self, talk: _Talk, status: int) -> None:
        self.under_way -= 1
        now = time.perf_counter()
        self.heard.statuses[status] += 1
        self.heard.waits.append(now - talk.due)
        self.idle.append(talk)
        if self.load.rate is None and not self.is_over:
            self.late.append(now)
        self.push()

    def lost(self, error: Exception | None) -> None:
        if not self.is_over:
            raise RuntimeError(f"the server closed a connection: {error}")

    def push(self) -> None:
        while self.late and self.idle and self.ready:
            self.under_way += 1
            self.idle.popleft().ask(self.ready.popleft(), self.late.popleft())


async def _send(load: Load, ready: "deque[bytes]") -> Heard:
    loop, sender = asyncio.get_running_loop(), _Sender(load, ready)
    for _ in range(load.connections):
        _, talk = await loop.create_connection(lambda: _Talk(sender), "127.0.0.1", load.port)
        sender.idle.append(talk)
    began = time.perf_counter()
    if load.rate is None:
        sender.late.extend([began] * load.connections)
        sender.push()
        while time.perf_counter() - began < load.seconds and sender.ready:  # noqa: ASYNC110 -- a clock is watched
            await asyncio.sleep(TICK_S)
    else:
        await _at_rate(sender, load.rate, began)
    sender.is_over = True
    while sender.under_way or (load.rate and sender.late):  # noqa: ASYNC110 -- as above
        await asyncio.sleep(TICK_S)
    sender.heard.seconds = time.perf_counter() - began
    for talk in sender.idle:
        talk.close()
    return sender.heard


async def _at_rate(sender: _Sender, rate: int, began: float) -> None:
    """Let each request be due at its time, whether or not earlier ones were answered."""
    total, due = len(sender.ready), 0
    while due < total:
        now = time.perf_counter()
        while due < total and began + due / rate <= now:
            sender.late.append(began + due / rate)
            due += 1
        sender.push()
        await asyncio.sleep(TICK_S)
