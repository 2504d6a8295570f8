"""How an endpoint is doing: what the breaker and the warnings decide on."""

from msgspec import Struct


class EndpointHealth(Struct, frozen=True, kw_only=True):
    """Failures since the last success, and what was done about them. Times in ms.

    `failing_since`: the first of these failures. `warned_percent`: the last warning said (0: none; it stays above 0 until
    a success has said that the endpoint recovered). `tripped_until`: when the breaker lets the next probe through, None
    while it is closed; `trips`: how often it opened in a row.
    """

    endpoint_id: str
    failures_in_row: int = 0
    failing_since: int | None = None
    last_success_at: int | None = None
    last_failure_at: int | None = None
    last_error: str | None = None
    warned_percent: int = 0
    tripped_until: int | None = None
    trips: int = 0
