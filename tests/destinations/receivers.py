"""Receivers of every temper on loopback, and a wire that may reach them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import trustme

from affwire.destinations.addresses import Address, parse
from affwire.destinations.guard import Guard, Rules
from affwire.destinations.http import HttpWire
from affwire.model.wire import Limits, Outcome, Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Names:
    """A resolver with a fixed book of names; it remembers what it was asked."""

    def __init__(self, book: dict[str, list[str]]) -> None:
        self.book = {host: tuple(parse(text) for text in answer) for host, answer in book.items()}
        self.asked: list[str] = []

    def remembered(self, host: str) -> None:
        """Every name is looked up."""

    async def lookup(self, host: str, timeout_ms: int) -> tuple[Address, ...]:
        del timeout_ms
        self.asked.append(host)
        return self.book.get(host, ())

    def close(self) -> None:
        """Nothing to let go."""


class Receiver:
    """A server that gives `answers` on each new connection; `requests` holds each head and body it read."""

    def __init__(self, answers: list[bytes | Script]) -> None:
        self.answers = answers
        self.port = 0
        self.requests: list[tuple[bytes, bytes]] = []
        self.connections = 0
        self.first = asyncio.Event()

    async def read(self, reader: asyncio.StreamReader) -> bool:
        """Read one request; False at the connection's end."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return False
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        self.requests.append((head, await reader.readexactly(length)))
        self.first.set()
        return True


class House:
    """Everything one test needs on one event loop."""

    def __init__(self, authority: trustme.CA, ca_file: Path) -> None:
        self._authority, self._ca_file = authority, ca_file

    def tls(self, *names: str, authority: trustme.CA | None = None) -> ssl.SSLContext:
        """Return a server's context for these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (authority or self._authority).issue_cert(*(names or ("127.0.0.1", "127.0.0.2", "r.test"))).configure_cert(
            context
        )
        return context

    @asynccontextmanager
    async def receiver(
        self, *answers: bytes | Script, tls: ssl.SSLContext | bool = True, host: str = "127.0.0.1", port: int = 0
    ) -> AsyncIterator[Receiver]:
        """Serve: each connection gets the answers in turn, one per request; the last one is repeated."""
        receiver = Receiver(list(answers or (OK,)))

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            receiver.connections += 1
            await talk(receiver, reader, writer, list(receiver.answers))

        async with listening(
            serve, tls=self.tls() if tls is True else tls or None, host=host, port=port
        ) as receiver.port:
            yield receiver

    @asynccontextmanager
    async def wire(
        self,
        names: dict[str, list[str]] | None = None,
        networks: str = "127.0.0.0/8",
        *,
        http: bool = False,
        **more: Any,
    ) -> AsyncIterator[HttpWire]:
        """A wire that trusts the authority, reaches loopback and knows r.test."""
        book = Names({"r.test": ["127.0.0.1"], **(names or {})})
        wire = HttpWire(Guard(Rules.parse(networks, allow_http=http), book, **more), self._ca_file)
        try:
            yield wire
        finally:
            await wire.close()
            await asyncio.sleep(0)


@asynccontextmanager
async def listening(
    serve: Script, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[int]:
    """Run a script for each connection, give the port; at the end every connection is torn down."""
    transports: set[asyncio.WriteTransport] = set()
    tasks: set[asyncio.Task[None]] = set()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError, ssl.SSLError):
            await serve(reader, writer)
        writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transports.add(writer.transport)
        tasks.add(asyncio.ensure_future(guarded(reader, writer)))

    server = await asyncio.start_server(accept, host, port, ssl=tls, backlog=512)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        for transport in transports:
            transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)


async def talk(
    receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: list[bytes | Script]
) -> None:
    """Read requests and give answers until the other side ends."""
    while await receiver.read(reader):
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            return await answer(reader, writer)
        writer.write(answer)
        await writer.drain()
    return None


def limits(**changes: int) -> Limits:
    """Limits that a healthy loopback exchange never meets."""
    return Limits(**{"connect_ms": 2_000, "read_ms": 5_000, "total_ms": 5_000, **changes})


async def post(
    wire: HttpWire, url: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"{}", **changes: int
) -> Outcome:
    """Send one request."""
    return await wire.send(Request(url, tuple(headers), body), limits(**changes))
