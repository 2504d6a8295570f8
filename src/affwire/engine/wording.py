"""Wording: claims put into words. What a dialect says to everybody alike is rendered once for all claims of a batch.

Rule: a Wording lasts as long as its batch and no longer, so nobody's data outlives its erasure in here.
"""

from collections.abc import Mapping
from typing import Any

from affwire.dialects import passing
from affwire.dialects.base import Dialect, Saying
from affwire.errors import Unencodable
from affwire.model.inbound import HOP_HEADER
from affwire.model.wire import Request
from affwire.services.deliveries import Claim


class Wording:
    """Renders the claims of one batch."""

    def __init__(self, dialects: Mapping[str, Dialect]) -> None:
        self._dialects = dialects
        self._bodies: dict[tuple[Any, ...], bytes] = {}

    def request(self, claim: Claim) -> Request:
        """Return a claim's POST with its endpoint's own headers. Raises whatever the dialect trips over."""
        dialect, delivery, recipient = self._dialects[claim.endpoint.dialect], claim.delivery, claim.recipient
        if not dialect.card.shared_body:
            said = _said(dialect, claim)
            return Request(said.url, (*said.headers, _hop(claim), *claim.headers), said.body)
        what = (delivery.event_id, delivery.word, delivery.subject_id, dialect.card.name, *recipient.options.items())
        body = self._bodies.get(what)
        if body is None:
            body = self._bodies[what] = _said(dialect, claim).body
        signed = dialect.sign(body, recipient, claim.attempt)
        return Request(recipient.url, (*signed, _hop(claim), *claim.headers), body)


def _said(dialect: Dialect, claim: Claim) -> Request:
    saying = Saying(claim.delivery.word, claim.delivery.subject_id)
    if saying not in passing.said(dialect, claim.event):
        raise Unencodable(
            "no_longer_said", f"{claim.endpoint.dialect} does not say {saying.word} for this event any more."
        )
    return passing.written(
        dialect, claim.event, saying, claim.recipient, delivery_id=claim.delivery.id, attempt=claim.attempt
    )


def _hop(claim: Claim) -> tuple[str, str]:
    return HOP_HEADER, str(claim.event.hops + 1)
