"""A real affwire in a process of its own, and a real HTTPS receiver in a thread: what users run, nothing less."""

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx2
import trustme

OPERATOR = "the-operators-own-key-of-many-characters"
START_SECONDS = 90
MASTER_KEY = "the same on every machine, and long"


@dataclass
class Seen:
    """One request that reached the receiver."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class HttpsReceiver:
    """Answers each path by its `answers`: path -> function of the earlier requests there -> status, or None to hang.

    `seconds`: how long it takes to answer.
    """

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.host = host
        authority = trustme.CA()
        self.ca_file = folder / "receiver-ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host, "localhost").configure_cert(self._tls)
        self.seen: list[Seen] = []
        self.answers: dict[str, Callable[[int], int | None]] = {}
        self.seconds = 0.0
        self._counts: dict[str, int] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port: int = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)

    def url(self, path: str = "/in") -> str:
        return f"https://{self.host}:{self.port}{path}"

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> int:
        self._server = await asyncio.start_server(self._talk, self.host, 0, ssl=self._tls, backlog=1024)
        return int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()
        talks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0.05)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers["content-length"]))
                path = head[0].split()[1]
                before = self._counts.get(path, 0)
                self._counts[path] = before + 1
                self.seen.append(Seen(path, headers, body))
                status = self.answers.get(path, lambda _: 200)(before)
                if status is None:
                    await asyncio.sleep(3600)
                await asyncio.sleep(self.seconds)
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            return
        except asyncio.CancelledError:
            return
        finally:
            writer.transport.abort()


class Installation:
    """A server over a data directory that outlives its processes."""

    def __init__(self, folder: Path, ca_file: Path, **settings: str) -> None:
        self.data_dir = folder / "data"
        self.port = free_port()
        self.log = (folder / "server.log").open("ab")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AFFWIRE_")},
            "AFFWIRE_DATA_DIR": str(self.data_dir),
            "AFFWIRE_PORT": str(self.port),
            "AFFWIRE_ADMIN_KEY": OPERATOR,
            "AFFWIRE_ALLOW_NETWORKS": "127.0.0.0/8",
            "AFFWIRE_CA_FILE": str(ca_file),
            **settings,
        }
        self.arguments: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: list[httpx2.Client] = []

    def start(self) -> Self:
        """Start a process and wait until it answers."""
        command = [sys.executable, "-m", "affwire", "serve", *self.arguments]
        self._process = subprocess.Popen(command, env=self.environment, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            assert self._process.poll() is None, f"the server ended at its start; see {self.log.name}"
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.02)
        return self

    def kill(self) -> None:
        """End the process as a power cut would: no handler runs."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self, seconds: float = 30) -> int:
        """End the process gracefully; return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        for client in self._clients:
            client.close()
        self.log.close()

    def client(self, key: str = OPERATOR) -> httpx2.Client:
        """Return a client with that key; it is closed with the installation."""
        client = httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=20,
        )
        self._clients.append(client)
        return client

    def organization(self, slug: str = "acme", **fields: Any) -> httpx2.Client:
        """Create an organization and return a client with its key."""
        body = {"slug": slug, "name": slug, "timezone": "UTC", "unlimited_endpoints": True, **fields}
        answer = self.client().post("/v1/organizations", json=body)
        assert answer.status_code == 201, answer.text
        return self.client(answer.json()["api_key"])

    def _ready(self) -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{self.port}/readyz", trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False


HURRIED = """
from affwire.cli.main import main
from affwire.engine.janitor import Janitor
from affwire.rules import retry

retry.LEASE_MARGIN_MS = 3_000
Janitor.__init__.__kwdefaults__["round_ms"] = 500
main()
"""
"""affwire, but what a crash leaves is taken over after 4 s instead of 15: a test of many crashes need not wait as long."""


class Worker:
    """A process that only delivers. `under`: the command that starts it elsewhere ("ip netns exec ..."); `program`: affwire,
    but with something changed (HURRIED).
    """

    def __init__(
        self, house: Installation, folder: Path, *under: str, program: str | None = None, **settings: str
    ) -> None:
        folder.mkdir(exist_ok=True)
        environment = {**house.environment, "AFFWIRE_DATA_DIR": str(folder), **settings}
        started = ("-c", program) if program else ("-m", "affwire")
        command = [*under, sys.executable, *started, "worker", "--json"]
        self.log = folder / "worker.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log)
        self._ready = False

    def ready(self) -> Self:
        """Wait until it delivers."""
        assert self.process.stdout is not None
        if not self._ready:
            assert self.process.stdout.readline(), f"the worker ended at its start; see {self.log}"
            self._ready = True
        return self

    def end(self, number: signal.Signals = signal.SIGKILL, seconds: float = 60) -> int:
        self.process.send_signal(number)
        code = self.process.wait(seconds)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(holds: Callable[[], bool], seconds: float = 30, what: str = "it") -> None:
    """Wait until something holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)
