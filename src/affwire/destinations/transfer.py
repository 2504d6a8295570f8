"""One libcurl handle and the one request it carries at a time: its options, its callbacks, its outcome.

The one rule: once complete headers came in time, the status is the outcome; the body is only for people to read.
Whatever happens to the body (too long, cut short, malformed, too slow) never undoes a status.
"""

import asyncio
import socket
from time import monotonic
from typing import Any, Final

import pycurl

from affwire.destinations import faults
from affwire.destinations.guard import Guard
from affwire.destinations.headers import read_lines, write_lines
from affwire.destinations.multi import Multi
from affwire.destinations.urls import ParsedUrl
from affwire.model.wire import ErrorClass, Limits, Outcome, Request, Response, Timings

HEADER_BYTES_MAX: Final = 65_536
"""All header lines of an answer, interim 1xx answers and trailers included: servers send a few KiB."""
IDLE_CONNECTION_S: Final = 60
CONNECTION_LIFE_S: Final = 300
"""A connection outlives a change of DNS by this much at most; its address is judged at every request all the same."""
_MARGIN_MS: Final = 5
"""libcurl's deadlines may fire this much early, by rounding."""


class TooLate(Exception):  # it ends a transfer from within and never leaves this room
    """The read deadline passed."""


class Transfer:
    """A handle with the options that never change; `begin` sets the others, `outcome` reads what became of it."""

    def __init__(self, multi: Multi, guard: Guard, *, ca_path: str | None, user_agent: str) -> None:
        self.curl = pycurl.Curl()
        self._multi = multi
        self._guard = guard
        self._timer: asyncio.TimerHandle | None = None
        for option, value in _CONSTANT.items():
            self.curl.setopt(option, value)
        self.curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTPS | (pycurl.PROTO_HTTP if guard.rules.allow_http else 0))
        self.curl.setopt(pycurl.USERAGENT, user_agent)
        if ca_path:
            self.curl.setopt(pycurl.CAINFO, ca_path)
        self.curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        self.curl.setopt(pycurl.PREREQFUNCTION, self._before_request)
        self.curl.setopt(pycurl.HEADERFUNCTION, self._on_header)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._on_body)

    def begin(
        self, request: Request, parsed: ParsedUrl, pin: str, *, limits: Limits, started: float, now: float
    ) -> None:
        """Set the handle up for one request. ValueError: a header cannot or may not be sent.

        The total deadline counts from `started`, when `send` was called; `now` is the present; both monotonic seconds.
        """
        self._parsed, self._limits = parsed, limits
        self._begun = self._handed_over = now
        self._total_ms = max(1, limits.total_ms - int((now - started) * 1000))
        self._lines: list[bytes] = []
        self._body = bytearray()
        self._header_bytes = self._body_bytes = self.requests = 0
        self._interim = self._complete = self._refused = self._is_fresh = self.needs_fresh = False
        curl = self.curl
        curl.setopt(pycurl.URL, parsed.url)
        curl.setopt(pycurl.HTTPHEADER, write_lines(request.headers))
        curl.setopt(pycurl.POSTFIELDS, request.body)
        # "+": the pin ages like a DNS answer instead of staying for ever; each request renews it.
        curl.setopt(pycurl.RESOLVE, [] if parsed.literal else [f"+{parsed.host}:{parsed.port}:{pin}"])
        curl.setopt(pycurl.FRESH_CONNECT, 0)
        curl.setopt(pycurl.TIMEOUT_MS, self._total_ms)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, min(limits.connect_ms, self._total_ms))

    def begin_again(self) -> None:
        """Set the handle up to send the same request on a new connection, within what is left of its time."""
        self.needs_fresh = False
        self._handed_over = monotonic()
        left_ms = max(1, self._total_ms - int((self._handed_over - self._begun) * 1000))
        self.curl.setopt(pycurl.FRESH_CONNECT, 1)
        self.curl.setopt(pycurl.TIMEOUT_MS, left_ms)

    async def run(self) -> Exception | None:
        """Carry the request; return the error that ended it, or None. Cancelling it ends the transfer."""
        try:
            return await self._multi.carry(self.curl)
        finally:
            if self._timer:
                self._timer.cancel()
                self._timer = None

    def outcome(self, error: Exception | None, *, dns_ms: float | None, total_ms: float) -> Outcome:
        """Return what became of the request."""
        timings = self._timings(dns_ms, total_ms)
        if self._complete:
            return Outcome(self._response(cut=error is not None), detail=self._remark(), timings=timings)
        kind = self._error_class(error)
        return Outcome(error=kind, detail=self._fault(kind, error), timings=timings)

    @property
    def was_sent_again(self) -> bool:
        """Whether the request went out twice, the first time on a kept-alive connection that had closed (F45)."""
        return self.requests > 1

    def _remark(self) -> str:
        if not self.was_sent_again:
            return ""
        return "The kept-alive connection had closed: the request was sent again, and may have arrived twice."

    def _fault(self, kind: ErrorClass, error: Exception | None) -> str:
        if kind == "protocol" and (self._header_bytes > HEADER_BYTES_MAX or faults.is_too_large(error)):
            return f"The answer's headers are larger than {HEADER_BYTES_MAX} bytes."
        return faults.sentence(kind, faults.reason(error))

    def _response(self, *, cut: bool) -> Response:
        body = bytes(self._body)
        truncated = cut or self._body_bytes > len(body)
        return Response(self.curl.getinfo(pycurl.RESPONSE_CODE), read_lines(self._lines), body, truncated)

    def _error_class(self, error: Exception | None) -> ErrorClass:
        if self._refused:
            return "refused_by_guard"
        if isinstance(error, TooLate):
            return "timeout_read"
        if error is None:
            return "protocol"
        number = error.args[0]
        if number != pycurl.E_OPERATION_TIMEDOUT:
            return faults.classify(number, request_sent=self.requests > 0)
        within_total = (monotonic() - self._begun) * 1000 < self._total_ms - _MARGIN_MS
        return "timeout_connect" if within_total else "timeout_total"

    def _timings(self, dns_ms: float | None, total_ms: float) -> Timings:
        info = self.curl.getinfo
        connect_ms = tls_ms = first_byte_ms = None
        if info(pycurl.NUM_CONNECTS):
            name, connect, tls = (
                info(key) for key in (pycurl.NAMELOOKUP_TIME, pycurl.CONNECT_TIME, pycurl.APPCONNECT_TIME)
            )
            connect_ms = (connect - name) * 1000 if connect else None
            tls_ms = (tls - connect) * 1000 if tls else None
        if self._header_bytes:
            first_byte_ms = (info(pycurl.STARTTRANSFER_TIME) - info(pycurl.PRETRANSFER_TIME)) * 1000
        return Timings(dns_ms, connect_ms, tls_ms, first_byte_ms, total_ms)

    # What libcurl calls, in this order. An exception in here would be printed and lost, so none may be raised.

    def _open_socket(self, _purpose: int, dialled: Any) -> "_Opened | int":
        family, kind, protocol, address = dialled
        if self._guard.judge_dial(self._parsed, address[0]):
            self._refused = True
            return int(pycurl.SOCKET_BAD)
        self._is_fresh = True
        self._multi.opened += 1
        return _Opened(socket.socket(family, kind, protocol))

    def _before_request(self, dialled: str, *_: object) -> int:
        # A kept-alive connection comes by here as well: what the guard says may differ from back then.
        # Sending again on one more kept connection could go on like that: the second time must be on a new one.
        self._refused = self._guard.judge_dial(self._parsed, dialled) is not None
        self.needs_fresh = self.requests > 0 and not self._is_fresh
        self._is_fresh = False
        if self._refused or self.needs_fresh:
            return int(pycurl.PREREQFUNC_ABORT)
        self.requests += 1
        if self._limits.read_ms < self._total_ms:
            self._watch_read(self._limits.read_ms / 1000)
        return int(pycurl.PREREQFUNC_OK)

    def _on_header(self, line: bytes) -> int | None:
        self._header_bytes += len(line)
        if self._header_bytes > HEADER_BYTES_MAX:
            return -1
        if self._complete:  # trailers
            return None
        if line.startswith(b"HTTP/"):
            self._lines.clear()
            self._interim = line.split(None, 2)[1:2][0][:1] == b"1"
        elif line in (b"\r\n", b"\n"):
            self._complete = not self._interim
        else:
            self._lines.append(line)
        return None

    def _on_body(self, data: bytes) -> int | None:
        self._body_bytes += len(data)
        room = self._limits.response_bytes_kept - len(self._body)
        if room > 0:
            self._body += data[:room]
        return -1 if self._body_bytes > self._limits.response_bytes_max else None

    # The read deadline: from the last byte sent to complete response headers.

    def _watch_read(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._check_read)

    def _check_read(self) -> None:
        self._timer = None
        if self._complete:
            return
        sent = self.curl.getinfo(pycurl.POSTTRANSFER_TIME_T) / 1_000_000
        read = self._limits.read_ms / 1000
        left = self._handed_over + sent + read - monotonic() if sent else read
        if left > 0:
            self._watch_read(left)
        else:
            self._multi.end(self.curl, TooLate())


class _Opened:
    """A socket for libcurl's binding, which duplicates `fileno()` and drops this object: then ours is closed."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened

    def fileno(self) -> int:
        return self._socket.fileno()

    def __del__(self) -> None:
        self._socket.close()


_CONSTANT: Final = {
    pycurl.POST: 1,  # with a body in memory: Content-Length, never chunks
    pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
    pycurl.FOLLOWLOCATION: 0,
    pycurl.PROXY: "",  # and no proxy variables of the environment
    pycurl.NOPROXY: "*",
    pycurl.NETRC: pycurl.NETRC_IGNORED,
    pycurl.PATH_AS_IS: 1,  # the URL that was judged and signed is the URL that is sent
    pycurl.HTTP09_ALLOWED: 0,
    pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,
    pycurl.SSL_VERIFYPEER: 1,
    pycurl.SSL_VERIFYHOST: 2,
    pycurl.TCP_NODELAY: 1,
    pycurl.NOSIGNAL: 1,
    pycurl.MAXAGE_CONN: IDLE_CONNECTION_S,
    pycurl.MAXLIFETIME_CONN: CONNECTION_LIFE_S,
}
