"""Claims, settlements and deliveries as rows of the outbox's statements."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from affwire.model.deliveries import PRIORITIES, AttemptRecord, Delivery
from affwire.store import statements as sql

facts_of: Final = attrgetter(*sql.FACTS)
"""Returns a delivery as a row of FACTS; the next two as rows of PLACE and END."""
place_of: Final = attrgetter(*sql.PLACE)
end_of: Final = attrgetter(*sql.END)
_attempt_of: Final = attrgetter(*sql.ATTEMPT)
_JSON: Final = msgspec.json.Encoder()


class Lease(Struct, frozen=True):
    """A due delivery that is to be claimed: until when (ms), and the id of the attempt."""

    delivery: Delivery
    until: int
    attempt_id: str


class Settlement(Struct, frozen=True):
    """How a leased delivery goes on: its new status, when it is due (None: never again), and the attempt behind it."""

    delivery: Delivery
    status: str
    reason: str | None
    due_at: int | None
    steps: int
    attempt: AttemptRecord


class Share(Struct, frozen=True):
    """How many due deliveries an endpoint may have, and of which priorities; `roll`: see rules.sharing.places."""

    endpoint_id: str
    limit: int
    priorities: Sequence[int] = PRIORITIES
    roll: float = 0.0


class Work(Struct, frozen=True):
    """What waits for an endpoint: when (ms) the first of all is due, and of each priority, None if there is none."""

    endpoint_id: str
    organization_id: str
    due_at: int
    times: tuple[int | None, ...]

    def priorities(self, now: int) -> list[int]:
        """Return those of which something is due."""
        return [priority for priority, at in zip(PRIORITIES, self.times, strict=True) if at is not None and at <= now]


def due_of(row: Sequence[Any]) -> Delivery:
    """Return what a row of DUE_OF_ENDPOINTS is."""
    delivery_id, event_id, word, subject_id, position, organization_id, endpoint_id, created_at, lane, *rest = row
    gate, due_at, priority, attempts, steps, fence = rest
    return Delivery(
        id=delivery_id,
        organization_id=organization_id,
        endpoint_id=endpoint_id,
        event_id=event_id,
        word=word,
        subject_id=subject_id,
        status="pending",
        lane=lane,
        gate=gate,
        due_at=due_at,
        attempts=attempts,
        steps=steps,
        priority=priority,
        fence=fence,
        created_at=created_at,
        position=position,
    )


def ended_of(settlement: Settlement, lane: str | None, gate: str | None, now: int) -> Delivery:
    """Return a delivery as its last attempt ended it (ms), with the lane it was in then."""
    return structs.replace(
        settlement.delivery,
        status=settlement.status,
        reason=settlement.reason,
        steps=settlement.steps,
        lane=lane,
        gate=gate,
        settled_at=now,
    )


def onward_row(one: Settlement) -> tuple[Any, ...]:
    """Return a settlement of what goes on as a row of GO_ON."""
    delivery = one.delivery
    return (delivery.position, delivery.fence, one.status == "held", one.reason, one.due_at, one.steps)


def attempt_row(settlement: Settlement) -> tuple[Any, ...]:
    """Return a settlement's attempt as a row of INSERT_ATTEMPTS."""
    attempt, delivery = settlement.attempt, settlement.delivery
    timings = _JSON.encode(attempt.timings) if attempt.timings else None
    return (delivery.organization_id, delivery.position, timings, *_attempt_of(attempt))
