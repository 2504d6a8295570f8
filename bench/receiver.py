"""The cheapest HTTPS receiver, in a process of its own: it answers at once and remembers when what arrived.

Paths that begin with /hang are never answered.
"""

import asyncio
import multiprocessing
import ssl
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import trustme
import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Talk(asyncio.Protocol):
    """One connection: HTTP/1.1 with Content-Length, one request after another."""

    def __init__(self, arrivals: list[tuple[float, bytes]]) -> None:
        self.arrivals = arrivals
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
            if not head.startswith(b"POST /hang"):
                self.arrivals.append((time.time(), body[:120]))
                self.transport.write(ANSWER)


def receive(cert: str, pipe: Connection) -> None:
    """Serve until the other end of the pipe says so; answer its questions."""

    async def main() -> None:
        arrivals: list[tuple[float, bytes]] = []
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Talk(arrivals), "127.0.0.1", 0, ssl=tls, backlog=2048)
        pipe.send(server.sockets[0].getsockname()[1])
        while (question := await loop.run_in_executor(None, pipe.recv)) != "stop":
            pipe.send(len(arrivals) if question == "count" else list(arrivals))
            if question == "take":
                arrivals.clear()

    uvloop.run(main())


@dataclass
class Receiver:
    """The receiver as the benchmark sees it."""

    ca_file: Path
    url: str
    process: Any
    pipe: Connection

    @classmethod
    def start(cls, folder: Path) -> Self:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "cert.pem")
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=receive, args=(str(folder / "cert.pem"), theirs), daemon=True
        )
        process.start()
        return cls(folder / "ca.pem", f"https://127.0.0.1:{ours.recv()}/", process, ours)

    def count(self) -> int:
        """Return how many requests were answered."""
        self.pipe.send("count")
        return int(self.pipe.recv())

    def take(self) -> list[tuple[float, bytes]]:
        """Return what arrived, and forget it."""
        self.pipe.send("take")
        return list(self.pipe.recv())

    def stop(self) -> None:
        self.pipe.send("stop")
        self.process.join(5)
