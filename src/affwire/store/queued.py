"""Claims, settlements and deliveries as rows of the outbox's statements."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct, structs

from affwire.model.deliveries import PRIORITIES, AttemptRecord, Delivery
from affwire.store import statements as sql


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


class Work(Struct, frozen=True):
    """What waits for an endpoint: when (ms) the first of all is due, and of each priority, None if there is none."""

    endpoint_id: str
    organization_id: str
    due_at: int
    times: tuple[int | None, ...]

    def priorities(self, now: int) -> list[int]:
        """Return those of which something is due."""
        return [priority for priority, at in zip(PRIORITIES, self.times, strict=True) if at is not None and at <= now]


def row_of(delivery: Delivery, names: Iterable[str]) -> list[Any]:
    """Return a delivery as the values of a row of `FACTS`, `PLACE` or `END`."""
    return [delivery.status == "held" if name == "held" else getattr(delivery, name) for name in names]


def due_of(row: dict[str, Any]) -> Delivery:
    """Return what a row of DUE_OF_ENDPOINT is."""
    del row["held"]
    return Delivery(status="pending", **row)


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
    attempt = settlement.attempt
    timings = msgspec.json.encode(attempt.timings) if attempt.timings else None
    values = [timings if name == "timings" else getattr(attempt, name) for name in sql.ATTEMPT]
    return (settlement.delivery.organization_id, settlement.delivery.position, *values)
