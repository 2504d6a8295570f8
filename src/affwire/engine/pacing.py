"""How much an endpoint may take just now: its own cap, a rate if it has one, and less while it does not answer.

An endpoint that times out holds its places for the whole deadline, so its window halves with every time-out and doubles
with every answer: a hung endpoint soon holds one place, a healthy one all of its own (I10).
"""

from typing import Final

from affwire.model.endpoints import Endpoint
from affwire.model.wire import Outcome
from affwire.rules.retry import Policy

_SLOW: Final = frozenset({"timeout_connect", "timeout_read", "timeout_total", "dns"})
BURST_SECONDS: Final = 0.1
"""What a rate may catch up at once after a pause: a tenth of a second's worth, at least one."""
CROWD_MS: Final = 10_000
"""Organizations that were served within so long of each other share the process: a burst lasts some seconds."""


class Pacing:
    """Remembers windows and rates of endpoints. In memory only: a restart begins with full windows."""

    def __init__(self) -> None:
        self._windows: dict[str, int] = {}
        self._buckets: dict[str, tuple[float, int]] = {}
        self._next_at: dict[str, int] = {}
        self._turn: tuple[str, int | None] = ("", None)
        self.served: dict[str, int] = {}
        """When each endpoint last got a place (ms)."""

    def room(self, endpoint: Endpoint, policy: Policy, under_way: int, now: int) -> int:
        """Return how many more deliveries may go to the endpoint now (ms)."""
        window = min(policy.max_in_flight, self._windows.get(endpoint.id, policy.max_in_flight))
        room = window - under_way
        if policy.rate_per_second is None or room <= 0:
            return max(room, 0)
        return min(room, self._tokens(endpoint.id, policy.rate_per_second, now))

    def crowded(self, now: int) -> bool:
        """Return whether more than one organization was served of late."""
        passed_at = self._turn[1]
        return passed_at is not None and now - passed_at <= CROWD_MS

    def took(self, endpoint: Endpoint, policy: Policy, now: int) -> None:
        """Note that one delivery is on its way."""
        self._pass_on(endpoint.organization_id, now)
        self.served[endpoint.id] = now
        if policy.rate_per_second is not None:
            self._take_token(endpoint.id, policy.rate_per_second, now)

    def _pass_on(self, organization_id: str, now: int) -> None:
        latest, _ = self._turn
        if organization_id != latest:
            self._turn = organization_id, now if latest else None

    def _take_token(self, endpoint_id: str, rate: float, now: int) -> None:
        tokens, at = self._buckets.get(endpoint_id, (_burst(rate), now))
        self._buckets[endpoint_id] = (tokens - 1, at)
        self._next_at[endpoint_id] = at + round(max(2 - tokens, 0) / rate * 1000) + 1

    def answered(self, endpoint_id: str, policy: Policy, outcome: Outcome) -> None:
        """Note how a delivery went: a time-out narrows the window, an answer of any kind widens it."""
        window = self._windows.get(endpoint_id, policy.max_in_flight)
        if outcome.error in _SLOW:
            self._windows[endpoint_id] = max(window // 2, 1)
        elif window * 2 < policy.max_in_flight:
            self._windows[endpoint_id] = window * 2
        else:
            self._windows.pop(endpoint_id, None)

    def next_at(self, now: int) -> int | None:
        """Return when the next endpoint that was held back by its rate may go on (ms)."""
        self._next_at = {endpoint_id: at for endpoint_id, at in self._next_at.items() if at > now}
        return min(self._next_at.values(), default=None)

    def _tokens(self, endpoint_id: str, rate: float, now: int) -> int:
        burst = _burst(rate)
        tokens, at = self._buckets.get(endpoint_id, (burst, now))
        tokens = min(burst, tokens + max(now - at, 0) / 1000 * rate)
        self._buckets[endpoint_id] = (tokens, now)
        return int(tokens)


def _burst(rate: float) -> float:
    return max(1.0, rate * BURST_SECONDS)
