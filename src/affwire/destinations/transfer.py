"""One libcurl handle and the one request it carries at a time: its options, its callbacks, its outcome.

The one rule: once complete headers came in time, the status is the outcome; the body is only for people to read.
Whatever happens to the body (too long, cut short, malformed, too slow) never undoes a status.
"""

import asyncio
import socket
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

import pycurl

from affwire.destinations import faults
from affwire.destinations.guard import Guard
from affwire.destinations.headers import final, read_lines, write_lines
from affwire.destinations.multi import Closed, Multi
from affwire.destinations.options import ALWAYS
from affwire.destinations.urls import ParsedUrl
from affwire.model.wire import ErrorClass, Limits, Outcome, Request, Response, Timings

HEADER_BYTES_MAX: Final = 65_536
"""All header lines of an answer, interim 1xx answers and trailers included: servers send a few KiB."""
_MARGIN_MS: Final = 5
"""libcurl's deadlines may fire this much early, by rounding."""


class TooLate(Exception):  # it ends a transfer from within and never leaves this room
    """The read deadline passed."""


class Sending(asyncio.Future[Outcome]):
    """A request under way, which becomes its Outcome. Cancelling it ends the request at once."""

    transfer: "Transfer"

    def cancel(self, msg: Any | None = None) -> bool:
        """End the request, if it is still under way."""
        if not self.done():
            self.transfer.abandon()
        return super().cancel(msg)


class Transfer:
    """A handle with the options that never change; `begin` sets the others and sends it off.

    `ended` hears of every request that came to an end, before whoever waits for it; it may begin the next.
    """

    def __init__(
        self,
        multi: Multi,
        guard: Guard,
        *,
        ca_path: str | None,
        user_agent: str,
        ended: "Callable[[Transfer], None]",
    ) -> None:
        self.curl = pycurl.Curl()
        self._multi = multi
        self._guard = guard
        self._tell = ended
        self._url = ""
        self._pins: list[str] = []
        self._deadlines = (0, 0)
        self._fresh_only = False
        self._sending: Sending | None = None
        self._timer: asyncio.TimerHandle | None = None
        for option, value in ALWAYS.items():
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
    ) -> Sending:
        """Send one request off. ValueError: a header cannot or may not be sent.

        The total deadline counts from `started`, when `send` was called; `now` is the present; both monotonic seconds.
        """
        self._parsed, self._limits = parsed, limits
        self._started = started
        self._begun = self._handed_over = now
        self._total_ms = max(1, limits.total_ms - int((now - started) * 1000))
        self._lines: list[bytes] = []
        self._body = bytearray()
        self._header_bytes = self._body_bytes = self.requests = 0
        self._refused = self._is_fresh = self._needs_fresh = False
        # "+": the pin ages like a DNS answer instead of staying for ever; each request renews it.
        self._set_up(request, [] if parsed.literal else [f"+{parsed.host}:{parsed.port}:{pin}"])
        self._sending = sending = Sending(loop=self._multi.loop)
        sending.transfer = self
        self._multi.carry(self.curl, self._ended)
        return sending

    def abandon(self) -> None:
        """End the request and tell nobody. The handle is gone with it."""
        self._multi.drop(self.curl)
        self._watch_no_more()
        self.curl.close()

    def _set_up(self, request: Request, pins: list[str]) -> None:
        """Set what differs from this handle's last request."""
        curl = self.curl
        curl.setopt(pycurl.HTTPHEADER, write_lines(request.headers))
        curl.setopt(pycurl.POSTFIELDS, request.body)
        if self._url != self._parsed.url:
            self._url = self._parsed.url
            curl.setopt(pycurl.URL, self._url)
        if pins or self._pins:  # libcurl reads pins once; so they are told anew though they are the same
            self._pins = pins
            curl.setopt(pycurl.RESOLVE, pins)
        if self._fresh_only:
            self._fresh_only = False
            curl.setopt(pycurl.FRESH_CONNECT, 0)
        deadlines = (self._total_ms, min(self._limits.connect_ms, self._total_ms))
        if self._deadlines != deadlines:
            self._deadlines = deadlines
            curl.setopt(pycurl.TIMEOUT_MS, deadlines[0])
            curl.setopt(pycurl.CONNECTTIMEOUT_MS, deadlines[1])

    def _begin_again(self) -> None:
        """Send the same request on a new connection, within what is left of its time."""
        self._needs_fresh, self._fresh_only = False, True
        self._handed_over = monotonic()
        left_ms = max(1, self._total_ms - int((self._handed_over - self._begun) * 1000))
        self._deadlines = (0, 0)
        self.curl.setopt(pycurl.FRESH_CONNECT, 1)
        self.curl.setopt(pycurl.TIMEOUT_MS, left_ms)
        self._multi.carry(self.curl, self._ended)

    def _ended(self, error: Exception | None) -> None:
        self._watch_no_more()
        if self._needs_fresh and not self._multi.closed:
            self._begin_again()
            return
        sending, self._sending = self._sending, None
        try:
            outcome: Outcome | Exception = self._outcome(error)
        except Exception as fault:  # noqa: BLE001 -- whoever waits must hear of a fault of ours
            outcome = fault
        self._tell(self)
        if sending is None:
            return
        if isinstance(outcome, Exception):
            sending.set_exception(outcome)
        else:
            sending.set_result(outcome)

    def _outcome(self, error: Exception | None) -> Outcome:
        dns_ms = None if self._parsed.literal else (self._begun - self._started) * 1000
        timings = self._timings(dns_ms, (monotonic() - self._started) * 1000)
        if isinstance(error, Closed):
            return Outcome(error="cut", detail=faults.sentence("cut"), timings=timings)
        lines = final(self._lines)
        if lines is not None:
            return Outcome(self._response(lines, cut=error is not None), detail=self._remark(), timings=timings)
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

    def _response(self, lines: list[bytes], *, cut: bool) -> Response:
        body = bytes(self._body)
        truncated = cut or self._body_bytes > len(body)
        return Response(self.curl.getinfo(pycurl.RESPONSE_CODE), read_lines(lines), body, truncated)

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
        self._needs_fresh = self.requests > 0 and not self._is_fresh
        self._is_fresh = False
        if self._refused or self._needs_fresh:
            return int(pycurl.PREREQFUNC_ABORT)
        self.requests += 1
        if self._limits.read_ms < self._total_ms:
            self._watch_read(self._limits.read_ms / 1000)
        return int(pycurl.PREREQFUNC_OK)

    def _on_header(self, line: bytes) -> int | None:
        self._header_bytes += len(line)
        if self._header_bytes > HEADER_BYTES_MAX:
            return -1
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
        self._watch_no_more()
        self._timer = self._multi.loop.call_later(seconds, self._check_read)

    def _watch_no_more(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _check_read(self) -> None:
        self._timer = None
        if final(self._lines) is not None:
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
