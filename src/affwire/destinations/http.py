"""Requests over HTTP(S): libcurl on the running event loop, every address judged when it is dialled.

The one rule: an Outcome whatever the far side does. libcurl does HTTP/1.1, TLS, deadlines and kept-alive connections;
we judge, pin, cap and classify.
"""

import asyncio
from collections.abc import Awaitable
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Final

from affwire.destinations import faults
from affwire.destinations.guard import DIAL_LOOKUP_MS, Guard, Resolution
from affwire.destinations.multi import Multi
from affwire.destinations.roots import Roots
from affwire.destinations.transfer import Transfer
from affwire.destinations.urls import ParsedUrl
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

    def send(self, request: Request, limits: Limits) -> Awaitable[Outcome]:
        """Send one request off at once, or as soon as its name is looked up; see `base.Wire` for the promise."""
        started = monotonic()
        try:
            parsed = self._guard.judge_url(request.url)
        except Refused as refusal:
            outcome = Outcome(error="refused_by_guard", detail=refusal.sentence, timings=Timings(total_ms=0.0))
            return _ended(outcome)
        resolution = self._guard.remembered(parsed)
        if resolution is None:
            return self._look_up(request, parsed, limits, started)
        return self._begin(request, parsed, resolution, limits=limits, started=started, now=started)

    async def close(self) -> None:
        """End what is under way with "cut", close every connection."""
        self._multi.close()
        self._roots.close()
        for transfer in self._idle:
            transfer.curl.close()
        self._idle.clear()

    async def _look_up(self, request: Request, parsed: ParsedUrl, limits: Limits, started: float) -> Outcome:
        resolution = await self._guard.resolve(parsed, min(DIAL_LOOKUP_MS, limits.total_ms))
        return await self._begin(request, parsed, resolution, limits=limits, started=started, now=monotonic())

    def _begin(
        self,
        request: Request,
        parsed: ParsedUrl,
        resolution: Resolution,
        *,
        limits: Limits,
        started: float,
        now: float,
    ) -> asyncio.Future[Outcome]:
        dns_ms = None if parsed.literal else (now - started) * 1000
        if error := self._obstacle(resolution):
            return _ended(_failed(error, Timings(dns_ms=dns_ms, total_ms=(now - started) * 1000)))
        transfer = self._idle.pop() if self._idle else self._new_transfer()
        try:
            return transfer.begin(request, parsed, resolution.pin, limits=limits, started=started, now=now)
        except ValueError:
            self._keep(transfer)
            return _ended(_failed("encode", Timings(dns_ms=dns_ms)))

    def _obstacle(self, resolution: Resolution) -> ErrorClass | None:
        if self._multi.closed:
            return "cut"
        if resolution.refusal:
            return "refused_by_guard"
        return None if resolution.addresses else "dns"

    def _new_transfer(self) -> Transfer:
        path = self._roots.path
        return Transfer(
            self._multi,
            self._guard,
            ca_path=str(path) if path else None,
            user_agent=self._user_agent,
            ended=self._release,
        )

    def _release(self, transfer: Transfer) -> None:
        self.resent += transfer.was_sent_again
        self._keep(transfer)

    def _keep(self, transfer: Transfer) -> None:
        if len(self._idle) < self._idle_max and not self._multi.closed:
            self._idle.append(transfer)
        else:
            transfer.curl.close()


def _ended(outcome: Outcome) -> asyncio.Future[Outcome]:
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    future.set_result(outcome)
    return future


def _failed(error: ErrorClass, timings: Timings) -> Outcome:
    return Outcome(error=error, detail=faults.sentence(error), timings=timings)
