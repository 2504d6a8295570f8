"""How much an endpoint may take: its cap, its rate, and less while it does not answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.engine.pacing import CROWD_MS, Pacing
from affwire.model.endpoints import Endpoint
from affwire.model.wire import Outcome, Response
from affwire.rules.retry import Policy

NOW = 1_000_000
OK = Outcome(Response(200))


def endpoint(name="ep_1", owner="org_1"):
    return Endpoint(id=name, organization_id=owner, number=1, url="u", dialect="standard", created_at=0, updated_at=0)


def policy(**fields):
    return Policy(retry_schedule=(), **{"max_in_flight": 10, **fields})


def room(pacing, rules, under_way=0, now=NOW, name="ep_1"):
    return pacing.room(endpoint(name), rules, under_way, now)


@pytest.mark.parametrize(("under_way", "left"), [(0, 10), (9, 1), (10, 0), (11, 0), (500, 0)])
def test_room_is_what_the_cap_leaves_and_never_less_than_nothing(under_way, left):
    assert room(Pacing(), policy(), under_way) == left


@pytest.mark.parametrize("error", ["timeout_connect", "timeout_read", "timeout_total", "dns"])
def test_every_time_out_halves_the_window_down_to_one_place(error):
    pacing = Pacing()
    windows = []
    for _ in range(5):
        pacing.answered("ep_1", policy(), Outcome(error=error))
        windows.append(room(pacing, policy()))
    assert windows == [5, 2, 1, 1, 1]
    assert room(pacing, policy(), name="ep_2") == 10


@pytest.mark.parametrize(
    "outcome", [OK, Outcome(Response(500), "status"), Outcome(error="connect"), Outcome(error="tls")]
)
def test_every_other_end_doubles_it_up_to_the_cap(outcome):
    pacing = Pacing()
    for _ in range(9):
        pacing.answered("ep_1", policy(), Outcome(error="timeout_total"))
    windows = []
    for _ in range(5):
        pacing.answered("ep_1", policy(), outcome)
        windows.append(room(pacing, policy()))
    assert windows == [2, 4, 8, 10, 10]


def test_a_window_follows_a_cap_that_was_lowered_or_raised():
    pacing = Pacing()
    pacing.answered("ep_1", policy(), Outcome(error="timeout_total"))
    assert room(pacing, policy(max_in_flight=3)) == 3
    assert room(pacing, policy(max_in_flight=100)) == 5
    assert room(Pacing(), policy(max_in_flight=1)) == 1


def test_without_a_rate_nothing_is_counted():
    pacing = Pacing()
    for _ in range(50):
        pacing.took(endpoint(), policy(), NOW)
    assert room(pacing, policy()) == 10
    assert pacing.next_at(NOW) is None


def test_a_rate_gives_one_place_at_a_time_and_says_when_the_next_is_there():
    rules, pacing = policy(rate_per_second=2), Pacing()
    assert room(pacing, rules) == 1
    pacing.took(endpoint(), rules, NOW)
    assert room(pacing, rules) == 0
    at = pacing.next_at(NOW)
    assert NOW + 500 <= at <= NOW + 502
    assert room(pacing, rules, now=at - 3) == 0
    assert room(pacing, rules, now=at) == 1
    assert pacing.next_at(at) is None


def test_after_a_pause_a_rate_catches_up_a_tenth_of_a_second_at_most():
    rules, pacing = policy(rate_per_second=50), Pacing()
    assert room(pacing, rules) == 5
    for _ in range(5):
        pacing.took(endpoint(), rules, NOW)
    assert room(pacing, rules) == 0
    assert room(pacing, rules, now=NOW + 3_600_000) == 5


def test_a_rate_does_not_lift_the_cap():
    assert room(Pacing(), policy(rate_per_second=1000), under_way=9) == 1
    assert room(Pacing(), policy(rate_per_second=1000), under_way=10) == 0


def test_a_clock_that_is_set_back_neither_bursts_nor_stalls_for_long():
    rules, pacing = policy(rate_per_second=10), Pacing()
    room(pacing, rules)
    pacing.took(endpoint(), rules, NOW)
    assert room(pacing, rules, now=NOW - 3_600_000) == 0
    assert room(pacing, rules, now=NOW - 3_600_000 + 101) == 1


def test_the_earliest_of_several_endpoints_is_next():
    pacing = Pacing()
    for name, rate in (("ep_1", 1), ("ep_2", 4)):
        room(pacing, policy(rate_per_second=rate), name=name)
        pacing.took(endpoint(name), policy(rate_per_second=rate), NOW)
    assert NOW + 250 <= pacing.next_at(NOW) <= NOW + 252


@given(st.floats(0.1, 200), st.lists(st.integers(0, 400), min_size=1, max_size=60))
def test_over_any_stretch_of_time_a_rate_is_kept(rate, pauses):
    rules, pacing, now, taken = policy(rate_per_second=rate, max_in_flight=10**6), Pacing(), NOW, []
    for pause in pauses:
        now += pause
        for _ in range(room(pacing, rules, now=now)):
            pacing.took(endpoint(), rules, now)
            taken.append(now)
    burst = max(1.0, rate * 0.1)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + (taken[last] - taken[first]) / 1000 * rate + 1e-6


def test_one_organization_is_no_crowd_however_much_it_sends():
    pacing = Pacing()
    for nth in range(100):
        pacing.took(endpoint(f"ep_{nth}"), policy(), NOW + nth)
    assert not pacing.crowded(NOW + 100)


def test_two_organizations_are_a_crowd_until_one_has_had_nothing_for_a_while():
    pacing = Pacing()
    for nth, owner in enumerate(("org_1", "org_2", "org_2", "org_2")):
        pacing.took(endpoint(owner=owner), policy(), NOW + nth)
    assert pacing.crowded(NOW + 10)
    assert pacing.crowded(NOW + 1 + CROWD_MS)
    assert not pacing.crowded(NOW + 2 + CROWD_MS)
    pacing.took(endpoint(owner="org_1"), policy(), NOW + 10 * CROWD_MS)
    assert pacing.crowded(NOW + 10 * CROWD_MS)
