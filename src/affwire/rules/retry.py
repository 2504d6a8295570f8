"""Policies: the delivery promise of an endpoint. A dialect's card gives it, the endpoint may override any part.

Waits between tries are a list of seconds; jitter shortens a wait by up to 5 %, so that retries of one moment part.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

from msgspec import Struct, structs

JITTER_MAX: Final = 0.05
STEPS_MAX: Final = 100
SUCCESS_NAMES: Final = ("2xx", "200")
WAIT_MAX_S: Final = 2_678_400
"""31 days between two tries: longer than any platform's whole schedule."""
TIMEOUT_MAX_S: Final = 60
"""A minute: a receiver that needs more should take the request and work afterwards; a slot is held all the while."""
IN_FLIGHT_MAX: Final = 1_000
"""Requests under way to one endpoint: more than the connections one process keeps open."""
RATE_MAX: Final = 10_000
"""Requests a second: above what one installation sends."""
CODES_MAX: Final = 100
LEASE_MARGIN_MS: Final = 10_000
"""A lease outlives the longest request by this much, so that settling has time (contracts A3)."""
SECONDS_MAX: Final = 1_000_000_000
"""The longest Retry-After that is told apart: 30 years; the schedule's longest wait caps it anyway."""
_SECONDS_DIGITS_MAX: Final = len(str(SECONDS_MAX))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Success = Literal["2xx", "200"] | tuple[int, ...]


class Policy(Struct, frozen=True, kw_only=True):
    """How deliveries to an endpoint are tried. Durations are seconds, decimals allowed; `rate_per_second` None: no rate."""

    retry_schedule: tuple[float, ...]
    success: Success = "2xx"
    connect_timeout: float = 10
    read_timeout: float = 10
    total_timeout: float = 15
    max_in_flight: int = 10
    rate_per_second: float | None = None
    ordering: Literal["none", "affiliate"] = "none"
    gone_disables: bool = False
    """Whether 410 disables the endpoint: the `standard` dialect's rule; elsewhere 410 is a failure like any other."""

    @property
    def lease_ms(self) -> int:
        """How long a claim is good for."""
        return round(self.total_timeout * 1000) + LEASE_MARGIN_MS

    def succeeds(self, status: int) -> bool:
        """Return whether the far side's status counts as received."""
        if self.success == "2xx":
            return 200 <= status < 300  # noqa: PLR2004 -- the class of 2xx codes itself
        if self.success == "200":
            return status == 200  # noqa: PLR2004 -- Rewardful: "any response code other than a 200 is a failure"
        return status in self.success


def overridden(policy: Policy, overrides: dict[str, Any]) -> Policy:
    """Return the policy with an endpoint's own parts in place. `overrides` has been validated at the door.

    A part that is not known here was set by a newer version, beside which this one runs during an upgrade: it is left out.
    """
    known = {name: part for name, part in overrides.items() if name in Policy.__struct_fields__}
    values = {name: tuple(part) if isinstance(part, list) else part for name, part in known.items()}
    return structs.replace(policy, **values)


def wait_ms(schedule: Sequence[float], step: int, roll: float, retry_after_ms: int | None = None) -> int | None:
    """Return the ms to wait before retry number `step` (from 0), None if the schedule has no such step.

    `roll` in [0, 1) decides the jitter. Retry-After may lengthen the wait up to the schedule's longest, never shorten it.
    """
    if step >= len(schedule):
        return None
    wait = schedule[step] * 1000 * (1 - JITTER_MAX * roll)
    if retry_after_ms is not None:
        wait = max(wait, min(retry_after_ms, max(schedule) * 1000))
    return round(wait)


def retry_after_ms(value: str | None, now: int) -> int | None:
    """Return a Retry-After header as ms from `now`: seconds or an HTTP date (RFC 9110, 10.2.3); None for anything else."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(int(text.lstrip("0")[:_SECONDS_DIGITS_MAX] or "0"), SECONDS_MAX) * 1000
    try:
        asked = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # HTTP dates are GMT also where they do not say so (asctime); the machine's own zone must not decide.
    at = asked if asked.tzinfo else asked.replace(tzinfo=UTC)
    wait = (at - _EPOCH) // timedelta(milliseconds=1) - now
    return wait if wait > 0 else None
