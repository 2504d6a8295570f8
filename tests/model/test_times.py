"""Times keep their milliseconds, in any zone, on either side of 1970."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.model import times

WINTER, SUMMER = 1_772_235_192_345, 1_784_000_000_999
ANY = st.integers(-30_000_000_000_000, 100_000_000_000_000)


@given(ANY)
def test_a_time_survives_its_text_to_the_millisecond(at):
    text = times.rfc3339(at)
    assert times.parse(text) == at
    assert text.endswith("Z")
    assert text[-5] == "."


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (WINTER, "2026-02-27T23:33:12.345Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_time_reads_as_rfc_3339_in_utc(at, text):
    assert times.rfc3339(at) == text


@pytest.mark.parametrize(
    ("at", "zone", "text"),
    [
        (WINTER, "America/New_York", "2026-02-27T18:33:12-05:00"),
        (SUMMER, "America/New_York", "2026-07-13T23:33:20-04:00"),
        (WINTER, "UTC", "2026-02-27T23:33:12+00:00"),
        (WINTER, "Asia/Kathmandu", "2026-02-28T05:18:12+05:45"),
        (-1, "UTC", "1969-12-31T23:59:59+00:00"),
        (1_793_509_199_999, "America/New_York", "2026-11-01T00:59:59-04:00"),
        (1_793_512_799_000, "America/New_York", "2026-11-01T01:59:59-04:00"),
        (1_793_512_800_000, "America/New_York", "2026-11-01T01:00:00-05:00"),
        (1_772_953_199_999, "America/New_York", "2026-03-08T01:59:59-05:00"),
        (1_772_953_200_000, "America/New_York", "2026-03-08T03:00:00-04:00"),
    ],
)
def test_local_seconds_carry_the_offset_of_that_very_moment(at, zone, text):
    assert times.local_seconds(at, zone) == text


@given(ANY, st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Monrovia"]))
def test_local_seconds_cut_the_milliseconds_off_and_nothing_else(at, zone):
    assert times.parse(times.local_seconds(at, zone)) == at // 1000 * 1000


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-02-27T18:33:12.345-05:00", WINTER),
        ("2026-02-27T23:33:12.345999Z", WINTER),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("2026-02-28 05:18:12.345+05:45", WINTER),
    ],
)
def test_an_offset_is_reckoned_in_and_parts_of_a_millisecond_are_cut_off(text, at):
    assert times.parse(text) == at


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-02-27", "2026-02-27T23:33:12", "2026-02-30T00:00:00Z", "2026-02-27T25:00:00Z", "1772235192"],
)
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        times.parse(text)
