"""Around every request: its id, the limit of its body, well-formed JSON, and an answer even if we fail.

The one rule: whatever arrives, what leaves is an answer with X-Request-Id, and never a traceback.
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from affwire.api import paths, problems
from affwire.errors import Malformed, Refused, TooLarge
from affwire.model.problem import Problem
from affwire.world import World

BODY_BYTES_MAX: Final = 1_048_576
"""1 MiB: no record comes near it; a thousand such bodies at once still fit into memory."""
BATCH_BYTES_MAX: Final = 8 * BODY_BYTES_MAX
"""8 MiB for /v1/batches: 1,000 operations of 8 KiB."""
_BATCHES: Final = "/v1/batches"

_OUTSIDE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_JSON: Final = re.compile(r"application/(?:[a-z0-9.-]+\+)?json\s*(?:;\s*charset=\"?utf-8\"?\s*)?", re.IGNORECASE)


class Unsupported(Refused):
    """The body must be JSON: send Content-Type: application/json, not compressed."""

    http_status = 415


class Envelope:
    """ASGI middleware. Leaves `request_id` (ours, `req_...`) in the request's state."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, began_at = self._world.new_id("request"), self._world.now()
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, scope, _outside_id(scope) or request_id)
        try:
            await self._serve(scope, receive, answer)
        except Refused as error:
            await problems.answer(Problem.of(error, request_id))(scope, receive, answer)
        except Exception:
            structlog.get_logger("affwire.api").exception("request.failed", request_id=request_id, path=scope["path"])
            if answer.started:
                raise
            await problems.answer(Problem.internal(request_id))(scope, receive, answer)
        finally:
            if scope["method"] not in _READING and scope["path"].startswith("/v1/"):
                _log_change(scope, request_id, answer.status, self._world.now() - began_at)

    async def _serve(self, scope: Scope, receive: Receive, send: "_Answer") -> None:
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            raise Malformed("malformed_url", "The URL holds a NUL character.")
        if scope["method"] in _WITH_BODY:
            body = await _read(scope, receive)
            _refuse_other_than_json(scope, body)
            receive = _again(body, receive)
        await self._app({**scope, "path": _routed(scope)}, receive, send)


class _Answer:
    """The way out: adds X-Request-Id and what the request's state has in `headers`; knows whether an answer has begun."""

    def __init__(self, send: Send, scope: Scope, request_id: str) -> None:
        self._send = send
        self._state = scope["state"]
        self._header = (b"x-request-id", request_id.encode())
        self.started = False
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            more = [(name.lower().encode(), value.encode()) for name, value in self._state.get("headers", ())]
            message = {**message, "headers": [*message.get("headers", ()), *more, self._header]}
        await self._send(message)


def _routed(scope: Scope) -> str:
    """Return the path to find a route by; without a raw one (ASGI lets a server leave it out) an encoded slash parts."""
    raw: bytes | None = scope.get("raw_path")
    return scope["path"] if raw is None else paths.routed(raw.decode("latin-1"))


def _log_change(scope: Scope, request_id: str, status: int | None, ms: int) -> None:
    """One line per request that may change something; a read is none, and its query may name people."""
    structlog.get_logger("affwire.api").info(
        "request.answered", request_id=request_id, method=scope["method"], path=scope["path"], status=status, ms=ms
    )


async def _read(scope: Scope, receive: Receive) -> bytes:
    """Return the body; raises TooLarge as soon as it is known to pass the limit, whatever its framing."""
    declared = _header(scope["headers"], b"content-length")
    limit = BATCH_BYTES_MAX if scope["path"] == _BATCHES else BODY_BYTES_MAX
    if declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _refuse_other_than_json(scope: Scope, body: bytes) -> None:
    if not body:
        return
    kind = _header(scope["headers"], b"content-type").decode("latin-1")
    encoding = _header(scope["headers"], b"content-encoding")
    if not _JSON.fullmatch(kind) or encoding not in {b"", b"identity"}:
        raise Unsupported("unsupported_media_type")
    try:
        msgspec.json.decode(body)
    except RecursionError:
        raise Malformed("malformed_json", "The body's JSON is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        # The parser's own sentence is left out: it may quote the body.
        raise Malformed(
            "malformed_json", "The body is not well-formed JSON in UTF-8 (NaN and Infinity are none)."
        ) from None


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a channel that gives the body once more, then what really comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _outside_id(scope: Scope) -> str | None:
    sent = _header(scope["headers"], b"x-request-id").decode("latin-1")
    return sent if _OUTSIDE_ID.fullmatch(sent) else None


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    return next((value for key, value in headers if key == name), b"")


def _too_large(limit: int) -> TooLarge:
    mib = limit // BODY_BYTES_MAX
    return TooLarge("body_too_large", f"The body is larger than {limit} bytes ({mib} MiB); send less at once.")
