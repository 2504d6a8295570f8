"""The scratch receiver: takes whatever is sent to /play/<token>, remembers it for a while, and answers as it is told.

Rule: it lives in this process's memory, within bounds, and nothing it holds is ever carried out or sent on.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from affwire.console.security import HEADERS
from affwire.model.wire import Headers, Message

PATH: Final = "/play/"
RECEIVERS_MAX: Final = 64
"""Each session has one; the oldest is forgotten first."""
REQUESTS_MAX: Final = 100
"""Requests that one receiver remembers."""
BODY_MAX: Final = 65_536
"""Bytes of a body that are remembered: 64 receivers full of such requests are 400 MB, and 4 MiB each is what they may have."""
BYTES_MAX: Final = 4 * 1_048_576
AT_ONCE_MAX: Final = 32
"""Requests under way at one time in all receivers: slow answers hold each for seconds."""
SLOW_MS: Final = 3_000


class Reply(Struct, frozen=True):
    """What one request is answered with, and after how long."""

    status: int
    headers: Headers = ()
    delay_ms: int = 0


class Script(Struct, frozen=True):
    """Answers in order; the last is given again and again."""

    title: str
    replies: tuple[Reply, ...]


SCRIPTS: Final[Mapping[str, Script]] = {
    "ok": Script("200, always", (Reply(200),)),
    "flaky": Script("500 twice, then 200", (Reply(500), Reply(500), Reply(200))),
    "created": Script("201, which some platforms take for a failure", (Reply(201),)),
    "broken": Script("503, always", (Reply(503),)),
    "busy": Script("429 with Retry-After: 5, then 200", (Reply(429, (("Retry-After", "5"),)), Reply(200))),
    "slow": Script(f"200 after {SLOW_MS // 1000} seconds", (Reply(200, delay_ms=SLOW_MS),)),
    "moved": Script("302 to somewhere else", (Reply(302, (("Location", "https://example.com/"),)),)),
    "gone": Script("410, never again", (Reply(410),)),
}
"""What a receiver can be told to answer."""


class Taken(Struct, frozen=True, kw_only=True):
    """One request as it came, and the status it was answered with."""

    number: int
    at: int
    method: str
    headers: Headers
    body: bytes
    size: int
    status: int

    @property
    def message(self) -> Message:
        """The request as a dialect reads it."""
        return Message(headers=self.headers, body=self.body)


@dataclass
class Receiver:
    """One scratch receiver. `dialect` and `secret`: by what its requests are judged; `endpoint_id`: whose secrets, instead."""

    token: str
    script: str = "ok"
    dialect: str | None = None
    secret: str | None = None
    endpoint_id: str | None = None
    count: int = 0
    answered: int = 0
    taken: deque[Taken] = field(default_factory=lambda: deque(maxlen=REQUESTS_MAX))

    @property
    def path(self) -> str:
        """Where it takes requests."""
        return PATH + self.token

    def tell(self, script: str) -> None:
        """Have it answer by a script, from its beginning."""
        self.script, self.answered = script, 0

    def clear(self) -> None:
        """Forget what came."""
        self.taken.clear()

    def take(self, *, at: int, method: str, headers: Headers, body: bytes) -> Reply:
        """Remember a request, and return how it is answered."""
        replies = SCRIPTS[self.script].replies
        reply = replies[min(self.answered, len(replies) - 1)]
        self.answered += 1
        self.count += 1
        kept = Taken(
            number=self.count,
            at=at,
            method=method,
            headers=headers,
            body=body[:BODY_MAX],
            size=len(body),
            status=reply.status,
        )
        self.taken.appendleft(kept)
        while sum(len(one.body) for one in self.taken) > BYTES_MAX:
            self.taken.pop()
        return reply


class Scratch:
    """Every scratch receiver of this process, as an ASGI app. `told` is called when a request has come."""

    def __init__(self, now: Callable[[], int], told: Callable[[], None]) -> None:
        self._now, self._told = now, told
        self._receivers: OrderedDict[str, Receiver] = OrderedDict()
        self._under_way = 0

    def find(self, token: str) -> Receiver | None:
        """Return the receiver of a token."""
        return self._receivers.get(token)

    def open(self, token: str) -> Receiver:
        """Return the receiver of a token, made if it is new."""
        found = self._receivers.setdefault(token, Receiver(token))
        self._receivers.move_to_end(token)
        while len(self._receivers) > RECEIVERS_MAX:
            self._receivers.popitem(last=False)
        return found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        if self._under_way >= AT_ONCE_MAX:
            await _answer(503, (("Retry-After", "1"),))(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._taken(scope, receive, send)
        finally:
            self._under_way -= 1

    async def _taken(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self.find(scope["path"][len(PATH) :].partition("/")[0])
        body = await _body(receive) if found is not None else None
        if found is None or body is None:
            await _answer(404 if found is None else 413)(scope, receive, send)
            return
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        reply = found.take(at=self._now(), method=scope["method"], headers=headers, body=body)
        self._told()
        await asyncio.sleep(reply.delay_ms / 1000)
        await _answer(reply.status, reply.headers)(scope, receive, send)


_LARGEST: Final = 1_048_576
"""1 MiB, as the door for webhooks takes."""


async def _body(receive: Receive) -> bytes | None:
    """Return the body of a request, None if it is too large or its sender has gone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > _LARGEST:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _answer(status: int, headers: Headers = ()) -> Response:
    own = {**HEADERS, "Cache-Control": "no-store", **dict(headers)}
    return Response(b"", status, media_type="text/plain", headers=own)
