"""The breaker and the way to auto-disable, as functions of time alone."""

import pytest
from msgspec import structs

from affwire.model.health import EndpointHealth
from affwire.rules import breaker

FRESH = EndpointHealth(endpoint_id="ep_1")
DAY = 86_400_000


def after(failures, *, now=0, retries=True, health=FRESH, roll=0.0):
    for _ in range(failures):
        health = breaker.failed(health, now, "HTTP 500", retries=retries, roll=roll)
    return health


def test_nine_failures_in_a_row_open_nothing_and_the_tenth_does():
    assert after(9).tripped_until is None
    tenth = after(10)
    assert (tenth.tripped_until, tenth.trips) == (breaker.PAUSE_MS, 1)
    assert breaker.is_open(tenth, breaker.PAUSE_MS - 1)
    assert not breaker.is_open(tenth, breaker.PAUSE_MS)


def test_a_dialect_without_retries_is_never_held_back():
    assert after(1000, retries=False).tripped_until is None


def test_pauses_grow_with_each_failed_probe_up_to_a_cap():
    health, pauses = after(10), []
    for _ in range(20):
        now = health.tripped_until
        health = after(1, now=now, health=health)
        pauses.append(health.tripped_until - now)
    assert pauses[:3] == [60_000, 120_000, 240_000]
    assert pauses == sorted(pauses)
    assert pauses[-1] == breaker.PAUSE_MS_MAX


def test_jitter_shortens_a_pause_by_up_to_a_half():
    assert after(10, roll=0.5).tripped_until == breaker.PAUSE_MS * 0.75
    assert after(10, roll=0.999).tripped_until == pytest.approx(breaker.PAUSE_MS * 0.5, rel=0.001)


def test_stragglers_while_it_is_open_do_not_lengthen_the_pause():
    opened = after(10)
    assert after(5, now=1, health=opened).tripped_until == opened.tripped_until


def test_a_success_forgives_everything_but_the_memory_of_the_last_failure():
    healed = breaker.succeeded(after(50), 7)
    assert healed == EndpointHealth(endpoint_id="ep_1", last_success_at=7, last_failure_at=0, last_error="HTTP 500")


@pytest.mark.parametrize(
    ("days", "percent"), [(2.4, None), (2.5, 50), (3.74, 50), (3.75, 75), (4.5, 90), (4.99, 90), (5, 90)]
)
def test_warnings_come_on_the_way(days, percent):
    assert breaker.warning(after(10), round(days * DAY)) == percent
    assert breaker.hopeless(after(10), round(days * DAY)) == (days >= 5)


def test_each_warning_is_said_once():
    warned = structs.replace(after(10), warned_percent=50)
    assert breaker.warning(warned, 3 * DAY) is None
    assert breaker.warning(warned, 4 * DAY) == 75


def test_a_few_failures_a_week_apart_disable_nobody():
    assert not breaker.hopeless(after(9), 30 * DAY)
    assert breaker.warning(after(9), 30 * DAY) is None


def test_a_clock_set_back_disables_nobody():
    assert not breaker.hopeless(after(10, now=10 * DAY), 0)
