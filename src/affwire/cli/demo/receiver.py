"""The far side of the demo: one real HTTPS server with a mailbox per endpoint, each with a temper of its own.

Rule: it is a stranger to affwire: it knows a URL's path, a secret, and how its platform's page says to verify.
"""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import uvicorn

from affwire.cli.demo.verify import Forged, Heard, verify
from affwire.errors import Broken

HANG: Final = 0
"""As an answer: none at all, until the sender gives up."""
UNAUTHORIZED: Final = 401
_START_S: Final = 10


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that came: to which mailbox, when (Unix ms), what it said if it was genuine, and what was answered."""

    mailbox: str
    at: float
    heard: Heard | None
    wrong: str
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Mailbox:
    """A path of the receiver. `answers` are given in turn, the last one for ever."""

    name: str
    dialect: str
    secret: str
    answers: tuple[int, ...] = (200,)
    requests: int = 0

    def next_answer(self) -> int:
        """Return the status for the next request."""
        self.requests += 1
        return self.answers[min(self.requests, len(self.answers)) - 1]


@dataclass(slots=True)
class Receiver:
    """Serves https://127.0.0.1:<port>/<mailbox> on a thread of its own, from entering the block until leaving it."""

    certificate: Path
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    on_arrival: Callable[[Arrival], None] = lambda _: None
    port: int = 0
    _news: threading.Condition = field(default_factory=threading.Condition)
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            ssl_certfile=self.certificate,
            log_config=None,
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="demo-receiver", daemon=True)
        self._thread.start()
        self._wait_for_start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(_START_S)

    def open(self, mailbox: Mailbox) -> None:
        """Take letters for a mailbox from now on."""
        self.mailboxes[mailbox.name] = mailbox

    def wait_until(self, enough: Callable[[list[Arrival]], bool], *, since: int, timeout_s: float) -> list[Arrival]:
        """Return what arrived after the first `since` arrivals, as soon as that is enough or the time is over."""
        with self._news:
            self._news.wait_for(lambda: enough(self.arrivals[since:]), timeout_s)
            return self.arrivals[since:]

    def _wait_for_start(self) -> None:
        end = time.monotonic() + _START_S
        while self._server and not self._server.started:
            if time.monotonic() > end:
                raise Broken("receiver_not_started", "The demo's receiver did not start.")
            time.sleep(0.005)

    async def _serve(self, scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        mailbox = self.mailboxes.get(scope["path"].lstrip("/"))
        body = await _whole(receive)
        if mailbox is None:
            await _answer(send, 404)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        arrival = _received(mailbox, headers, body)
        with self._news:
            self.arrivals.append(arrival)
            self._news.notify_all()
        self.on_arrival(arrival)
        if arrival.status == HANG:
            await receive()  # the whole body is read, so what comes next is the sender's going away
            return
        await _answer(send, arrival.status)


def _received(mailbox: Mailbox, headers: dict[str, str], body: bytes) -> Arrival:
    now = time.time()
    try:
        heard, wrong = verify(mailbox.dialect, headers, body, mailbox.secret, now), ""
    except Forged as forged:
        heard, wrong = None, str(forged)
    status = mailbox.next_answer() if heard else UNAUTHORIZED
    return Arrival(mailbox.name, now * 1000, heard, wrong, status, headers, body)


async def _whole(receive: Callable[[], Any]) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def _answer(send: Callable[[Any], Any], status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
