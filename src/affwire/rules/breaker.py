"""The breaker and the way to auto-disable: what becomes of an endpoint's health with each answer.

The breaker only ever delays: after many failures in a row one delivery at a time goes out, with growing pauses.
"""

from typing import Final

from msgspec import structs

from affwire.model.health import EndpointHealth

FAILURES_MIN: Final = 10
"""Failures in a row before anything is done about them: fewer may be one bad minute (contracts A3)."""
PAUSE_MS: Final = 30_000
PAUSE_MS_MAX: Final = 900_000
"""A probe comes at least every quarter of an hour: whoever heals waits no longer than that."""
JITTER_MAX: Final = 0.5
"""A pause is shorter by up to a half, so that endpoints which failed in one outage are not probed in one moment."""
DISABLE_AFTER_MS: Final = 5 * 86_400_000
"""Failures without a success for so long disable an endpoint: the five days that other senders give."""
WARNINGS: Final = (50, 75, 90)
"""Percent of the way to there at which the owner is warned."""
WARNED: Final = 1
"""What is left of the warnings when an owner enables an endpoint anew: that there was one."""


def succeeded(health: EndpointHealth, now: int) -> EndpointHealth:
    """Return the health after a success: everything is forgiven."""
    return EndpointHealth(
        endpoint_id=health.endpoint_id,
        last_success_at=now,
        last_failure_at=health.last_failure_at,
        last_error=health.last_error,
    )


def failed(health: EndpointHealth, now: int, why: str, *, retries: bool, roll: float) -> EndpointHealth:
    """Return the health after a failure. `retries` False (a dialect without any): the breaker never opens.

    `roll` in [0, 1) decides the jitter of its pause.
    """
    failures = health.failures_in_row + 1
    after = structs.replace(
        health,
        failures_in_row=failures,
        failing_since=now if health.failing_since is None else health.failing_since,
        last_failure_at=now,
        last_error=why,
    )
    half_open = health.tripped_until is None or health.tripped_until <= now
    return _tripped(after, now, roll) if retries and failures >= FAILURES_MIN and half_open else after


def is_open(health: EndpointHealth, now: int) -> bool:
    """Return whether nothing may go to the endpoint just now."""
    return health.tripped_until is not None and health.tripped_until > now


def warning(health: EndpointHealth, now: int) -> int | None:
    """Return the percent of the way to auto-disable that is passed now and was not warned of, None if there is none."""
    passed = [percent for percent in WARNINGS if _failing_ms(health, now) * 100 >= DISABLE_AFTER_MS * percent]
    return passed[-1] if passed and passed[-1] > health.warned_percent else None


def hopeless(health: EndpointHealth, now: int) -> bool:
    """Return whether the endpoint has failed long enough to be disabled."""
    return _failing_ms(health, now) >= DISABLE_AFTER_MS


def _tripped(health: EndpointHealth, now: int, roll: float) -> EndpointHealth:
    pause = min(PAUSE_MS << min(health.trips, 10), PAUSE_MS_MAX) * (1 - JITTER_MAX * roll)
    return structs.replace(health, trips=health.trips + 1, tripped_until=now + round(pause))


def _failing_ms(health: EndpointHealth, now: int) -> int:
    if health.failing_since is None or health.failures_in_row < FAILURES_MIN:
        return 0
    return now - health.failing_since
