"""The JSON objects about what is sent: deliveries and their attempts, what became of an event, how a dialect would say it.

As in `model.objects`, a name here is the name of a schema in the OpenAPI description.
"""

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from affwire.model.deliveries import DeliveryStatus
from affwire.model.wire import ErrorClass, OutcomeKind

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339, UTC, milliseconds."""
HeaderList = list[tuple[str, str]]


class Delivery(TypedDict):
    """A delivery without its attempts. `steps`: of the retry schedule, used up."""

    id: str
    event_id: str
    event_type: str | None
    endpoint_id: str
    word: str
    subject_id: str
    status: DeliveryStatus
    reason: str | None
    due_at: Time | None
    attempts_made: int
    steps: int
    created_at: Time
    settled_at: Time | None


class KeptBody(TypedDict):
    """A body as text, or in base64 where its bytes are no text."""

    body: str
    body_base64: bool


class SentRequest(KeptBody):
    """What left, secrets masked."""

    url: str
    headers: HeaderList


class GivenResponse(KeptBody):
    """What was answered, up to a limit."""

    status: int
    headers: HeaderList
    truncated: bool


class Phases(TypedDict):
    """Milliseconds of each phase; null: not reached, or the connection was used again."""

    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    first_byte_ms: float | None
    total_ms: float | None


class Attempt(TypedDict):
    """One request on the wire, or what kept it from getting there. `request` and `response` are null once forgotten."""

    number: int
    id: str
    started_at: Time
    ended_at: Time
    outcome: OutcomeKind
    status_code: int | None
    error: ErrorClass | None
    detail: str | None
    timings: Phases | None
    request: SentRequest | None
    response: GivenResponse | None


class DeliveryWithAttempts(Delivery):
    """A delivery and every attempt in order."""

    attempts: list[Attempt]


class TestResult(Attempt):
    """How a test send went."""

    endpoint_id: str
    dialect: str
    word: str


class FateDelivery(TypedDict):
    """A delivery as the event tells of it."""

    id: str
    word: str
    status: DeliveryStatus
    reason: str | None
    due_at: Time | None
    attempts: int


class Fate(TypedDict):
    """What became of an event at one endpoint, or the reason why nothing was said."""

    endpoint_id: str
    dialect: str
    url: str
    event_types: list[str]
    outcome: DeliveryStatus | Literal["silent"]
    reason: str | None
    deliveries: list[FateDelivery]


class RenderedRequest(KeptBody):
    """A request that would leave; `reason`: why it cannot be put into words."""

    word: str
    subject_id: str
    method: str
    reason: str | None
    headers: HeaderList


class DialectView(TypedDict):
    """An event in one dialect; `reason`: why nothing is said."""

    dialect: str
    reason: str | None
    requests: list[RenderedRequest]


class Rendering(TypedDict):
    """An event as dialects would send it."""

    event_id: str
    type: str
    dialects: list[DialectView]
