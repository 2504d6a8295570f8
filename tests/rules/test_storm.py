"""Many fail at once, and come back spread out: the schedule's jitter, and the breaker's."""

import math
import random
from collections import Counter

import pytest

from affwire.model.health import EndpointHealth
from affwire.rules import breaker
from affwire.rules.retry import JITTER_MAX, wait_ms

MANY = 10_000
PEAK_MAX = 3
HOUR_MS = 3_600_000
LOOK_MS = 1_000
"""How often the engine looks for probes that are due."""


def peak_of_mean(moments):
    """Return the fullest second's count as a multiple of the mean from the first to the last."""
    bins = Counter(at // 1000 for at in moments)
    return max(bins.values()) / (len(moments) / (max(bins) - min(bins) + 1))


def kolmogorov_smirnov_p(sample):
    """Return how probable a sample's distance from the uniform distribution on [0, 1) is, by the asymptotic series."""
    ordered, size = sorted(sample), len(sample)
    distance = max(max((nth + 1) / size - value, value - nth / size) for nth, value in enumerate(ordered))
    root = math.sqrt(size) * distance
    return 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * root) ** 2) for k in range(1, 101))


@pytest.mark.parametrize("seed", range(5))
def test_jitter_is_spread_evenly(seed):
    rng = random.Random(seed)
    waits = [wait_ms([21_600], 0, rng.random()) for _ in range(MANY)]
    assert kolmogorov_smirnov_p([(1 - wait / 21_600_000) / JITTER_MAX for wait in waits]) > 0.01


def test_the_test_of_evenness_tells_what_is_not_even():
    rng = random.Random(1)
    assert kolmogorov_smirnov_p([rng.random() ** 1.1 for _ in range(MANY)]) < 0.01
    assert kolmogorov_smirnov_p([0.5] * MANY) < 0.01


@pytest.mark.parametrize("seconds", [5, 60, 300, 1800, 7200, 21_600])
def test_10_000_failures_of_one_moment_come_back_spread_out(seconds):
    rng = random.Random(seconds)
    moments = [wait_ms([seconds], 0, rng.random()) for _ in range(MANY)]
    assert peak_of_mean(moments) <= PEAK_MAX
    assert max(moments) - min(moments) >= 0.99 * seconds * 1000 * JITTER_MAX


def healed_at(rng, up_at):
    """Return when an endpoint that fails until `up_at` gets the first probe that it answers."""
    health, now = EndpointHealth(endpoint_id="ep_1"), 0
    for _ in range(breaker.FAILURES_MIN):
        health = breaker.failed(health, now, "HTTP 500", retries=True, roll=rng.random())
    while now < up_at:
        now = -(-health.tripped_until // LOOK_MS) * LOOK_MS
        health = breaker.failed(health, now, "HTTP 500", retries=True, roll=rng.random())
    return now


def test_after_an_hour_of_outage_10_000_endpoints_come_back_spread_out():
    rng = random.Random(48)
    moments = [healed_at(rng, HOUR_MS) for _ in range(MANY)]
    assert peak_of_mean(moments) <= PEAK_MAX
    assert max(moments) - HOUR_MS <= breaker.PAUSE_MS_MAX + LOOK_MS


def test_without_jitter_they_would_come_back_in_one_moment():
    class Never:
        def random(self):
            return 0.0

    assert len({healed_at(Never(), HOUR_MS) for _ in range(100)}) == 1
