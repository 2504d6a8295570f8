"""Traces, for who wants them: a request, the events it made, and every attempt to deliver them, in one trace.

Rule: a trace's id follows from the request's id, which every event carries; so nothing is kept for it, any process can
continue it, and all of them agree on whether it is sampled. Used from the event loop only.
"""

import asyncio
import hashlib
import re
import time
from typing import Any, Final, Self

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import Attributes
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from affwire.destinations.collector import open_provider
from affwire.model.inbound import Kept
from affwire.services.deliveries import Result

MS: Final = 1_000_000
"""Nanoseconds of a millisecond: spans are told in those."""
_TRACED: Final = "/v1/"
_FEED: Final = "/stream"
_ID: Final = re.compile(r"/[^/]*[_:][^/]*")
"""A part of a path that is an id, ours or the caller's own."""
_CALLER: Final = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_BY_REQUEST: Final = frozenset({"key", "operator"})
"""Actors whose events come of a traced request; of others the attempts begin the trace."""


class Tracing:
    """Makes spans of what has happened. Close it when everything has: it sends what is left."""

    def __init__(self, provider: TracerProvider, ids: "Ids") -> None:
        self._provider = provider
        self._ids = ids
        self._tracer = provider.get_tracer("affwire")

    @classmethod
    def open(cls) -> Self:
        """Return one that sends to the collector of the OTEL_* variables. Raises ImportError without the extra `otel`."""
        ids = Ids()
        return cls(open_provider(ids), ids)

    def around(self, app: ASGIApp) -> "TracedRequests":
        """Return the app with its requests told of."""
        return TracedRequests(app, self)

    async def close(self) -> None:
        """Send what is left, for as long as OTEL_BSP_EXPORT_TIMEOUT allows."""
        await asyncio.to_thread(self._provider.shutdown)

    def requested(self, scope: Scope, status: int, began: int, ended: int) -> None:
        """Tell of a request that was answered, and of the events it made. Times in ns."""
        method, path, request_id = scope["method"], scope["path"], scope["state"].get("request_id")
        if request_id is None or not self._sampled(request_id):
            return
        route = _ID.sub("/{id}", path)
        attributes = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "affwire.request_id": request_id,
        }
        name, events = f"{method} {route}", scope["state"].get("events", ())
        span = self._root(request_id, name, SpanKind.SERVER, began, attributes, links=_caller(scope))
        for event in events:
            span.add_event(event.type, {"affwire.event_id": event.id}, event.occurred_at * MS)
        link = Link(span.get_span_context(), {"affwire.request_id": request_id})
        for operation in dict.fromkeys(event.cause.request_id for event in events):
            if operation != request_id:  # a batch: each of its operations is a request of its own
                self._root(operation, f"{name} operation", SpanKind.INTERNAL, began, {}, links=[link]).end(ended)
        _end(span, ended, f"answered {status}" if status >= 500 or not status else None)  # noqa: PLR2004 -- our own fault

    def attempted(self, result: Result, fits: bool) -> None:
        """Tell of an attempt, in the trace of the request that its event came of."""
        claim, attempt, cause = result.claim, result.attempt, result.claim.event.cause
        if not self._sampled(cause.request_id):
            return
        attributes: Attributes = {
            "affwire.event_id": claim.event.id,
            "affwire.event_type": claim.event.type,
            "affwire.delivery_id": claim.delivery.id,
            "affwire.endpoint_id": claim.endpoint.id,
            "affwire.dialect": claim.endpoint.dialect,
            "affwire.attempt": attempt.number,
            "affwire.verdict": type(result.verdict).__name__.lower() if fits else "stale",
            **({"http.response.status_code": attempt.status_code} if attempt.status_code else {}),
            **({"error.type": attempt.error} if attempt.error else {}),
        }
        name, began = f"deliver {claim.endpoint.dialect}", attempt.started_at * MS
        if claim.event.actor.kind in _BY_REQUEST:
            parent = set_span_in_context(NonRecordingSpan(_context(cause.request_id)))
            span = self._tracer.start_span(name, parent, SpanKind.CLIENT, attributes, start_time=began)
        else:
            span = self._root(attempt.id, name, SpanKind.CLIENT, began, attributes, trace_of=cause.request_id)
        _end(span, attempt.ended_at * MS, None if attempt.outcome == "ok" else attempt.error or attempt.outcome)

    def processed(self, message: Kept, ended: int, fault: BaseException | None) -> None:
        """Tell of an inbound message, from its arrival until it was settled at `ended` (ms)."""
        if not self._sampled(message.id):
            return
        attributes = {
            "affwire.message_id": message.id,
            "affwire.source_id": message.source_id,
            "affwire.dialect": message.dialect,
        }
        name = f"process {message.dialect}"
        span = self._root(message.id, name, SpanKind.CONSUMER, message.received_at * MS, attributes)
        _end(span, ended * MS, None if fault is None else type(fault).__name__)

    def _sampled(self, seed: str) -> bool:
        name, trace_id = "affwire", _numbers(seed)[0]
        decision = self._provider.sampler.should_sample(None, trace_id, name).decision
        return decision is Decision.RECORD_AND_SAMPLE

    def _root(self, seed: str, name: str, kind: SpanKind, began: int, attributes: Any, **more: Any) -> Span:
        """Begin a span without a parent; its ids follow from `seed`, its trace's from `trace_of` if there is one."""
        trace_of = more.pop("trace_of", seed)
        self._ids.next = _numbers(trace_of)[0], _numbers(seed)[1]
        return self._tracer.start_span(name, set_span_in_context(_NOBODY), kind, attributes, start_time=began, **more)


class Ids(IdGenerator):
    """Gives a root the ids that are laid out for it as `next`, and everything else a random one."""

    def __init__(self) -> None:
        self.next: tuple[int, int] | None = None
        self._random = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        """Return the trace's id that was laid out."""
        return self.next[0] if self.next else self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        """Return the span's id that was laid out, once."""
        laid_out, self.next = self.next, None
        return laid_out[1] if laid_out else self._random.generate_span_id()


class TracedRequests:
    """ASGI: has the API's requests told of; feeds, which last for hours, and everything else pass."""

    def __init__(self, behind: ASGIApp, tracing: Tracing) -> None:
        self._behind = behind
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(_TRACED) or path.endswith(_FEED):
            await self._behind(scope, receive, send)
            return
        began, status = time.time_ns(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        scope.setdefault("state", {})
        try:
            await self._behind(scope, receive, noted)
        finally:
            self._tracing.requested(scope, status, began, time.time_ns())


_NOBODY: Final = NonRecordingSpan(SpanContext(0, 0, is_remote=False))


def _numbers(seed: str) -> tuple[int, int]:
    """Return the ids of trace and span for a seed: hashed, since samplers take a part of the id for a dice roll."""
    digest = hashlib.blake2b(seed.encode(), digest_size=24).digest()
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:])


def _context(seed: str) -> SpanContext:
    return SpanContext(*_numbers(seed), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _caller(scope: Scope) -> list[Link]:
    """Return a link to the span that the caller says it asks in (W3C traceparent)."""
    told = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    if not (found := _CALLER.fullmatch(told)):
        return []
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return [Link(context)] if context.is_valid else []


def _end(span: Span, at: int, fault: str | None) -> None:
    if fault is not None:
        span.set_status(StatusCode.ERROR, fault)
    span.end(at)
