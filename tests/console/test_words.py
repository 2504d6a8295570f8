"""How values are said."""

import pytest
from markupsafe import escape

from affwire.console.exports import harmless
from affwire.console.words import Words, apart
from affwire.model.times import parse

NOW = parse("2026-11-20T12:00:00.000Z")
SAY = Words(NOW, "Europe/Berlin")


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (None, "–"),
        (0, "0 ms"),
        (850, "850 ms"),
        (1_500, "1.5 s"),
        (61_000, "1 min 1 s"),
        (3_600_000, "1 h"),
        (90_061_000, "1 day 1 h"),
        (259_200_000, "3 days"),
        (0.4, "0.4 ms"),
        (5_000, "5 s"),
        (999.6, "1 s"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(ms, said):
    assert SAY.span(ms).replace("\u202f", " ") == said


def test_a_time_is_said_in_the_organizations_zone_and_known_in_utc():
    full = 'datetime="2026-11-20T12:00:00.000Z" title="2026-11-20 13:00:00.000+01:00"'
    assert SAY.time(NOW) == f"<time {full}>13:00:00</time>"
    assert ">19 Nov 13:00<" in SAY.time(NOW - 86_400_000)
    assert ">20 Nov 2025<" in SAY.time(NOW - 365 * 86_400_000)
    assert SAY.time(None) == "–"


def test_ago_looks_both_ways():
    assert ">5\u202fmin ago<" in SAY.ago(NOW - 300_000)
    assert ">in 5\u202fmin<" in SAY.ago(NOW + 300_000)


def test_an_id_that_is_none_is_shown_inert():
    assert SAY.id("<b>") == '<code class="id" title="&lt;b&gt;">&lt;b&gt;</code>'


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@A", "\t=1", "\r=1"])
def test_a_cell_that_would_be_a_formula_is_a_text(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["1=1", "", -1, None, "a"])
def test_any_other_cell_stays_as_it_is(cell):
    assert harmless(cell) == cell


@pytest.mark.parametrize("name", ["\u202edesrever", "שלום", "مرحبا 7", "\u2067x"])
def test_a_name_that_runs_from_right_to_left_is_kept_apart_in_a_sentence(name):
    assert f"Delete {apart(name)}?" == f"Delete \u2068{name}\u2069?"


@pytest.mark.parametrize("name", ["", "Noor", "Žofie 7 <b>", "李雷"])
def test_any_other_name_stands_as_it_is(name):
    assert apart(name) == name


@pytest.mark.parametrize("name", ["Noor", "<b>&", "a" * 28])
def test_a_short_name_stands_in_a_list_as_it_is(name):
    assert SAY.brief(name) == escape(name)


@pytest.mark.parametrize("name", ["a" * 29, "x" * 255, "<b title='\">&" * 20, "\U0001f600" * 255])
def test_a_long_name_ends_in_an_ellipsis_and_takes_little_of_a_page(name):
    said = SAY.brief(name)
    assert said.endswith("\u2026</bdi>")
    assert len(said.encode()) < 150


def test_the_whole_of_a_cut_name_is_its_title():
    name = "A receiver of the warehouse in Lund"
    assert SAY.brief(name) == f'<bdi title="{name}">A receiver of the warehouse \u2026</bdi>'


def test_a_time_in_a_list_is_known_with_its_offset():
    assert SAY.at(NOW) == '<time datetime="2026-11-20T13:00:00.000+01:00">13:00:00</time>'
