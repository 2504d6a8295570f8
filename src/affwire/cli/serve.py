"""`affwire serve`: the API and the engine in one process, until SIGTERM or Ctrl-C."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from affwire import __version__
from affwire.app import House, open_house
from affwire.cli.heads import BoundedHeads
from affwire.cli.logs import log_libraries, log_to
from affwire.cli.nearby import announced
from affwire.cli.terminal import show_json
from affwire.errors import Refused
from affwire.model.times import rfc3339
from affwire.model.users import Invitation
from affwire.settings import Settings

BACKLOG: Final = 2_048
"""Connections that may wait to be taken: a start or a busy second loses no caller."""
KEEP_ALIVE_S: Final = 30
"""An idle connection is closed then: longer than a poller's pause, and a proxy in front must close its own before."""
STOP_S: Final = 10
"""A graceful stop waits this long for API calls under way; then the engine drains."""


class _Server(uvicorn.Server):
    """uvicorn, leaving signals to us: after the last answer the engine still has to drain."""

    def __init__(self, config: uvicorn.Config, end_feeds: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_feeds = end_feeds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, but end at once the feeds, which would never end by themselves."""
        self._end_feeds()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: Settings, *, engine: bool = True, as_json: bool = False) -> None:
    """Serve until told to stop, greeting on stdout. Without `engine` workers deliver. Raises as open_house does."""
    if not engine:
        _refuse_alone(settings, "serve --no-worker", "nobody would deliver")
    _raise_descriptor_limit()
    _log_to_stderr()
    listener = _listen(settings)
    bound = settings.model_copy(update={"port": listener.getsockname()[1]})
    with listener, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(bound, listener, _greet_in_json if as_json else _greet, engine=engine))


def work(settings: Settings, *, as_json: bool = False) -> None:
    """Deliver, without an API, until told to stop. Raises Refused, Conflict as open_house does."""
    _refuse_alone(settings, "worker", "a file is one server's own")
    _raise_descriptor_limit()
    _log_to_stderr()
    lookout = (
        None if settings.worker_port is None else _listen(settings.model_copy(update={"port": settings.worker_port}))
    )
    with lookout or contextlib.nullcontext(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_work(settings, lookout, as_json=as_json))


async def _work(settings: Settings, lookout: socket.socket | None, *, as_json: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    async with open_house(settings) as house, _looked_after(house, lookout):
        if as_json:
            show_json({"worker": os.getpid(), "port": lookout and lookout.getsockname()[1]})
        else:
            print(f"affwire is delivering (process {os.getpid()})")
        sys.stdout.flush()
        log = structlog.get_logger("affwire.server")
        log.info("worker.started", version=__version__)
        await stopped.wait()
    log.info("worker.stopped")


@contextlib.asynccontextmanager
async def _looked_after(house: House, lookout: socket.socket | None) -> AsyncIterator[None]:
    """Answer for a worker's health where it is asked to, until the block ends."""
    if lookout is None:
        yield
        return
    server = _Server(_config(house.lookout()), house.feeds.close)
    serving = asyncio.create_task(server.serve(sockets=[lookout]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _refuse_alone(settings: Settings, command: str, why: str) -> None:
    if settings.postgres_url is None:
        raise Refused(
            "postgres_only", f"`affwire {command}` needs PostgreSQL (AFFWIRE_DATABASE_URL=postgresql://...): {why}."
        )


async def _serve(
    settings: Settings,
    listener: socket.socket,
    greet: Callable[[str, Path | None, str, Invitation], None],
    *,
    engine: bool,
) -> None:
    async with open_house(settings, engine=engine) as house:
        with announced(settings):
            await _until_told(settings, listener, house, greet)
    structlog.get_logger("affwire.server").info("server.stopped", url=_url(settings))


async def _until_told(
    settings: Settings,
    listener: socket.socket,
    house: House,
    greet: Callable[[str, Path | None, str, Invitation], None],
) -> None:
    """Greet, and serve until a signal comes."""
    server = _Server(_config(house.door), house.feeds.close)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, server.handle_exit, name, None)
    console = (settings.public_url or _url(settings)).rstrip("/")
    greet(_url(settings), house.admin_key_file, console, await house.invite())
    sys.stdout.flush()
    log = structlog.get_logger("affwire.server")
    log.info("server.started", url=_url(settings), version=__version__)
    await server.serve(sockets=[listener])
    log.info("server.stopping", waits_for="deliveries under way")


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedHeads,
        log_config=None,
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
    )


def _url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _greet(url: str, admin_key_file: Path | None, console: str, made: Invitation) -> None:
    print(f"affwire is listening on {url}")
    if admin_key_file:
        print(f"The operator's key is in {admin_key_file}")
    print(f"Console: {console}{made.path}", file=sys.stderr)
    print(
        f"         signs the operator in once, until {rfc3339(made.expires_at)}; older links end now", file=sys.stderr
    )


def _greet_in_json(url: str, admin_key_file: Path | None, console: str, made: Invitation) -> None:
    key_file = str(admin_key_file) if admin_key_file else None
    until = rfc3339(made.expires_at)
    show_json({"url": url, "admin_key_file": key_file, "console": console + made.path, "console_expires_at": until})


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)  # now, not later: of two servers at one port the second hears it here
    except (socket.gaierror, UnicodeError) as error:
        listener.close()
        raise Refused("invalid_settings", f"AFFWIRE_HOST: {settings.host!r} is no address to listen on.") from error
    except OSError as error:
        listener.close()
        raise Refused(
            "cannot_listen",
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Choose another AFFWIRE_PORT.",
        ) from error
    return listener


def _raise_descriptor_limit() -> None:
    """Every request under way is a descriptor, and the usual soft limit of 1,024 is for interactive shells."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 -- not to be had on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


def _log_to_stderr() -> None:
    log_to(sys.stderr)
    log_libraries()
