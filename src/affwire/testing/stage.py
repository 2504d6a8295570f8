"""What the checks of the dialect suite play on: drawn events, one recipient with secrets of its own, and samples.

A check runs over the same events every time, so that a red suite is red again.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from affwire.dialects.base import Attempt, Card, Dialect, Recipient, Saying, Trust, load_samples
from affwire.errors import NotGenuine
from affwire.model.events import EVENT_TYPES, Event
from affwire.model.wire import Message, Request
from affwire.rules import signing
from affwire.testing import events as build
from affwire.testing import strategies

EXAMPLES: Final = 60
"""Events drawn per check."""
URL: Final = "https://example.com/hooks?tenant=%C3%A9&a=b"
DELIVERY: Final = build.id_of("delivery")
FIRST: Final = Attempt(build.id_of("attempt", 1), 1, build.NOW)
SECOND: Final = Attempt(build.id_of("attempt", 2), 2, build.NOW + 60_000)


def over(strategy: st.SearchStrategy[Any], check: Callable[[Any], None]) -> None:
    """Run a check over drawn values, the same ones every time."""
    wished = settings().phases
    chosen = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[phase for phase in (Phase.generate, Phase.shrink) if phase in wished],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    chosen(given(strategy)(check))()


def over_events(check: Callable[[Event], None]) -> None:
    """Run a check over drawn events."""
    over(strategies.events(), check)


def over_sayings(dialect: Dialect, check: Callable[[Saying, Event], None]) -> None:
    """Run a check over everything the dialect says for drawn events, and for one event of each type."""

    def each(event: Event) -> None:
        for saying in dialect.says(event):
            check(saying, event)

    over_events(each)
    for event in map(build.event, EVENT_TYPES):
        each(event)


def request_of(
    dialect: Dialect, saying: Saying, event: Event, *, attempt: Attempt = FIRST, **of_recipient: Any
) -> Request:
    """Return the request of a saying, to the recipient that these fields describe."""
    return dialect.request(event, saying, recipient_of(dialect, **of_recipient), DELIVERY, attempt)


def recipient_of(
    dialect: Dialect,
    *,
    secrets: tuple[str, ...] | None = None,
    bearer_token: str | None = "a-token",  # noqa: S107 -- of nobody
    options: dict[str, str] | None = None,
) -> Recipient:
    """Return an endpoint that the dialect can write for."""
    return Recipient(
        endpoint_id=build.id_of("endpoint"),
        url=URL,
        secrets=(secret_of(dialect.card, 1),) if secrets is None else secrets,
        bearer_token=bearer_token,
        options=options or {},
    )


def message_of(request: Request) -> Message:
    """Return the request as its receiver gets it."""
    return Message(headers=request.headers, body=request.body)


def trust_of(dialect: Dialect) -> Trust:
    """Return what a receiver knows the sender by: the secret, or the token, of `recipient_of`."""
    sender = recipient_of(dialect)
    bearer = dialect.card.authentication.kind == "bearer" and sender.bearer_token
    return Trust(secrets=(bearer,) if bearer else sender.secrets)


def secret_of(card: Card, nth: int) -> str:
    """Return the nth secret of the card's form."""
    auth = card.authentication
    return signing.minted(auth.secret, auth.secret_prefix, bytes([nth]) * 32)


def requests_of(dialect: Dialect) -> list[Request]:
    """Return a request for each word the dialect says of each type of event."""
    found: dict[tuple[str, str], Request] = {}

    def keep(saying: Saying, event: Event) -> None:
        found[saying.word, event.type] = request_of(dialect, saying, event)

    over_sayings(dialect, keep)
    return list(found.values())


def verifies(dialect: Dialect, message: Message, trust: Trust, now: int) -> bool:
    """Return whether the message is genuine at `now` (ms). An error of another kind is the caller's to see."""
    try:
        dialect.verify(message, trust, now)
    except NotGenuine:
        return False
    return True


def samples_of(dialect: Dialect) -> dict[str, Any]:
    """Return the dialect's samples as objects: word -> body."""
    return {word: json.loads(body) for word, body in load_samples(type(dialect).__module__).items()}
