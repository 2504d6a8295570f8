"""Every case of the benchmark runs, with tiny numbers: it starts what it needs, counts what it must, and ends it."""

import json
import os
import subprocess
import sys

import pytest
from bench_path import BENCH

FIGURES = {
    "accept": {"changes: nothing sent meanwhile", "changes: everything sent meanwhile", "changes: at half load"},
    "latency": {f"latency at {rate} events/s" for rate in (50, 200, 500, 1000)},
    "idle": {"idle to first delivery"},
    "backlog": {"backlog"},
    "slow": {"receivers that take 50 ms"},
    "fanout": {"fan-out to 10", "fan-out to 50"},
    "dead": {"1 % of endpoints dead"},
    "isolation": {"10 % hang and 10 % fail"},
    "retries": {"20 % fail at first, 10 % slow"},
    "kill": {"killed under way"},
    "burst": {"beside another's burst"},
    "drain": {"drain"},
    "commit": {f"commit to receiver at {rate} events/s" for rate in (200, 500, 1000)},
    "pending": {"pending, 1,000", "pending"},
    "postgres": {"drain on PostgreSQL"},
    "workers": {"one worker", "two workers"},
    "inbox": {
        "inbox: nothing",
        "inbox: the door alone",
        "inbox: the door alone, at 200/s",
        "inbox: everything behind it",
        "inbox: everything behind it, at 200/s",
        "inbox: 10 % repeats",
        "inbox: beside forgeries",
    },
    "normalise": {"normaliser: relay", "normaliser: mirror"},
    "console": {"console: lists", "console: search"},
}
GROUPS = (
    ("accept", "idle"),
    ("latency", "drain", "commit"),
    ("backlog", "slow", "pending"),
    ("fanout", "dead", "burst"),
    ("isolation", "retries", "kill"),
    ("postgres", "workers"),
    ("inbox", "normalise"),
    ("console",),
)


def run(*arguments: str, seconds: int = 240) -> list[dict]:
    """Run the benchmark; return the lines of its stdout."""
    done = subprocess.run(
        [sys.executable, BENCH / "run.py", *arguments], capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_case_has_a_place_in_a_group_and_its_figures_are_known() -> None:
    listed = subprocess.run([sys.executable, BENCH / "run.py", "--list"], capture_output=True, text=True, check=True)
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert sorted(names) == sorted(FIGURES) == sorted(name for group in GROUPS for name in group)


def test_a_case_that_does_not_exist_is_a_mistake_in_the_call() -> None:
    done = subprocess.run([sys.executable, BENCH / "run.py", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no case 'nothing'" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("cases", GROUPS, ids="-".join)
def test_cases_run_and_lose_nothing(cases, tmp_path) -> None:
    head, *found = run("--size", "tiny", "--results", str(tmp_path), *cases)
    assert head["machine"]["cores"] == os.cpu_count()
    assert {line["figure"] for line in found} == set().union(*(FIGURES[name] for name in cases))
    assert {line.get("missing", 0) for line in found} == {0}
    assert {line.get("kept_twice", 0) for line in found} == {0}
    assert len(list(tmp_path.glob("*.jsonl"))) == len(list(tmp_path.glob("*.md"))) == 1
