"""Servers for the ingest figures, each in a process of its own under the settings of `affwire serve`.

idle: 200 to everything, at once.  door: verify, dedupe, commit, answer.  whole: the door, and everything behind it.
"""

import asyncio
import gc
import multiprocessing
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import uvicorn
import uvloop

from affwire.app import GARBAGE_MAX, open_house, open_store
from affwire.ingest.app import Door
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


@asynccontextmanager
async def _app(kind: str, folder: Path) -> AsyncIterator[tuple[Any, str]]:
    settings = Settings(data_dir=folder, port=0)
    if kind == "idle":
        yield idle, "/in/nothing"
    elif kind == "whole":
        async with open_house(settings) as house:
            yield house.door, await source(house.store)
    else:
        gc.set_threshold(GARBAGE_MAX)  # as open_house does
        data_dir = DataDir(folder)
        with data_dir.lock():
            store = open_store(settings, data_dir, World())
            door = Door(idle, store, load_dialects(), World())
            yield door, await source(store)
            await door.close()
            await store.close()


def _serve(kind: str, folder: str, pipe: Connection) -> None:
    from run import log_as_the_server_does

    log_as_the_server_does()

    async def main() -> None:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        async with _app(kind, Path(folder)) as (app, path):
            config = uvicorn.Config(
                app, log_config=None, access_log=False, lifespan="off", proxy_headers=False, timeout_keep_alive=30
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            loop = asyncio.get_running_loop()
            pipe.send((listener.getsockname()[1], path))
            while await loop.run_in_executor(None, pipe.recv) != "stop":
                pipe.send(time.process_time())
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

    def stop(self) -> None:
        self.pipe.send("stop")
        self.process.join(20)
