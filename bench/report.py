"""A report from result files: what was measured, by system, beside limits and goals, with plots.

    python bench/report.py bench/results/A.jsonl [bench/results/B.jsonl ...]

writes Markdown and its SVG files beside the first file. The last figure of a name counts, for each system.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import plots
from plots import number

Line = dict[str, Any]
FIRST = ("per_second", "cpu_s_per_1000", "p50_ms", "p95_ms", "p99_ms", "resident_mib", "missing", "duplicates")
"""Values that stand first in every table."""
SHORT = {
    "per_second": "{} a second",
    "cpu_s_per_1000": "{} CPU-s per 1,000",
    "cpu_times_bare": "{} times the bare client's CPU",
    "cpu_times_nothing": "{} times *nothing*'s CPU",
    "p50_ms": "p50 {} ms",
    "p95_ms": "p95 {} ms",
    "p99_ms": "p99 {} ms",
    "commit_p50_ms": "commit p50 {} ms",
    "last_arrival_ms": "the last after {} ms",
    "p95_ratio": "p95 {} times alone",
    "p99_ratio": "p99 {} times alone",
    "speed_ratio": "{} times one's speed",
    "cpu_ratio": "{} times its CPU",
    "resident_mib": "{} MiB",
    "limit_alone": "{} a second alone",
    "limit_beside": "{} a second beside it",
    "first_ms": "the slowest page {} ms",
    "missing": "{} missing",
    "duplicates": "{} twice",
}
"""What the documents say of a figure, and in which words."""
KEYS = frozenset({"figure", "system", "goals", "throughout"})
LIMITS = frozenset({"inbox: nothing"})
"""Figures that only bound others: not drawn."""
PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")


def reported(paths: Sequence[Path]) -> Path:
    """Write the report of result files; return its path."""
    found = [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]
    target = paths[0].with_suffix(".md")
    pictures = dict(drawn(found))
    for name, svg in pictures.items():
        target.with_name(f"{target.stem}-{name}.svg").write_text(svg, "utf-8")
    shown = [f"![{name}]({target.stem}-{name}.svg)\n" for name in pictures]
    pieces = ["# Benchmark\n", *heads(found), *goals(found), *short(found), *shown, *tables(found), *missing(found)]
    target.write_text("\n".join(pieces), "utf-8")
    return target


def heads(found: Sequence[Line]) -> Iterator[str]:
    """Yield the machines and the systems' settings, each once."""
    machines = [line["machine"] for line in found if "machine" in line]
    notes = {name: note for line in found for name, note in line.get("systems", {}).items()}
    for machine in machines:
        yield "- " + ", ".join(f"{name} {value}" for name, value in machine.items() if value)
    yield from (f"- **{name}**: {note}" for name, note in notes.items())
    yield "\nReceiver and senders are further processes of the same machine; their CPU is not counted. Limits are of the"
    yield "same minute: *bare* is affwire's sending client alone, *nothing* the same HTTP server answering 200 at once,"
    yield "*straight* the same senders straight at the receiver.\n"


def goals(found: Sequence[Line]) -> Iterator[str]:
    """Yield the table of what was to be reached."""
    rows = [
        (system, name, one["value"], one["goal"], number(line[one["value"]]), "met" if one["met"] else "**missed**")
        for (name, system), line in latest(found).items()
        for one in line["goals"]
    ]
    if rows:
        yield "## Goals\n"
        yield table(("system", "figure", "value", "goal", "measured", ""), rows)


def short(found: Sequence[Line]) -> Iterator[str]:
    """Yield a table with a row a figure of affwire's own: docs/benchmarks.md takes its rows as they are."""
    rows = [
        (name, ", ".join(words.format(number(line[key])) for key, words in SHORT.items() if key in line))
        for (name, system), line in latest(found).items()
        if system == "affwire"
    ]
    if rows:
        yield "## In short\n"
        yield table(("figure", "measured"), rows)


def tables(found: Sequence[Line]) -> Iterator[str]:
    """Yield a table a figure: a row a value, a column a system."""
    figures = latest(found)
    for name in dict.fromkeys(name for name, _ in figures):
        systems = [system for one, system in figures if one == name]
        lines = [figures[name, system] for system in systems]
        keys = sorted({key: None for line in lines for key in line if key not in KEYS}, key=_place)
        yield f"### {name}\n"
        yield table(("", *systems), [(key, *(_cell(line.get(key)) for line in lines)) for key in keys])


def missing(found: Sequence[Line]) -> Iterator[str]:
    """Yield what was not measured, and why."""
    rows = [(line["system"], line["case"], line["cannot"]) for line in found if "cannot" in line]
    if rows:
        yield "## Not measured\n"
        yield table(("system", "case", "why"), rows)


def drawn(found: Sequence[Line]) -> Iterator[tuple[str, str]]:
    """Yield names and SVG texts of the plots that the figures are enough for."""
    figures = latest(found)
    choices = (("speed", "per_second", "a second"), ("cpu", "cpu_s_per_1000", "CPU-s per 1,000"))
    for name, key, unit in choices:
        values = _grouped(figures, key)
        if values:
            yield name, plots.bars({"speed": "Speed", "cpu": "Cost"}[name], unit, values)
    for key in PERCENTILES:
        steps = _by_rate(figures, key)
        if steps:
            name = key.removesuffix("_ms")
            yield f"latency-{name}", plots.lines(f"Latency, {name}", "events a second", "ms", steps)
    for figure, system in figures:
        line = figures[figure, system]
        if len(line.get("throughout", ())) > 2 and figure == "backlog":
            points = [(one["s"], one.get("system_mib", 0.0)) for one in line["throughout"]]
            yield (
                f"memory-{system}",
                plots.lines(f"Memory while a backlog drains, {system}", "s", "MiB", {system: points}),
            )


def latest(found: Sequence[Line]) -> dict[tuple[str, str], Line]:
    return {(line["figure"], line["system"]): line for line in found if "figure" in line}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _grouped(figures: dict[tuple[str, str], Line], key: str) -> dict[str, dict[str, float]]:
    values: dict[str, dict[str, float]] = {}
    for (name, system), line in figures.items():
        if key in line and name not in LIMITS:
            values.setdefault(name, {})[system] = line[key]
    return values


def _by_rate(figures: dict[tuple[str, str], Line], key: str) -> dict[str, list[tuple[float, float]]]:
    steps: dict[str, list[tuple[float, float]]] = {}
    for (name, system), line in figures.items():
        if name.startswith("latency at") and key in line:
            steps.setdefault(system, []).append((line["rate"], line[key]))
    return {system: sorted(points) for system, points in steps.items() if len(points) > 1}


def _place(key: str) -> tuple[int, int]:
    return (FIRST.index(key) if key in FIRST else len(FIRST), "_of_" in key or "_times_" in key)


def _cell(value: Any) -> str:
    return number(value) if isinstance(value, int | float) else "" if value is None else str(value)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    print(reported([Path(name) for name in sys.argv[1:]]))
