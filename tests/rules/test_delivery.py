"""One outcome, one verdict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.model.wire import Outcome, Response
from affwire.rules.delivery import (
    UNHEARD_MS,
    UNHEARD_TRIES_MAX,
    Dead,
    Delivered,
    Gone,
    Retry,
    Unheard,
    Unknown,
    settle,
    unworded,
)
from affwire.rules.retry import Policy

NOW = 1_000_000
POLICY = Policy(retry_schedule=(10, 20, 100))


def verdict(outcome, policy=POLICY, steps=0, roll=0.0):
    return settle(outcome, policy, steps, now=NOW, roll=roll)


def answered(status, error=None, **headers):
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Outcome(Response(status, named), error)


@pytest.mark.parametrize("status", [200, 204, 299])
def test_success_is_delivered(status):
    assert verdict(answered(status)) == Delivered()


def test_success_is_what_the_policy_says_even_if_the_wire_thought_otherwise():
    assert verdict(answered(409, "status"), Policy(retry_schedule=(), success=(409,))) == Delivered()
    assert verdict(answered(201), Policy(retry_schedule=(1,), success="200")) == Retry(NOW + 1000)


@pytest.mark.parametrize("error", ["timeout_total", "protocol", "timeout_read"])
def test_a_success_that_came_too_late_or_broken_is_a_failure(error):
    assert verdict(answered(200, error)) == Retry(NOW + 10_000)


@pytest.mark.parametrize("status", [100, 301, 302, 400, 404, 410, 500])
def test_everything_else_is_retried_by_the_schedule(status):
    assert verdict(answered(status), steps=1) == Retry(NOW + 20_000)


@pytest.mark.parametrize("error", ["dns", "connect", "tls", "refused_by_guard", "timeout_connect"])
def test_what_never_got_an_answer_is_retried_too(error):
    assert verdict(Outcome(error=error), steps=2) == Retry(NOW + 100_000)


def test_when_the_schedule_is_used_up_it_is_dead_and_says_why():
    assert verdict(answered(404), steps=3) == Dead("gave up after 4 tries; the last: HTTP 404")
    assert verdict(Outcome(error="tls"), steps=3) == Dead("gave up after 4 tries; the last: tls")
    none = Policy(retry_schedule=())
    assert verdict(answered(503, Retry_After="5"), none) == Dead("failed, no retries: HTTP 503")


def test_410_is_the_end_of_the_endpoint_only_where_the_dialect_says_so():
    gone = Policy(retry_schedule=(), gone_disables=True)
    assert verdict(answered(410), gone) == Gone()
    assert verdict(answered(404), gone) == Dead("failed, no retries: HTTP 404")
    assert verdict(answered(410), Policy(retry_schedule=(), gone_disables=True, success=(410,))) == Delivered()


def test_what_has_no_words_ends_unless_it_is_a_newer_versions_event():
    assert unworded("affiliate.created", "why", attempts=1, now=NOW) == Dead("why")
    assert unworded("affiliate.promoted", "why", attempts=1, now=NOW) == Unheard(NOW + UNHEARD_MS)
    assert unworded("affiliate.promoted", "why", attempts=UNHEARD_TRIES_MAX, now=NOW) == Dead("why")


@pytest.mark.parametrize("schedule", [(), (1,)])
def test_what_our_own_end_cut_costs_nothing(schedule):
    assert verdict(Outcome(error="cut"), Policy(retry_schedule=schedule), steps=1) == Unknown()
    assert verdict(Outcome(Response(200), "cut"), Policy(retry_schedule=schedule)) == Unknown()


@pytest.mark.parametrize(
    ("status", "asked", "wait"),
    [
        (429, "50", 50_000),
        (503, "50", 50_000),
        (503, "5", 10_000),
        (503, "500", 100_000),
        (503, "99999999999", 100_000),
        (429, "Thu, 01 Jan 1970 00:17:30 GMT", 50_000),
        (429, "soon", 10_000),
        (429, "-5", 10_000),
        (500, "50", 10_000),
        (200, "50", None),
    ],
)
def test_retry_after_counts_on_429_and_503_alone(status, asked, wait):
    found = verdict(answered(status, Retry_After=asked))
    assert found == (Delivered() if wait is None else Retry(NOW + wait))


@given(st.integers(100, 599), st.integers(0, 5), st.floats(0, 1, exclude_max=True))
def test_no_verdict_lets_a_try_begin_before_its_time_or_beyond_the_schedule(status, steps, roll):
    found = verdict(answered(status), steps=steps, roll=roll)
    if isinstance(found, Retry):
        base = POLICY.retry_schedule[steps] * 1000
        assert NOW + base * 0.95 <= found.at <= NOW + base
    else:
        assert isinstance(found, Delivered) == (200 <= status < 300)
        assert isinstance(found, Delivered) or steps >= 3
