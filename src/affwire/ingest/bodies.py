"""A message's body, byte for byte, within a limit of size and of time, whatever its framing says."""

import asyncio
from typing import Final

from starlette.types import Receive, Scope

from affwire.errors import TooLarge
from affwire.ingest.answers import Slow

BODY_BYTES_MAX: Final = 1_048_576
"""1 MiB: no platform's message comes near it."""
BODY_S: Final = 10
"""Seconds for a whole body: platforms give up waiting for an answer at about that time."""


class Gone(Exception):
    """The sender left before its body was there: nobody waits for an answer."""


async def read(scope: Scope, receive: Receive) -> bytes:
    """Return the body. Raises TooLarge as soon as it is known to pass the limit, Slow, and Gone."""
    if _declared(scope) > BODY_BYTES_MAX:
        raise _too_large()
    try:
        async with asyncio.timeout(BODY_S):
            return await _whole(receive)
    except TimeoutError:
        raise Slow("body_too_slow", f"The body did not come within {BODY_S} seconds.") from None


async def _whole(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise _too_large()
        chunks.append(chunk)
        more = message.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _declared(scope: Scope) -> int:
    value: bytes = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(value[:20]) if value.isdigit() else 0


def _too_large() -> TooLarge:
    return TooLarge("body_too_large", f"The body is larger than {BODY_BYTES_MAX} bytes (1 MiB).")
