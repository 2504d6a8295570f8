"""What to do with a delivery after an attempt: one decision, from the outcome and the policy alone."""

from typing import Final

from msgspec import Struct

from affwire.model.events import EVENT_TYPES
from affwire.model.wire import Outcome
from affwire.rules.retry import Policy, retry_after_ms, wait_ms


class Delivered(Struct, frozen=True):
    """The far side said it has it."""


class Retry(Struct, frozen=True):
    """It failed; the next try is due at `at` (ms). One step of the schedule is used up."""

    at: int


class Dead(Struct, frozen=True):
    """It failed and the schedule has no further step."""

    why: str


class Gone(Struct, frozen=True):
    """The far side said 410: the endpoint is disabled and the delivery waits for its owner, without costing a step."""


class Unknown(Struct, frozen=True):
    """We never learned the end, through our own fault: due again at once, without costing a step (contracts A3)."""


class Unheard(Struct, frozen=True):
    """A newer version's event, which this one has no words for: left until `at` (ms) for that version's workers, at no cost."""

    at: int


Verdict = Delivered | Retry | Dead | Gone | Unknown | Unheard

UNHEARD_MS: Final = 60_000
UNHEARD_TRIES_MAX: Final = 60
"""An hour for an upgrade to reach the machine that knows the event; more often, it would be a loop without an end."""

_GONE = 410
_BUSY = frozenset({429, 503})


def settle(outcome: Outcome, policy: Policy, steps: int, *, now: int, roll: float) -> Verdict:
    """Decide on a delivery that has used `steps` steps of its schedule. `roll` in [0, 1) decides the jitter."""
    if outcome.error == "cut":
        return Unknown()
    status = outcome.response.status if outcome.response else None
    if status is not None and outcome.error in {None, "status"} and policy.succeeds(status):
        return Delivered()
    if status == _GONE and policy.gone_disables:
        return Gone()
    asked = _asked_wait(outcome, now) if status in _BUSY else None
    wait = wait_ms(policy.retry_schedule, steps, roll, asked)
    return Dead(_why(outcome, steps)) if wait is None else Retry(now + wait)


def unworded(event_type: str, why: str, *, attempts: int, now: int) -> Verdict:
    """Decide on a delivery that could not be put into words, at its attempt of that number."""
    if event_type in EVENT_TYPES or attempts >= UNHEARD_TRIES_MAX:
        return Dead(why)
    return Unheard(now + UNHEARD_MS)


def _asked_wait(outcome: Outcome, now: int) -> int | None:
    return retry_after_ms(outcome.response.header("Retry-After"), now) if outcome.response else None


def _why(outcome: Outcome, steps: int) -> str:
    last = f"HTTP {outcome.response.status}" if outcome.response else f"{outcome.error}"
    return f"gave up after {steps + 1} tries; the last: {last}" if steps else f"failed, no retries: {last}"
