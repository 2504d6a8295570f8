"""A message's body, byte for byte, within a limit of size and of time, whatever its framing says."""

import asyncio
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import coroutine
from typing import Any, Final

from starlette.types import Message, Receive, Scope

from affwire.errors import Busy, TooLarge
from affwire.ingest.answers import Slow

BODY_BYTES_MAX: Final = 1_048_576
"""1 MiB: no platform's message comes near it."""
BODY_S: Final = 10
"""Seconds for a whole body: platforms give up waiting for an answer at about that time."""


READING_MAX: Final = 1_024
"""Bodies that come in at one time: a gigabyte at the very worst, and ten seconds until the slowest are given up."""
READING_OF_SOURCE_MAX: Final = 256
"""Of one source: whoever has its URL and sends slowly keeps nobody out but that source."""


class Room:
    """Counts the bodies that come in. Used from one event loop."""

    def __init__(self) -> None:
        self._of_source: Counter[str] = Counter()
        self._all = 0

    @contextmanager
    def place(self, source_id: str) -> Iterator[None]:
        """Take a place for one body of a source; raises Busy where too many come in at once."""
        if self._all >= READING_MAX or self._of_source[source_id] >= READING_OF_SOURCE_MAX:
            raise Busy("too_many_messages", "Too many messages are coming in; send it again shortly.")
        self._all += 1
        self._of_source[source_id] += 1
        try:
            yield
        finally:
            self._all -= 1
            self._of_source[source_id] -= 1
            if not self._of_source[source_id]:
                del self._of_source[source_id]


class Gone(Exception):
    """The sender left before its body was there: nobody waits for an answer."""


async def read(scope: Scope, receive: Receive, room: Room, source_id: str) -> bytes:
    """Return the body. Raises TooLarge as soon as it is known to pass the limit, Slow, Gone, and Busy as Room.place.

    One that is there already, as most are, takes no place and needs no clock.
    """
    if _declared(scope) > BODY_BYTES_MAX:
        raise _too_large()
    steps = receive().__await__()
    try:
        waits_for, piece = next(steps), None
    except StopIteration as at_once:
        waits_for, piece = None, at_once.value
        if piece["type"] == "http.request" and not piece.get("more_body", False):
            return _within_limit(piece.get("body", b""))
    try:
        with room.place(source_id):
            async with asyncio.timeout(BODY_S):
                return await _whole(piece or await _resumed(steps, waits_for), receive)
    except TimeoutError:
        raise Slow("body_too_slow", f"The body did not come within {BODY_S} seconds.") from None
    finally:
        steps.close()


@coroutine
def _resumed(steps: Generator[Any, None, Message], waits_for: Any) -> Generator[Any, None, Message]:
    """Go on with what had to wait."""
    yield waits_for
    return (yield from steps)


def _within_limit(body: bytes) -> bytes:
    if len(body) > BODY_BYTES_MAX:
        raise _too_large()
    return body


async def _whole(message: Message, receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        if message["type"] == "http.disconnect":
            raise Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise _too_large()
        chunks.append(chunk)
        more = message.get("more_body", False)
        if more:
            message = await receive()
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value[:20]) if value.isdigit() else 0
    return 0


def _too_large() -> TooLarge:
    return TooLarge("body_too_large", f"The body is larger than {BODY_BYTES_MAX} bytes (1 MiB).")
