"""Phases of a request: what was waited for is told as waiting, whether or not anything came of it."""

import pytest

from affwire.console import charts
from affwire.model.wire import Timings


def told(timings, error=None):
    return {title: ms for _, title, ms in charts.phases(timings, error) if ms is not None}


def test_a_server_that_never_answers_is_told_as_waiting_for_the_first_byte():
    timings = Timings(dns_ms=1, connect_ms=2, tls_ms=3, total_ms=2006)
    assert told(timings, "timeout_read")["Waiting for the first byte"] == 2000
    assert "Sending, reading the answer" not in told(timings, "timeout_read")
    assert "Waiting for the first byte: 2\u202fs" in charts.phase_bar(timings, "timeout_read")


def test_after_the_first_byte_the_rest_is_reading():
    timings = Timings(dns_ms=1, connect_ms=2, tls_ms=3, first_byte_ms=4, total_ms=20)
    assert told(timings)["Sending, reading the answer"] == 10


@pytest.mark.parametrize("error", ["dns", "connect", "tls", "timeout_connect"])
def test_what_was_never_sent_waited_for_no_byte(error):
    assert told(Timings(total_ms=80), error) == {"Trying to connect": 80}


def test_a_line_of_nothing_is_a_line():
    assert "polyline" in charts.sparkline([], title="none")


def test_a_share_of_less_than_all_lies_lower_than_one_of_all():
    def heights(share):
        drawn = charts.sparkline([share, share], title="x").partition('points="')[2].partition('"')[0]
        return {float(point.partition(",")[2]) for point in drawn.split()}

    assert heights(1.0) == {1.0}
    assert heights(0.0) == {19.0}
    assert heights(1.0) < heights(0.83) | {1.0}
    assert min(heights(0.83)) > 3
