"""Test sends: the dialect's own sample, signed like the real thing and sent through the same guard and wire, now.

Nothing is recorded: no event, no delivery, no attempt. The header Affwire-Test tells the receiver what it is.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from affwire.destinations.base import Wire
from affwire.dialects.base import Attempt, Dialect, Recipient, load_samples
from affwire.engine.records import limits, record
from affwire.errors import Refused, Unencodable
from affwire.model import sent
from affwire.model.endpoints import Endpoint
from affwire.model.wire import Headers, Request
from affwire.rules import delivery as verdicts
from affwire.rules.retry import overridden
from affwire.services import endpoints, journal
from affwire.services.actions import found
from affwire.store.store import Store
from affwire.store.tx import Tx
from affwire.world import World

TEST_HEADER: Final = ("Affwire-Test", "1")


async def send(
    store: Store,
    wire: Wire,
    dialects: Mapping[str, Dialect],
    world: World,
    *,
    organization_id: str,
    endpoint_id: str,
    word: str | None = None,
) -> sent.TestResult:
    """Send the sample of a word (the dialect's first without one) to an endpoint and return the attempt as JSON.

    A paused or disabled endpoint is tested too. Raises NotFound, Refused("unknown_word" | "no_secret").
    """

    def opened(tx: Tx) -> tuple[Endpoint, Recipient, Headers]:
        endpoint = found(tx, Endpoint, organization_id, endpoint_id)
        return endpoint, *endpoints.recipient(tx, endpoint)

    endpoint, recipient, own = await store.read(opened)
    card = endpoints.card_of(dialects, endpoint.dialect)
    policy = overridden(card.policy(), endpoint.policy)
    said, body = _sample(dialects[endpoint.dialect], word)
    attempt = Attempt(world.new_id("attempt"), 1, world.now())
    headers = _signed(dialects[endpoint.dialect], body, recipient, attempt)
    request = Request(recipient.url, (*headers, *own, TEST_HEADER), body)
    outcome = await wire.send(request, limits(policy))
    now = world.now()
    verdict = verdicts.settle(outcome, policy, 0, now=now, roll=0)
    kept = record(attempt, request, outcome, verdict, delivery_id="", recipient=recipient, own=own, ended_at=now)
    return {"endpoint_id": endpoint.id, "dialect": endpoint.dialect, "word": said, **journal.attempt(kept)}


def _sample(dialect: Dialect, word: str | None) -> tuple[str, bytes]:
    samples = load_samples(type(dialect).__module__)
    names = [one.name for one in dialect.card.words if one.name in samples]
    names += [name for name in samples if name not in names]
    chosen = word or names[0]
    if chosen not in samples:
        raise Refused(
            "unknown_word",
            f"{dialect.card.title} has no sample of {chosen!r}; it has: {', '.join(names)}.",
            field="word",
            known=names,
        )
    return chosen, msgspec.json.encode(msgspec.json.decode(samples[chosen]))


def _signed(dialect: Dialect, body: bytes, recipient: Recipient, attempt: Attempt) -> Headers:
    try:
        return dialect.sign(body, recipient, attempt)
    except Unencodable as error:
        raise Refused(error.code, error.sentence) from error
