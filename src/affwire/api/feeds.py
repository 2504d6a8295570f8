"""Live feeds: server-sent events, each under the position it can be resumed from.

    position -> read what follows -> send -> wait for a wake, or for the time to look again

Rule: the table is the truth and a wake only saves waiting, so a feed has no gaps; nothing is kept for a slow reader.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from affwire.api.pages import cursor
from affwire.engine.pulse import Pulse
from affwire.errors import Busy, Unauthorized

STREAMS_MAX: Final = 64
"""Feeds open at once: each reads for itself, and the readers serve lists as well."""
POLL_MS: Final = 1_000
"""The longest wait before a look: a lost wake costs this much latency, never a message."""
GAP_MS: Final = 20
"""Between a wake and the look it causes: a burst of commits is read once."""
HEARTBEAT_S: Final = 15.0
"""A quiet feed says this often that it lives; proxies cut what is silent for a minute."""
SEND_S: Final = 30.0
"""A reader that takes nothing for this long is cut; it can resume where it was."""
RETRY_MS: Final = 1_000
"""How long a browser waits before it connects again."""

_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Found(Struct, frozen=True):
    """What one look brought: messages with their positions, and the position up to which everything was looked at."""

    messages: list[tuple[int, Any]]
    position: int


Look = Callable[[int], Awaitable[Found]]


class Feeds:
    """The feeds that are open: woken together, and ended together when the server stops."""

    def __init__(self) -> None:
        self._open: frozenset[Pulse] = frozenset()
        self.closing = False

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    def enter(self) -> Pulse:
        """Return the pulse of a new feed; raises Busy when there are too many."""
        if self.closing or len(self._open) >= STREAMS_MAX:
            raise Busy("too_many_streams", f"{STREAMS_MAX} feeds are open already; try again later, or poll the list.")
        pulse = Pulse()
        self._open |= {pulse}
        return pulse

    def leave(self, pulse: Pulse) -> None:
        """Forget a feed that has ended."""
        self._open -= {pulse}

    def beat(self) -> None:
        """Have all of them look; from their own loop."""
        for pulse in self._open:
            pulse.beat()

    def beat_from_thread(self) -> None:
        """Have all of them look; from another thread."""
        for pulse in self._open:
            pulse.beat_from_thread()

    def close(self) -> None:
        """End all of them at once, and open no more."""
        self.closing = True
        self.beat()


async def followed(feeds: Feeds, pulse: Pulse, start: int, look: Look) -> AsyncIterator[bytes]:
    """Yield the feed behind position `start`, until the server stops or its key is no longer good."""
    position, clock = start, asyncio.get_running_loop().time
    yield b"retry: %d\nid: %s\n\n" % (RETRY_MS, cursor(start).encode())
    said_at = clock()
    while not feeds.closing:
        try:
            found = await look(position)
        except Unauthorized:
            return
        except Busy:
            found = Found([], position)
        position = found.position
        if found.messages:
            yield b"".join(_message(*message) for message in found.messages)
            said_at = clock()
            continue
        if clock() - said_at >= HEARTBEAT_S:
            yield b": alive\nid: %s\n\n" % cursor(position).encode()
            said_at = clock()
        await pulse.wait(POLL_MS)
        await asyncio.sleep(0 if feeds.closing else GAP_MS / 1000)


class Stream(Response):
    """An answer that goes on until its messages end, its reader leaves, or takes nothing any more."""

    media_type = "text/event-stream"

    def __init__(self, feeds: Feeds, start: int, look: Look) -> None:
        """Raises Busy where no more feeds may be open."""
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._feeds, self._pulse = feeds, feeds.enter()
        self._messages = followed(feeds, self._pulse, start, look)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 -- ASGI's own signature
        """Serve it."""
        writing = asyncio.create_task(self._write(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._feeds.leave(self._pulse)
            for task in (writing, leaving):
                task.cancel()
            await asyncio.gather(writing, leaving, return_exceptions=True)
        if not writing.cancelled():
            writing.result()

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async for chunk in self._messages:
                # Not wait_for: on Python 3.11 it swallows a cancel that comes as the send ends, and the feed lives on.
                async with asyncio.timeout(SEND_S):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            async with asyncio.timeout(SEND_S):
                await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            structlog.get_logger("affwire.api").warning(
                "stream.cut", reason=f"its reader took nothing for {SEND_S:g} s"
            )


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _message(position: int, data: Any) -> bytes:
    return b"id: %s\ndata: %s\n\n" % (cursor(position).encode(), msgspec.json.encode(data))
