"""The figures to reach, on 2 cores: for each figure's name, which of its values must be at least or at most what."""

from collections.abc import Mapping
from typing import Any

AT_LEAST, AT_MOST = "at least", "at most"

GOALS: Mapping[str, tuple[tuple[str, str, float], ...]] = {
    "drain": (
        ("cpu_s_per_1000", AT_MOST, 0.08),
        ("per_second", AT_LEAST, 12_000),
        ("speed_of_bare", AT_LEAST, 0.4),
    ),
    "drain on PostgreSQL": (("cpu_s_per_1000", AT_MOST, 0.1),),
    "receivers that take 50 ms": (("per_second", AT_LEAST, 8_000),),
    "commit to receiver at 1000 events/s": (("p50_ms", AT_MOST, 3), ("p99_ms", AT_MOST, 15)),
    "idle to first delivery": (("p50_ms", AT_MOST, 20),),
    "changes: nothing sent meanwhile": (("per_second", AT_LEAST, 2_000),),
    "changes: at half load": (("p50_ratio", AT_MOST, 1.2),),
    "inbox: the door alone": (("per_second", AT_LEAST, 8_000),),
    "pending": (("cpu_ratio", AT_MOST, 1.15), ("resident_mib", AT_MOST, 120)),
    "pending, 5,000,000": (("cpu_ratio", AT_MOST, 1.3), ("resident_mib", AT_MOST, 120)),
    "fan-out to 1000": (("commit_p50_ms", AT_MOST, 60),),
    "two workers": (("speed_ratio", AT_LEAST, 1.9), ("cpu_ratio", AT_MOST, 1.1)),
    "1 % of endpoints dead": (("p99_ratio", AT_MOST, 1.5),),
    "10 % hang and 10 % fail": (("p99_ratio", AT_MOST, 1.5),),
    "beside another's burst": (("p95_ratio", AT_MOST, 2),),
    "console: lists": (("first_ms", AT_MOST, 30), ("kb", AT_MOST, 60)),
    "console: lists, 1,000,000": (("first_ms", AT_MOST, 30), ("kb", AT_MOST, 60)),
    "console: search": (("first_ms", AT_MOST, 100),),
    "console: search, 1,000,000": (("first_ms", AT_MOST, 100),),
    "killed under way": (("missing", AT_MOST, 0),),
}


def judged(figure: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a figure was to reach and whether it did; nothing for figures without a goal."""
    return [
        {"value": name, "goal": f"{bound} {limit:g}", "met": _met(values[name], bound, limit)}
        for name, bound, limit in GOALS.get(figure, ())
        if name in values
    ]


def _met(value: float, bound: str, limit: float) -> bool:
    return value >= limit if bound == AT_LEAST else value <= limit
