"""Readings: rates and percentiles between two scrapes, of several processes, and across a restart."""

import pytest

from affwire.cli.readings import between, percentile, read, sparkline

NONE = {"attempt": {}, "arrival": {}, "lag": {}, "durable": {}}


def scrape(ok=0, failed=0, events=0, in_flight=0, buckets=()):
    lines = [
        "# TYPE affwire_attempts counter",
        f'affwire_attempts_total{{dialect="growi",outcome="ok",error=""}} {ok}',
        f'affwire_attempts_total{{dialect="tamio",outcome="failed",error="dns"}} {failed}',
        "# TYPE affwire_events counter",
        f"affwire_events_total {events}",
        "# TYPE affwire_in_flight gauge",
        f"affwire_in_flight {in_flight}",
        "# TYPE affwire_attempt_seconds histogram",
        *(f'affwire_attempt_seconds_bucket{{dialect="growi",le="{le}"}} {count}' for le, count in buckets),
    ]
    return "\n".join(lines) + "\n"


def test_what_is_no_metrics_text_of_affwire_is_refused():
    for text in ("", "hello\n", "# TYPE up gauge\nup 1\n"):
        with pytest.raises(ValueError, match=r"."):
            read([text], 0)


def test_counters_of_processes_are_added_and_the_log_is_counted_once():
    before = read([scrape(ok=10, events=100), scrape(ok=1, events=100)], 5.0)
    after = read([scrape(ok=30, failed=4, events=120, in_flight=2), scrape(ok=1, events=118, in_flight=3)], 7.0)
    found = between(before, after)
    assert (found["attempts_per_second"], found["delivered_per_second"], found["failed_per_second"]) == (12, 10, 2)
    assert (found["events_per_second"], found["in_flight"], found["seconds"]) == (10, 5, 2)


def test_a_counter_that_began_anew_is_not_counted_backwards():
    assert between(read([scrape(ok=1_000)], 0), read([scrape(ok=4)], 2))["attempts_per_second"] == 2


def test_a_percentile_is_of_the_interval_alone_and_none_without_an_observation():
    before = read([scrape(buckets=(("0.1", 90), ("1.0", 90), ("+Inf", 90)))], 0)
    after = read([scrape(buckets=(("0.1", 90), ("1.0", 100), ("+Inf", 100)))], 1)
    assert between(before, after)["attempt_p95_ms"] == pytest.approx(955)
    assert between(after, after)["attempt_p95_ms"] is None


@pytest.mark.parametrize(
    ("buckets", "value"),
    [
        ({}, None),
        ({1.0: 0, float("inf"): 0}, None),
        ({1.0: 100, float("inf"): 100}, 0.95),
        ({1.0: 0, 2.0: 100, float("inf"): 100}, 1.95),
        ({1.0: 10, float("inf"): 100}, 1.0),
    ],
)
def test_a_percentile_lies_within_its_bucket_and_never_beyond_the_last_bound(buckets, value):
    assert percentile(0.95, buckets) == (None if value is None else pytest.approx(value))


def test_a_sparkline_shows_the_last_values_against_the_greatest():
    assert sparkline([0, 1, 2, 4], 3) == "▂▄█"
    assert sparkline([0, 0], 9) == "  "
    assert sparkline([], 9) == ""
