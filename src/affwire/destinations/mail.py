"""Letters over SMTP to one relay, judged and pinned like every way out, and never without TLS.

The one rule: an Outcome whatever the relay does. `smtps://` speaks TLS from the first byte, `smtp://` demands STARTTLS.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from time import monotonic
from typing import Final, Protocol, cast

import aiosmtplib
from aiosmtplib import errors

from affwire.destinations import urls
from affwire.destinations.addresses import Address
from affwire.destinations.guard import ADDRESSES_PINNED_MAX, DIAL_LOOKUP_MS, REFUSED_ANSWER, Guard
from affwire.destinations.relay import Relay
from affwire.destinations.roots import Roots
from affwire.destinations.urls import ParsedUrl
from affwire.errors import Refused
from affwire.model.mail import Letter
from affwire.model.wire import ErrorClass, Limits, Outcome, Response, Timings

SESSIONS_MAX: Final = 4
"""Sessions with the relay at a time: many relays refuse more. Further letters wait, within their own limits."""
_QUIT_S: Final = 1.0
"""How long a polite end may take once the relay has the letter."""
_AGAIN_S: Final = 0.01
_CODES: Final = range(200, 600)
"""What the code of an SMTP reply can be (RFC 5321, 4.2.1)."""
_SENTENCES: Final[dict[ErrorClass, str]] = {
    "refused_by_guard": REFUSED_ANSWER,
    "dns": "The relay's name has no address.",
    "connect": "The relay did not take the connection.",
    "timeout_connect": "The relay did not take the connection in time.",
    "timeout_read": "The relay did not answer in time.",
    "timeout_total": "The session with the relay took too long.",
    "cut": "The server stopped while the mail was under way.",
}


class MailWire(Protocol):
    """Carries letters out, under the promises of `base.Wire`: an Outcome whatever happens, in time, and judged anew."""

    async def send(self, letter: Letter, limits: Limits) -> Outcome: ...

    async def close(self) -> None: ...


class _Unreached(Exception):
    """No connection to the relay, and why."""

    def __init__(self, error: ErrorClass) -> None:
        self.error: ErrorClass = error
        super().__init__(error)


class SmtpWire:
    """The MailWire over SMTP (RFC 5321, submission with TLS by RFC 8314): a session for each letter.

    `ca_file` adds authorities to the machine's own; ValueError if it is no readable PEM file. An Outcome's response has
    the relay's code and text: 250 where it has taken the letter.
    """

    def __init__(self, guard: Guard, relay: Relay, ca_file: Path | None = None) -> None:
        self._guard = guard
        self._relay = relay
        self._roots = Roots(ca_file)
        self._tls = ssl.create_default_context(cafile=self._roots.path)
        self._free = asyncio.Semaphore(SESSIONS_MAX)
        self._under_way: set[asyncio.Task[Outcome]] = set()
        self._closed = False

    async def send(self, letter: Letter, limits: Limits) -> Outcome:
        """Hand one letter to the relay and return what became of it."""
        started = monotonic()
        if self._closed:
            return _failed("cut", started)
        session = asyncio.create_task(self._in_turn(letter, limits, started))
        self._under_way.add(session)
        try:
            await asyncio.wait({session}, timeout=limits.total_ms / 1000)
        finally:
            await _end(session)
            self._under_way.discard(session)
        if session.cancelled():
            return _failed("cut" if self._closed else "timeout_total", started)
        return session.result()

    async def close(self) -> None:
        """End what is under way with "cut"."""
        self._closed = True
        for session in tuple(self._under_way):
            await _end(session)
        self._roots.close()

    async def _in_turn(self, letter: Letter, limits: Limits, started: float) -> Outcome:
        async with self._free:
            return await self._carried(letter, limits, started)

    async def _carried(self, letter: Letter, limits: Limits, started: float) -> Outcome:
        try:
            message = composed(letter, self._relay.sender)
            place = urls.place(self._relay.host, self._relay.port)
            connection = await self._connected(place, limits)
        except _Unreached as fault:
            return _failed(fault.error, started)
        except Refused as refusal:
            return _failed("refused_by_guard", started, refusal.sentence)
        except ValueError as fault:
            return _failed("encode", started, str(fault))
        return await self._spoken(connection, message, limits, started)

    async def _connected(self, place: ParsedUrl, limits: Limits) -> socket.socket:
        """Return a connection to the first judged address that takes one. Raises _Unreached, for a refused answer too."""
        resolution = await self._guard.resolve(place, min(DIAL_LOOKUP_MS, limits.total_ms))
        if resolution.refusal or not resolution.addresses:
            raise _Unreached("refused_by_guard" if resolution.refusal else "dns")
        try:
            async with asyncio.timeout(limits.connect_ms / 1000):
                for address in resolution.addresses[:ADDRESSES_PINNED_MAX]:
                    with suppress(ConnectionError):
                        return await self._dialled(place, address)
        except TimeoutError:
            raise _Unreached("timeout_connect") from None
        except OSError:
            raise _Unreached("connect") from None
        raise _Unreached("connect")

    async def _dialled(self, place: ParsedUrl, address: Address) -> socket.socket:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 -- the IP version
        self._look_again(place, address)
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connection, (str(address), place.port))
            self._look_again(place, connection.getpeername()[0])
        except BaseException:
            connection.close()
            raise
        return connection

    def _look_again(self, place: ParsedUrl, address: Address | str) -> None:
        if self._guard.judge_dial(place, address):
            raise _Unreached("refused_by_guard")

    async def _spoken(
        self, connection: socket.socket, message: EmailMessage, limits: Limits, started: float
    ) -> Outcome:
        session = aiosmtplib.SMTP(
            hostname=self._relay.host.strip("[]"),
            sock=connection,
            use_tls=self._relay.tls,
            start_tls=False,
            tls_context=self._tls,
            local_hostname=_greeting(connection),
            timeout=limits.read_ms / 1000,
        )
        try:
            return await self._said(session, message, started)
        except Exception as fault:  # noqa: BLE001 -- whatever a relay makes the library trip over is its outcome
            return _outcome_of(fault, started)
        finally:
            transport = session.transport
            session.close()
            if transport is not None:
                cast("asyncio.WriteTransport", transport).abort()  # no waiting for the far side's good-bye

    async def _said(self, session: aiosmtplib.SMTP, message: EmailMessage, started: float) -> Outcome:
        await session.connect()
        if not self._relay.tls:
            await session.ehlo()
            if not session.supports_extension("starttls"):
                return _failed("tls", started, "The relay offers no STARTTLS: nothing is sent in clear.")
            await session.starttls()
        if self._relay.user:
            await session.login(self._relay.user, self._relay.password)
        _, said = await session.send_message(message)
        with suppress(errors.SMTPException, OSError):
            await session.quit(timeout=_QUIT_S)
        return Outcome(Response(250, body=said.encode()), detail=said, timings=_timings(started))


def composed(letter: Letter, sender: MailAddress) -> EmailMessage:
    """Return a letter as it will leave: plain text, and HTML beside it. ValueError where a header would hold a line break."""
    user, _, domain = letter.to.rpartition("@")
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = MailAddress(username=user, domain=domain)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{letter.id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday note answers it
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


async def _end(session: "asyncio.Task[Outcome]") -> None:
    """Cancel a session until it is over: before Python 3.12 `wait_for` swallows a cancel that comes as its future is done."""
    while not session.done():
        session.cancel()
        await asyncio.wait({session}, timeout=_AGAIN_S)


def _greeting(connection: socket.socket) -> str:
    """Return how we greet: by the address we call from (RFC 5321, 4.1.3); the machine's name is nobody's business."""
    host = str(connection.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{host}]" if ":" in host else f"[{host}]"


def _outcome_of(fault: Exception, started: float) -> Outcome:
    match fault:
        case errors.SMTPRecipientsRefused():
            return _outcome_of(fault.recipients[0], started)
        case errors.SMTPResponseException() if fault.code in _CODES:
            response = Response(fault.code, body=fault.message.encode("utf-8", "replace"))
            return Outcome(response, "status", f"{fault.code} {fault.message}", _timings(started))
        case errors.SMTPTimeoutError():
            return _failed("timeout_read", started)
        case errors.SMTPNotSupported():
            return _failed("encode", started, fault.message)
    if isinstance(fault, ssl.SSLError) or isinstance(fault.__cause__, ssl.SSLError):
        return _failed("tls", started, f"The relay's certificate or TLS is not good: {fault.__cause__ or fault}")
    return _failed("protocol", started, f"The session with the relay failed: {fault}")


def _failed(error: ErrorClass, started: float, detail: str | None = None) -> Outcome:
    return Outcome(error=error, detail=detail or _SENTENCES.get(error, ""), timings=_timings(started))


def _timings(started: float) -> Timings:
    return Timings(total_ms=(monotonic() - started) * 1000)
