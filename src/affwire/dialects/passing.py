"""Passing on: an event that came in as a message is said again, in the message's own dialect, with the body it came in.

    said(dialect, event) and written(dialect, ...) stand before a dialect's own `says` and `request`

Only what belongs to this endpoint, delivery or try is put in anew (a card's `addressed`), and the signature is ours.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import UNSET

from affwire.dialects.base import Attempt, Dialect, Recipient, Saying, encode
from affwire.model import ids
from affwire.model.events import Event
from affwire.model.wire import Request

PLACES: Final[dict[str, Callable[[Recipient, str, Attempt], Any]]] = {
    "attempt.number": lambda _to, _delivery_id, attempt: attempt.number,
    "attempt.uuid": lambda _to, _delivery_id, attempt: ids.uuid_of(attempt.id),
    "endpoint.uuid": lambda to, _delivery_id, _attempt: ids.uuid_of(to.endpoint_id),
    "endpoint.whe": lambda to, _delivery_id, _attempt: "whe_" + ids.body_of(to.endpoint_id),
    "delivery.whd": lambda _to, delivery_id, _attempt: "whd_" + ids.body_of(delivery_id),
}
"""What a card's `addressed` may name."""


def said(dialect: Dialect, event: Event) -> tuple[Saying, ...]:
    """Return what a dialect says for an event: of a message of its own, the message's word, once, on the leading event."""
    if event.origin is UNSET or event.origin.dialect != dialect.card.name:
        return dialect.says(event)
    return (Saying(event.origin.word, event.membership_id or event.subject_id),) if event.leads else ()


def silence(dialect: Dialect, event: Event) -> str:
    """Return why `said` is empty."""
    own = event.origin is not UNSET and event.origin.dialect == dialect.card.name
    return "its message was passed on with the request's leading event" if own else dialect.silence(event)


def written(
    dialect: Dialect, event: Event, saying: Saying, recipient: Recipient, *, delivery_id: str, attempt: Attempt
) -> Request:
    """Return the POST of a saying. Raises Unencodable as the dialect's own `request` does."""
    if event.origin is UNSET or event.origin.dialect != dialect.card.name:
        return dialect.request(event, saying, recipient, delivery_id, attempt)
    body = event.origin.body
    for path, place in dialect.card.addressed.items():
        body = _with(body, path.split("."), PLACES[place](recipient, delivery_id, attempt))
    encoded = encode(body)
    return Request(recipient.url, dialect.sign(encoded, recipient, attempt), encoded)


def _with(body: Mapping[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """Return a body with another value at a path that is there; one that lacks it stays without."""
    if path[0] not in body:
        return dict(body)
    inner = body[path[0]]
    if len(path) > 1:
        value = _with(inner, path[1:], value) if isinstance(inner, Mapping) else inner
    return {**body, path[0]: value}
