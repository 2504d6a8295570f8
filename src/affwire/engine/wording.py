"""Wording: claims put into words. What a dialect says to everybody alike is rendered once for many claims.

Rule: a body is said again only for the very same event, and kept for a second at most, which is less than a request may
be under way with it: nobody's data outlives its erasure in here.
"""

from collections.abc import Mapping
from typing import Any, Final

from affwire.dialects import passing
from affwire.dialects.base import Dialect, Saying
from affwire.errors import Unencodable
from affwire.model.events import Event
from affwire.model.inbound import HOP_HEADER
from affwire.model.wire import Request
from affwire.services.deliveries import Claim

KEPT_MS: Final = 1000
"""How long bodies are kept: endpoints of one organization are seldom further apart in its events."""
KEPT_MAX: Final = 256
"""Bodies kept at once: half a MiB of them."""


class Wording:
    """Renders claims, batch after batch."""

    def __init__(self, dialects: Mapping[str, Dialect]) -> None:
        self._dialects = dialects
        self._bodies: dict[tuple[Any, ...], tuple[Event, bytes]] = {}
        self._since = 0

    def request(self, claim: Claim) -> Request:
        """Return a claim's POST with its endpoint's own headers. Raises whatever the dialect trips over."""
        dialect, delivery, recipient = self._dialects[claim.endpoint.dialect], claim.delivery, claim.recipient
        if not dialect.card.shared_body:
            return _with_headers(_said(dialect, claim), claim)
        if not 0 <= claim.attempt.at - self._since <= KEPT_MS:
            self.forget()
            self._since = claim.attempt.at
        what = (delivery.event_id, delivery.word, delivery.subject_id, dialect.card.name, *recipient.options.items())
        event, body = self._bodies.get(what, (None, b""))
        if event is not claim.event and event != claim.event:
            said = _said(dialect, claim)
            self._keep(what, claim.event, said.body)
            return _with_headers(said, claim)
        return _with_headers(Request(recipient.url, dialect.sign(body, recipient, claim.attempt), body), claim)

    def _keep(self, what: tuple[Any, ...], event: Event, body: bytes) -> None:
        if len(self._bodies) >= KEPT_MAX:
            del self._bodies[next(iter(self._bodies))]
        self._bodies[what] = event, body

    def forget(self) -> None:
        """Forget all bodies: there is nothing to send just now."""
        self._bodies.clear()


def _said(dialect: Dialect, claim: Claim) -> Request:
    saying = Saying(claim.delivery.word, claim.delivery.subject_id)
    if saying not in passing.said(dialect, claim.event):
        raise Unencodable(
            "no_longer_said", f"{claim.endpoint.dialect} does not say {saying.word} for this event any more."
        )
    return passing.written(
        dialect, claim.event, saying, claim.recipient, delivery_id=claim.delivery.id, attempt=claim.attempt
    )


def _with_headers(said: Request, claim: Claim) -> Request:
    """Return a request with our own header and its endpoint's."""
    hop = (HOP_HEADER, str(claim.event.hops + 1))
    return Request(said.url, (*said.headers, hop, *claim.headers), said.body)
