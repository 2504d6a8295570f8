"""Requests over HTTP(S): libcurl on the running event loop, every address judged when it is dialled.

The one rule: an Outcome whatever the far side does. libcurl does HTTP/1.1, TLS, deadlines and kept-alive connections;
we judge, pin, cap and classify.
"""

import asyncio
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Final

from affwire.destinations import faults
from affwire.destinations.guard import DIAL_LOOKUP_MS, Guard, Resolution
from affwire.destinations.multi import Closed, Multi
from affwire.destinations.roots import Roots
from affwire.destinations.transfer import Transfer
from affwire.errors import Refused
from affwire.model.wire import ErrorClass, Limits, Outcome, Request, Timings

CONNECTIONS_MAX: Final = 512
"""Open connections altogether: half of the usual 1,024 file descriptors of a process. Further requests wait for one.

There is no cap per host: many endpoints may share one (an automation platform's, say), and a few of them that hang
would then delay the others. Whoever claims deliveries caps each endpoint.
"""


class HttpWire:
    """The Wire over HTTP/1.1. Belongs to the event loop of its first `send`.

    `ca_file` (AFFWIRE_CA_FILE) adds authorities to the machine's own; ValueError if it is no readable PEM file. The two
    are kept together in `folder`, which lasts as long as the wire (OSError if it takes no file), else in a private one.
    `resent` counts requests that went out a second time because a kept-alive connection had closed (F45).
    """

    def __init__(
        self,
        guard: Guard,
        ca_file: Path | None = None,
        user_agent: str = "",
        connections_max: int = CONNECTIONS_MAX,
        *,
        folder: Path | None = None,
    ) -> None:
        self.resent = 0
        self._guard = guard
        self._roots = Roots(ca_file, folder)
        self._user_agent = user_agent or f"affwire/{version('affwire')}"
        self._idle: list[Transfer] = []
        self._idle_max = connections_max
        self._multi = Multi(connections_max)

    async def send(self, request: Request, limits: Limits) -> Outcome:
        """Send one request and return what became of it; see `base.Wire` for the promise."""
        started = monotonic()
        try:
            parsed = self._guard.judge_url(request.url)
        except Refused as refusal:
            return Outcome(error="refused_by_guard", detail=refusal.sentence, timings=Timings(total_ms=0.0))
        resolution = await self._guard.resolve(parsed, min(DIAL_LOOKUP_MS, limits.total_ms))
        now = monotonic()
        dns_ms = None if parsed.literal else (now - started) * 1000
        if error := self._obstacle(resolution):
            return _failed(error, Timings(dns_ms=dns_ms, total_ms=(now - started) * 1000))
        transfer = self._idle.pop() if self._idle else self._new_transfer()
        try:
            transfer.begin(request, parsed, resolution.pin, limits=limits, started=started, now=now)
        except ValueError:
            self._release(transfer)
            return _failed("encode", Timings(dns_ms=dns_ms))
        return await self._carry(transfer, started, dns_ms)

    async def close(self) -> None:
        """End what is under way with "cut", close every connection."""
        self._multi.close()
        self._roots.close()
        for transfer in self._idle:
            transfer.curl.close()
        self._idle.clear()

    async def _carry(self, transfer: Transfer, started: float, dns_ms: float | None) -> Outcome:
        try:
            error = await transfer.run()
            if transfer.needs_fresh and not self._multi.closed:
                transfer.begin_again()
                error = await transfer.run()
        except asyncio.CancelledError:
            transfer.curl.close()
            raise
        total_ms = (monotonic() - started) * 1000
        if isinstance(error, Closed):
            transfer.curl.close()
            return _failed("cut", Timings(dns_ms=dns_ms, total_ms=total_ms))
        outcome = transfer.outcome(error, dns_ms=dns_ms, total_ms=total_ms)
        self.resent += transfer.was_sent_again
        self._release(transfer)
        return outcome

    def _obstacle(self, resolution: Resolution) -> ErrorClass | None:
        if self._multi.closed:
            return "cut"
        if resolution.refusal:
            return "refused_by_guard"
        return None if resolution.addresses else "dns"

    def _new_transfer(self) -> Transfer:
        path = self._roots.path
        return Transfer(self._multi, self._guard, ca_path=str(path) if path else None, user_agent=self._user_agent)

    def _release(self, transfer: Transfer) -> None:
        if len(self._idle) < self._idle_max and not self._multi.closed:
            self._idle.append(transfer)
        else:
            transfer.curl.close()


def _failed(error: ErrorClass, timings: Timings) -> Outcome:
    return Outcome(error=error, detail=faults.sentence(error), timings=timings)
