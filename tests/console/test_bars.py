"""A chart of attempts: axes that can be read, bars that are told apart without their colour, and the same in numbers."""

import pytest

from affwire.console import bars
from affwire.console.words import Words
from affwire.model.times import parse

NOW = parse("2026-11-20T12:00:00.000Z")
HOUR = 3_600_000
SAY = Words(NOW)


def drawn(series, title="Attempts", span_ms=24 * HOUR):
    return bars.bars(series, title=title, since=NOW - span_ms, span_ms=span_ms, words=SAY)


def test_words_are_escaped_and_what_there_is_is_drawn():
    chart = drawn({"ok": [0, 2], "failed": [1, 0], "unknown": [0, 0]}, title="<b>")
    assert chart.picture.count('class="bar ') == 2
    assert "<title>&lt;b&gt;</title><desc>2 succeeded, 1 failed</desc>" in chart.picture
    assert 'class="bar ' not in drawn({"ok": [0], "failed": [0], "unknown": [0]}).picture


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 1), (1, 1), (3, 4), (7, 8), (9, 10), (11, 20), (332, 400), (1001, 2000)]
)
def test_the_axis_ends_at_a_round_number_whose_half_is_whole(highest, top):
    chart = drawn({"ok": [highest]})
    assert chart.counts == ((top, top // 2, 0) if top > 1 else (1, 0))
    assert top == 1 or top % 2 == 0


def test_each_quarter_says_when_it_begins():
    assert drawn({"ok": [0] * 48}).begins == ("12:00", "18:00", "00:00", "06:00")
    assert drawn({"ok": [0] * 84}, span_ms=8 * 24 * HOUR).begins == ("12 Nov", "14 Nov", "16 Nov", "18 Nov")


def test_one_failure_among_thousands_is_seen_and_nothing_is_above_the_picture():
    heights = bars.heights([4000, 1, 1], 4000)
    assert heights[1:] == [bars.LEAST, bars.LEAST]
    assert sum(heights) == pytest.approx(bars.HEIGHT)


def test_failures_are_striped_and_the_numbers_are_there_to_be_read():
    chart = drawn({"ok": [5, 0, 0], "failed": [1, 0, 2], "unknown": [0, 0, 0]}, span_ms=3 * HOUR)
    assert chart.picture.count("url(#stripes)") == 2
    assert chart.numbers == [
        (NOW - HOUR, {"ok": 0, "failed": 2, "unknown": 0}),
        (NOW - 3 * HOUR, {"ok": 5, "failed": 1, "unknown": 0}),
    ]
    assert chart.totals == {"ok": 5, "failed": 3, "unknown": 0}
    assert chart.piece_ms == HOUR
