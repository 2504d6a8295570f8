"""The benchmark's report: goals, tables by system, plots that are well-formed."""

import json
import xml.etree.ElementTree as ET

import pytest
from bench_path import Watch, bars, beside, judged, lines, number, reported, watching

HEAD = {"machine": {"cpu": "one", "cores": 2}, "size": "tiny", "systems": {"affwire": "its settings"}}


def figure(name: str, system: str = "affwire", **values) -> dict:
    return {"figure": name, "system": system, "goals": judged(name, values), **values}


def written(folder, *found) -> str:
    path = folder / "results.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in (HEAD, *found)), "utf-8")
    return reported([path]).read_text("utf-8")


def test_a_goal_is_met_at_its_limit_and_missed_beyond_it() -> None:
    assert [one["met"] for one in judged("idle to first delivery", {"p50_ms": 20})] == [True]
    assert [one["met"] for one in judged("idle to first delivery", {"p50_ms": 20.1})] == [False]
    assert judged("no such figure", {"p50_ms": 1}) == []


def test_a_limit_stands_beside_a_figure_with_the_part_of_it_that_was_reached() -> None:
    found = beside({"per_second": 50.0}, "bare", {"per_second": 200.0, "cpu_s_per_1000": 0.03})
    assert found == {"bare_per_second": 200.0, "bare_cpu_s_per_1000": 0.03, "speed_of_bare": 0.25}


def test_a_report_compares_systems_column_by_column(tmp_path) -> None:
    text = written(tmp_path, figure("backlog", per_second=9_000.0), figure("backlog", "celery", per_second=700.0))
    assert "|  | affwire | celery |" in text
    assert "| per_second | 9,000 | 700 |" in text


def test_a_report_names_missed_goals_and_what_was_not_measured(tmp_path) -> None:
    cannot = {"case": "pending", "system": "celery", "cannot": "it looks into affwire itself"}
    text = written(tmp_path, figure("idle to first delivery", p50_ms=25.0), cannot)
    assert "| affwire | idle to first delivery | p50_ms | at most 20 | 25 | **missed** |" in text
    assert "| celery | pending | it looks into affwire itself |" in text


def test_a_report_has_a_row_for_the_documents_of_every_figure_of_affwires_own(tmp_path) -> None:
    backlog = figure("backlog", per_second=9_000.0, cpu_s_per_1000=0.12, rate=5)
    text = written(tmp_path, backlog, figure("backlog", "celery", per_second=700.0), figure("idle", p50_ms=5.04))
    assert "| backlog | 9,000 a second, 0.12 CPU-s per 1,000 |\n| idle | p50 5.04 ms |\n" in text


def test_the_last_figure_of_a_name_counts(tmp_path) -> None:
    text = written(tmp_path, figure("backlog", per_second=1.0), figure("backlog", per_second=2.0))
    assert "| per_second | 2 |" in text


def test_every_plot_of_a_report_is_written_beside_it(tmp_path) -> None:
    steps = [figure(f"latency at {rate} events/s", rate=rate, p50_ms=rate / 100) for rate in (50, 200)]
    text = written(tmp_path, figure("backlog", per_second=9.0), *steps)
    pictures = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert pictures == ["results-latency-p50.svg", "results-speed.svg"]
    assert all(name in text for name in pictures)


@pytest.mark.parametrize(
    "svg",
    [bars("A <title>", "a & b", {"one": {"x": 1.0, "y": 3.0}}), lines("L", "s", "MiB", {"x": [(0, 1), (2, 3.5)]})],
)
def test_a_plot_is_well_formed_and_loads_nothing(svg) -> None:
    root = ET.fromstring(svg)  # noqa: S314 -- our own text
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "href" not in svg
    assert "script" not in svg


def test_empty_values_still_make_a_plot() -> None:
    assert ET.fromstring(bars("none", "", {})) is not None  # noqa: S314
    assert ET.fromstring(lines("none", "", "", {})) is not None  # noqa: S314


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (12_345, "12,300"), (0.0789, "0.0789"), (4.0, "4"), (1.234, "1.23"), (99.96, "100")]
)
def test_numbers_have_three_significant_digits(value, text) -> None:
    assert number(value) == text


def test_a_watch_counts_the_cpu_of_a_process_and_not_what_it_used_before() -> None:
    import os

    with watching(lambda: {"system": [os.getpid()]}) as watch:
        sum(number * number for number in range(200_000))
    assert isinstance(watch, Watch)
    figures = watch.figures(1_000)
    assert 0 < figures["cpu_s_per_1000"] < 5
    assert figures["resident_mib"] > 10
