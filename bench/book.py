"""Results: one JSON line a figure, on stdout and in a file; progress on stderr."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goals import judged

Figures = dict[str, Any]
OURS = "affwire"
"""Whom the goals are for: other systems never had them."""


class Book:
    """Writes what was measured, each line as soon as it is known."""

    def __init__(self, path: Path, head: Mapping[str, Any]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._began = time.monotonic()
        self._write(head)

    def figure(self, name: str, system: str, figures: Figures, limits: Mapping[str, Figures]) -> None:
        """Write a figure, beside its limits of the same minute and with the goals it reached or missed."""
        line: Figures = {"figure": name, "system": system, **figures}
        for prefix, limit in limits.items():
            line |= beside(figures, prefix, limit)
        line["goals"] = judged(name, line) if system.startswith(OURS) else []
        self._write(line)
        for one in line["goals"]:
            self.say(f"  {one['value']} {one['goal']}: {'met' if one['met'] else 'MISSED'}")

    def cannot(self, case: str, system: str, why: str) -> None:
        """Write that a system has no such figure."""
        self._write({"case": case, "system": system, "cannot": why})

    def say(self, text: str) -> None:
        """Tell whoever waits how far it is."""
        print(f"{time.monotonic() - self._began:6.0f} s  {text}", file=sys.stderr, flush=True)

    def _write(self, line: Mapping[str, Any]) -> None:
        text = json.dumps(_rounded(line))
        print(json.dumps({name: value for name, value in _rounded(line).items() if name != "throughout"}), flush=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")


def beside(figures: Figures, prefix: str, limit: Figures) -> Figures:
    """Return a limit's values under a prefix, and what part of it was reached."""
    found = {f"{prefix}_{name}": value for name, value in limit.items() if isinstance(value, int | float)}
    if "per_second" in figures and "per_second" in limit:
        found[f"speed_of_{prefix}"] = figures["per_second"] / limit["per_second"]
    if "cpu_s_per_1000" in figures and "cpu_s_per_1000" in limit:
        found[f"cpu_times_{prefix}"] = figures["cpu_s_per_1000"] / limit["cpu_s_per_1000"]
    return found


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Mapping):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value
