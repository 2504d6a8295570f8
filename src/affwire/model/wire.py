"""What goes over the wire and what came of it, as values.

A dialect makes a Request, a destination turns it into an Outcome, whatever the far side does:
its faults are never exceptions.
"""

from typing import Literal

from msgspec import Struct

Headers = tuple[tuple[str, str], ...]

OutcomeKind = Literal["ok", "failed", "unknown"]
ErrorClass = Literal[
    "refused_by_guard",  # the URL, a name or an address is not allowed
    "dns",  # no answer, an empty answer or an answer too late
    "connect",  # refused, reset or unreachable before a connection stood
    "tls",  # handshake or certificate
    "timeout_connect",
    "timeout_read",  # the request was sent, no complete response headers came in time
    "timeout_total",
    "protocol",  # not HTTP, or cut before complete response headers
    "status",  # a complete response that does not count as success
    "encode",  # the dialect could not put the event into words
    "dialect_missing",  # the dialect is not installed (any more)
    "cut",  # our own process ended while the request was under way
]


class Request(Struct, frozen=True):
    """One POST as it will leave: everything but the connection. `body` is sent with Content-Length, never in chunks."""

    url: str
    headers: Headers
    body: bytes


class Message(Struct, frozen=True, kw_only=True):
    """One inbound request, raw: the headers as they came (values decoded as latin-1, so nothing is lost) and the body."""

    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the one header of that name, without regard to case; None if there is none, or more than one."""
        wanted = name.lower()
        found = [value for key, value in self.headers if key.lower() == wanted]
        return found[0] if len(found) == 1 else None


class Answer(Struct, frozen=True):
    """What a platform is told about its message: it is kept. Without a body, which nobody reads and which costs a packet."""

    status: int = 200
    headers: Headers = ()
    body: bytes = b""


class Limits(Struct, frozen=True):
    """Deadlines in ms and byte caps of one request. `read_ms`: last byte sent to complete response headers."""

    connect_ms: int
    read_ms: int
    total_ms: int
    response_bytes_kept: int = 65_536
    """As much of a response as a person needs to see why (F37); it is stored with the attempt."""
    response_bytes_max: int = 1_048_576
    """The transfer is cut here; the status still counts."""


class Timings(Struct, frozen=True):
    """Milliseconds each phase of a request took; None: the phase was not reached (or the connection was reused)."""

    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    total_ms: float | None = None


class Response(Struct, frozen=True):
    """What the far side answered; `body` is capped, `truncated` says whether there was more."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    truncated: bool = False

    def header(self, name: str) -> str | None:
        """Return the first header of that name, without regard to case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Outcome(Struct, frozen=True):
    """What became of one request. A response, or the class of the error that prevented one, and how long it took.

    `detail` is a sentence for the endpoint's owner; it never tells what lies inside a refused network.
    """

    response: Response | None = None
    error: ErrorClass | None = None
    detail: str = ""
    timings: Timings = Timings()
