"""What the door says when it does not take a message: RFC 9457 problems that tell a stranger nothing about a source."""

from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.types import Message, Send

from affwire.errors import AffwireError, NotGenuine, Refused
from affwire.model.wire import Answer

RETRY_AFTER_S: Final = 1
"""What a busy store asks for: its line is worked off within a second."""
FULL_RETRY_AFTER_S: Final = 3_600
"""Of a source with too much that cannot be read: somebody has to look at it."""


class NoSource(Refused):
    """There is no such address."""

    http_status = 404


class WrongMethod(Refused):
    """Webhooks come in as POST."""

    http_status = 405


class Slow(Refused):
    """The body did not come in time."""

    http_status = 408


class Disabled(Refused):
    """This source is disabled by its owner."""

    http_status = 403


class HeadersTooLarge(Refused):
    """The headers are larger than what is kept of them."""

    http_status = 431


class Full(Refused):
    """Too many messages of this source cannot be read; its owner has to look at them."""

    http_status = 429


_HEADERS: Final[dict[int, tuple[tuple[bytes, bytes], ...]]] = {
    405: ((b"allow", b"POST"),),
    408: ((b"connection", b"close"),),
    413: ((b"connection", b"close"),),
    431: ((b"connection", b"close"),),
    429: ((b"retry-after", str(FULL_RETRY_AFTER_S).encode()),),
    503: ((b"retry-after", str(RETRY_AFTER_S).encode()),),
}


def of_answer(answer: Answer) -> tuple[Message, Message]:
    """Return a dialect's answer as the two messages that ASGI sends."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    return _messages(answer.status, headers, answer.body)


def of_refusal(error: AffwireError, request_id: str) -> tuple[Message, Message]:
    """Return a refusal as a problem; why a message is not genuine stands in `reason`."""
    status = error.http_status
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.sentence,
        "code": "not_genuine" if isinstance(error, NotGenuine) else error.code,
        "request_id": request_id,
    }
    if isinstance(error, NotGenuine):
        members["reason"] = error.code
    headers = [(b"content-type", b"application/problem+json"), (b"x-request-id", request_id.encode())]
    return _messages(status, [*headers, *_HEADERS.get(status, ())], msgspec.json.encode(members))


async def send_all(messages: tuple[Message, Message], send: Send) -> None:
    """Send an answer."""
    for message in messages:
        await send(message)


def _messages(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> tuple[Message, Message]:
    length = (b"content-length", str(len(body)).encode())
    start = {"type": "http.response.start", "status": status, "headers": [*headers, length]}
    return start, {"type": "http.response.body", "body": body}
