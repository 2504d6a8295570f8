"""Deliveries and attempts: the queue's rows and the record of every request that may have reached the wire."""

from typing import Final, Literal

from msgspec import Struct

from affwire.model.wire import ErrorClass, OutcomeKind, Timings

DeliveryStatus = Literal["pending", "held", "leased", "delivered", "exhausted", "cancelled"]

FIRST_TRY: Final = 0
RETRY: Final = 1
REPLAY: Final = 2
PRIORITIES: Final = (FIRST_TRY, RETRY, REPLAY)
"""Who goes first: new events pass what was tried before, and both pass what is sent once more (rules/sharing.py)."""


class Delivery(Struct, frozen=True, kw_only=True):
    """One saying of one event on its way to one endpoint.

    `due_at` None while unfinished: it waits for its lane's head; `not_before` keeps a retry's time meanwhile. `gate` names
    a program whose deletion is said only after this; where it equals the lane, this is that deletion. `attempts`: numbers
    handed out so far; `steps` of the retry schedule used since it was made or last replayed; `fence` grows with every
    claim, so a stale claim fits nowhere.
    """

    id: str
    organization_id: str
    endpoint_id: str
    event_id: str
    word: str
    subject_id: str
    status: DeliveryStatus
    reason: str | None = None
    lane: str | None = None
    gate: str | None = None
    due_at: int | None = None
    not_before: int | None = None
    attempts: int = 0
    steps: int = 0
    priority: int = FIRST_TRY
    fence: int = 0
    lease_until: int | None = None
    leased_at: int | None = None
    attempt_id: str | None = None
    leased_by: str | None = None
    created_at: int
    settled_at: int | None = None
    position: int = 0

    @property
    def held(self) -> bool:
        """Whether it waits for its endpoint."""
        return self.status == "held"


class AttemptRecord(Struct, frozen=True, kw_only=True):
    """One request on the wire, or what kept it from getting there. `request` and `response`: as services.journal keeps them.

    Both are dropped when the delivery is older than the retention; the rest stays.
    """

    delivery_id: str
    number: int
    id: str
    started_at: int
    ended_at: int
    outcome: OutcomeKind
    status_code: int | None = None
    error: ErrorClass | None = None
    detail: str | None = None
    timings: Timings | None = None
    request: bytes | None = None
    response: bytes | None = None
    position: int = 0
    """Its place in the order in which attempts were recorded, given by the store."""
