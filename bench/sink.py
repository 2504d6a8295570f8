"""The receiver, in a process of its own, over HTTPS and HTTP: counts what arrives and when, and answers by script.

The script is in the URL's path, after a name: /7/delay-50  /7/hang  /7/fail  /7/first-fails-20/slow-10-500. Which
events a percentage hits follows from their numbers: the same ones in every run, for every system.
"""

import asyncio
import multiprocessing
import socket
import ssl
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import uvloop

MARK = b"event-"
"""What a system must pass on to its receivers: this, and the 9 digits of the event's number."""
NO_NUMBER = -1
_SPREAD = 2_654_435_761
"""Knuth's multiplier: neighbouring numbers fall far apart."""


@dataclass
class Arrivals:
    """Requests in order of arrival: monotonic s, the event's number, which path, and what was answered (0: nothing)."""

    times: "array[float]" = field(default_factory=lambda: array("d"))
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    paths: "array[int]" = field(default_factory=lambda: array("L"))
    statuses: "array[int]" = field(default_factory=lambda: array("H"))
    names: list[str] = field(default_factory=list)

    def accepted(self) -> dict[tuple[int, int], list[float]]:
        """Return when each event was accepted at each path: (path, number) -> times; more than one are duplicates."""
        found: dict[tuple[int, int], list[float]] = {}
        for at, number, path, status in zip(self.times, self.numbers, self.paths, self.statuses, strict=True):
            if status == 200:
                found.setdefault((path, number), []).append(at)
        return found

    def firsts(self) -> list[tuple[int, float]]:
        """Return each event's number with when it was first accepted, once for every path."""
        return [(number, times[0]) for (_, number), times in self.accepted().items()]

    def per_second(self) -> float:
        """Return arrivals a second, from the first to the last."""
        spent = self.times[-1] - self.times[0] if len(self.times) > 1 else 0
        return (len(self.times) - 1) / spent if spent else 0.0


class Script:
    """What one path answers, and how late."""

    def __init__(self, path: str, index: int) -> None:
        self.index = index
        self._rules = [rule.split("-") for rule in path.split("/")[2:]]
        self._failed: set[int] = set()

    def answer(self, number: int) -> tuple[int, float]:
        """Return a status (0: never answer) and the seconds to wait before."""
        status, wait, chance = 200, 0.0, ((number + 1) * _SPREAD >> 8) % 100
        for rule, *values in self._rules:
            if rule == "hang":
                status = 0
            elif rule == "fail":
                status = 500
            elif rule == "delay":
                wait = int(values[0]) / 1000
            elif rule == "slow" and chance >= 100 - int(values[0]):
                wait = int(values[1]) / 1000
            elif rule == "first" and chance < int(values[1]) and number not in self._failed:
                self._failed.add(number)
                status = 500
        return status, wait


class _Book:
    def __init__(self) -> None:
        self.arrivals = Arrivals()
        self.scripts: dict[bytes, Script] = {}
        self.accepted = 0
        self.gate: list[tuple[_Talk, int]] | None = None
        """Answers that wait for the gate to open; None while it is open."""

    def script(self, path: bytes) -> Script:
        if path not in self.scripts:
            self.scripts[path] = Script(path.decode("latin-1"), len(self.scripts))
            self.arrivals.names.append(path.decode("latin-1"))
        return self.scripts[path]

    def take(self) -> Arrivals:
        taken, self.arrivals, self.accepted = self.arrivals, Arrivals(names=list(self.arrivals.names)), 0
        return taken

    def shut(self) -> None:
        self.gate = []

    def open(self) -> None:
        waiting, self.gate = self.gate or [], None
        for talk, status in waiting:
            talk.answer(status)


class _Talk(asyncio.Protocol):
    """One connection: HTTP/1.1 with Content-Length, one request after another."""

    def __init__(self, book: _Book) -> None:
        self.book = book
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end]
            at = head.lower().index(b"content-length:") + 15
            size = end + 4 + int(head[at:].split(b"\r\n", 1)[0])
            if len(self.data) < size:
                return
            body, self.data = self.data[end + 4 : size], self.data[size:]
            self._note(head[5 : head.index(b" ", 5)], body)

    def _note(self, path: bytes, body: bytes) -> None:
        mark = body.find(MARK) + len(MARK)
        number = int(body[mark : mark + 9]) if mark >= len(MARK) else NO_NUMBER
        script, arrivals = self.book.script(path), self.book.arrivals
        status, wait = script.answer(number)
        arrivals.times.append(time.monotonic())
        arrivals.numbers.append(number)
        arrivals.paths.append(script.index)
        arrivals.statuses.append(status)
        self.book.accepted += status == 200
        if status and wait:
            asyncio.get_running_loop().call_later(wait, self.answer, status)
        elif status and self.book.gate is not None:
            self.book.gate.append((self, status))
        elif status:
            self.answer(status)

    def answer(self, status: int) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok" % status)


def _receive(cert: str, pipe: Connection) -> None:
    async def main() -> None:
        book = _Book()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert)
        loop = asyncio.get_running_loop()
        questions: dict[str, Callable[[], Any]] = {
            "count": lambda: book.accepted,
            "take": book.take,
            "shut": book.shut,
            "open": book.open,
            "cpu": time.process_time,
        }
        servers = [
            await loop.create_server(lambda: _Talk(book), "127.0.0.1", 0, ssl=context, backlog=2048)
            for context in (tls, None)
        ]
        pipe.send([server.sockets[0].getsockname()[1] for server in servers])
        while (question := await loop.run_in_executor(None, pipe.recv)) != "stop":
            pipe.send(questions[question]())

    uvloop.run(main())


@dataclass
class Sink:
    """The receiver as a case sees it."""

    ca_file: Path
    port: int
    plain_port: int
    process: Any
    pipe: Connection
    closed: socket.socket
    """Bound, but listening to nobody."""

    @classmethod
    def start(cls, folder: Path) -> Self:
        import trustme  # here: senders load this module too, and need to be quick

        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "cert.pem")
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_receive, args=(str(folder / "cert.pem"), theirs), daemon=True)
        process.start()
        closed = socket.socket()
        closed.bind(("127.0.0.1", 0))
        return cls(folder / "ca.pem", *ours.recv(), process, ours, closed)

    def url(self, name: object, script: str = "ok") -> str:
        return f"https://127.0.0.1:{self.port}/{name}/{script}"

    @property
    def dead_url(self) -> str:
        """Where connections are refused."""
        return f"https://127.0.0.1:{self.closed.getsockname()[1]}/dead"

    def count(self) -> int:
        """Return how many requests were answered 200 since the last `take`."""
        return int(self._ask("count"))

    def take(self) -> Arrivals:
        """Return what came in, and forget it."""
        taken: Arrivals = self._ask("take")
        return taken

    def cpu_s(self) -> float:
        return float(self._ask("cpu"))

    def wait(self, count: int, patience_s: float = 30) -> None:
        """Wait until so many were accepted since the last `take`, or no further one is for `patience_s`."""
        before, since = -1, time.monotonic()
        while (now := self.count()) < count and time.monotonic() < since + patience_s:
            if now != before:
                before, since = now, time.monotonic()
            time.sleep(0.02)

    def shut(self) -> None:
        """Answer nobody until `open`: a backlog cannot drain before everything is ready to look."""
        self._ask("shut")

    def open(self) -> None:
        """Answer all that wait, and whoever comes."""
        self._ask("open")

    def stop(self) -> None:
        self.pipe.send("stop")
        self.process.join(5)
        self.closed.close()

    def _ask(self, question: str) -> Any:
        self.pipe.send(question)
        return self.pipe.recv()
