"""`affwire serve`: the API and the engine in one process, until SIGTERM or Ctrl-C."""

import asyncio
import contextlib
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Final

import structlog
import uvicorn

from affwire.app import House, open_house
from affwire.errors import Refused
from affwire.settings import Settings

STOP_S: Final = 10
"""A graceful stop waits this long for API calls under way; then the engine drains."""


class _Server(uvicorn.Server):
    """uvicorn, leaving signals to us: after the last answer the engine still has to drain."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until told to stop. `say` gets the lines for the operator. Raises Refused, Conflict as open_house does."""
    _raise_descriptor_limit()
    _log_to_stderr()
    listener = _listen(settings)
    bound = settings.model_copy(update={"port": listener.getsockname()[1]})
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(bound, listener, say))


async def _serve(settings: Settings, listener: socket.socket, say: Callable[[str], None]) -> None:
    async with open_house(settings) as house:
        config = uvicorn.Config(
            house.app,
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=STOP_S,
        )
        server = _Server(config)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, server.handle_exit, name, None)
        _greet(settings, house, say)
        await server.serve(sockets=[listener])
        say("Stopping: no new requests; waiting for deliveries under way ...")


def _greet(settings: Settings, house: House, say: Callable[[str], None]) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    say(f"affwire is listening on http://{host}:{settings.port}")
    if house.admin_key_file:
        say(f"The operator's key is in {house.admin_key_file}")


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
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
    import sys  # noqa: PLC0415 -- only the running server logs

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
