"""When the next try is due: never too early, never later than the promise allows."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.rules.retry import Policy, overridden, retry_after_ms, wait_ms

NOW = 1_772_000_000_000
ROLLS = st.floats(0, 1, exclude_max=True)
SCHEDULES = st.lists(st.floats(0, 1e6), min_size=1, max_size=8)


@pytest.fixture(params=["UTC", "Asia/Tokyo"])
def machine_zone(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@given(SCHEDULES, st.integers(0, 9), ROLLS)
def test_jitter_shortens_a_wait_by_at_most_5_percent_and_never_lengthens_it(schedule, step, roll):
    wait = wait_ms(schedule, step, roll)
    if step >= len(schedule):
        assert wait is None
    else:
        base = schedule[step] * 1000
        assert base * 0.95 - 0.5 <= wait <= base + 0.5


@given(SCHEDULES, ROLLS, st.integers(0, 10**13))
def test_retry_after_only_lengthens_a_wait_up_to_the_schedules_longest(schedule, roll, asked):
    plain, wait = wait_ms(schedule, 0, roll), wait_ms(schedule, 0, roll, asked)
    longest = max(schedule) * 1000
    assert plain <= wait <= longest + 0.5
    assert wait >= min(asked, longest) - 0.5


@given(ROLLS, st.one_of(st.none(), st.integers(0, 10**9)))
def test_an_empty_schedule_means_no_retries_whatever_is_asked(roll, asked):
    assert wait_ms([], 0, roll, asked) is None


def test_a_wait_of_zero_is_no_wait():
    assert wait_ms([0], 0, 0.5) == 0


@given(st.integers(0, 10**9 - 1))
def test_retry_after_in_seconds(seconds):
    assert retry_after_ms(str(seconds), NOW) == seconds * 1000
    assert retry_after_ms(f"  {seconds:012d} ", NOW) == seconds * 1000


@pytest.mark.parametrize("digits", ["9999999999", "9" * 30, "9" * 5000])
def test_a_huge_number_of_seconds_still_asks_for_the_longest_wait(digits):
    assert wait_ms([1, 60], 0, 0.0, retry_after_ms(digits, NOW)) == 60_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("Wed, 25 Feb 2026 06:14:20 GMT", 60_000),
        ("Wednesday, 25-Feb-26 06:14:20 GMT", 60_000),
        ("Wed Feb 25 06:14:20 2026", 60_000),
        ("Wed, 25 Feb 2026 06:14:20 -0000", 60_000),
        ("Wed, 25 Feb 2026 07:14:20 +0100", 60_000),
        ("Wed, 25 Feb 2026 06:13:20 GMT", None),
        ("Wed, 25 Feb 2026 06:13:19 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
    ],
)
def test_retry_after_as_a_date_means_the_same_wherever_we_run(text, ms, machine_zone):
    assert retry_after_ms(text, NOW) == ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "0x10",
        "٣",
        "²",
        "soon",
        "Wed, 99 Feb 2026 06:14:20 GMT",
        "1, 2",
        "\x00",
        "Wed, 25 Feb 99999 06:14:20 GMT",
        "Wed, 31 Dec 9999 23:59:59 -9999",
    ],
)
def test_garbage_asks_for_nothing(text):
    assert retry_after_ms(text, NOW) is None


def test_no_header_asks_for_nothing():
    assert retry_after_ms(None, NOW) is None


@given(
    st.one_of(
        st.text(max_size=60), st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,5} (Feb|Foo) [0-9]{1,6} [0-9:.]+ [-+A-Z0-9]*")
    )
)
def test_whatever_a_header_says_it_asks_for_a_wait_or_for_nothing(text):
    asked = retry_after_ms(text, NOW)
    assert asked is None or asked >= 0


@pytest.mark.parametrize(
    ("success", "good", "bad"),
    [
        ("2xx", (200, 201, 204, 299), (199, 300, 404, 500)),
        ("200", (200,), (201, 204, 199, 300)),
        ((200, 409), (200, 409), (201, 404)),
        ((), (), (200, 500)),
    ],
)
def test_what_counts_as_received(success, good, bad):
    policy = Policy(retry_schedule=(), success=success)
    assert all(map(policy.succeeds, good))
    assert not any(map(policy.succeeds, bad))


def test_an_endpoint_overrides_parts_of_its_dialects_promise():
    policy = Policy(retry_schedule=(1, 2), read_timeout=3, total_timeout=4)
    mixed = overridden(policy, {"retry_schedule": [], "success": [200, 202], "total_timeout": 2.5})
    assert mixed == Policy(retry_schedule=(), success=(200, 202), read_timeout=3, total_timeout=2.5)
    assert overridden(policy, {}) == policy
    assert overridden(policy, {"of_a_newer_version": 1}) == policy


def test_a_lease_outlives_the_longest_request_by_ten_seconds():
    assert Policy(retry_schedule=(), total_timeout=1.5).lease_ms == 11_500
