"""Servers for the inbox figures, each in a process of its own under the settings of `affwire serve`.

idle: 200 to everything, at once.  door: verify, dedupe, commit, answer.  whole: the door, and everything behind it.
"""

import asyncio
import gc
import multiprocessing
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import uvicorn
import uvloop

from affwire.app import GARBAGE_MAX, open_house, open_store
from affwire.cli.logs import log_to
from affwire.ingest.app import Door
from affwire.model.inbound import STATUSES
from affwire.model.jobs import Extent
from affwire.plugins import load_dialects
from affwire.services import organizations, sources
from affwire.settings import Settings
from affwire.store.datadir import DataDir
from affwire.store.store import Store
from affwire.world import World

SECRET = "a-secret-of-the-benchmark"
NOTHING = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}


async def idle(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 -- it does nothing
    await send(NOTHING)
    await send({"type": "http.response.body", "body": b""})


async def source(store: Store, mode: str = "relay", dialect: str = "rewardful") -> str:
    """Create an organization with a source; return the source's path."""
    dialects = load_dialects()

    def make(tx: Any) -> str:
        organization, _ = organizations.create(tx, {"slug": "bench", "name": "Bench", "timezone": "UTC"})
        made = sources.create(tx, organization, dialects, dialect, {"secret": SECRET, "mode": mode})
        return sources.ingest_path(tx, made)

    return await store.run(make)


Counter = Callable[[], Awaitable[int]]


async def _nothing() -> int:
    return 0


def _counter(store: Store) -> Counter:
    """Return a function that counts the messages that were kept and dealt with."""

    return lambda: store.read(lambda tx: messages(tx, *STATUSES))


def messages(tx: Any, *statuses: str) -> int:
    """Return how many messages have one of these statuses."""
    [organization] = tx.registry.organizations()
    everything = Extent(total=0, last=2**62, as_of=tx.now)
    return sum(tx.inbox.count(organization.id, status, extent=everything) for status in statuses)


@asynccontextmanager
async def _app(kind: str, folder: Path) -> AsyncIterator[tuple[Any, str, Counter]]:
    settings = Settings(data_dir=folder, port=0)
    if kind == "idle":
        yield idle, "/in/nothing", _nothing
    elif kind == "whole":
        async with open_house(settings) as house:
            yield house.door, await source(house.store), _counter(house.store)
    else:
        gc.set_threshold(GARBAGE_MAX)  # as open_house does
        data_dir = DataDir(folder)
        with data_dir.lock():
            store = open_store(settings, data_dir, World())
            door = Door(idle, store, load_dialects(), World())
            yield door, await source(store), _counter(store)
            await door.close()
            await store.close()


def _serve(kind: str, folder: str, pipe: Connection) -> None:
    log_as_the_server_does()

    async def main() -> None:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        async with _app(kind, Path(folder)) as (app, path, counted):
            config = uvicorn.Config(
                app, log_config=None, access_log=False, lifespan="off", proxy_headers=False, timeout_keep_alive=30
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            loop = asyncio.get_running_loop()
            pipe.send((listener.getsockname()[1], path))
            while (question := await loop.run_in_executor(None, pipe.recv)) != "stop":
                pipe.send(time.process_time() if question == "cpu" else await counted())
            server.should_exit = True
            await serving

    uvloop.run(main())


@dataclass
class Serving:
    """A server as the benchmark sees it."""

    port: int
    path: str
    process: Any
    pipe: Connection

    @classmethod
    def start(cls, kind: str, folder: Path) -> Self:
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_serve, args=(kind, str(folder), theirs), daemon=True)
        process.start()
        port, path = ours.recv()
        return cls(port, path, process, ours)

    def cpu_s(self) -> float:
        """Return the CPU-seconds that its process has used, all threads."""
        self.pipe.send("cpu")
        return float(self.pipe.recv())

    def kept(self) -> int:
        """Return how many messages it has kept and dealt with."""
        self.pipe.send("kept")
        return int(self.pipe.recv())

    def stop(self) -> None:
        with suppress(OSError):  # it has ended
            self.pipe.send("stop")
        self.process.join(20)


@contextmanager
def serving(kind: str) -> Iterator[Serving]:
    """Yield a server of that kind over a directory of its own."""
    with TemporaryDirectory() as folder:
        server = Serving.start(kind, Path(folder))
        try:
            yield server
        finally:
            server.stop()


def log_as_the_server_does() -> None:
    """Lines are made by the server's own processors, written and paid for, but not read."""
    log_to(Path(os.devnull).open("w"))  # noqa: SIM115 -- as long as we run
