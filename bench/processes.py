"""CPU and memory of other processes, read from Linux without asking them. Children count with their parents.

Resident memory of several processes is added up, shared pages and all: read it for one process, or as an upper bound.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Pids = Mapping[str, Sequence[int]]
PERIOD_S = 0.25
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_s(pid: int) -> float:
    """Return the CPU-seconds of a process, all its threads, to the nanosecond (clock_getcpuclockid of Linux)."""
    return time.clock_gettime((~pid << 3) | 2)


def resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE_MIB


def with_children(roots: Sequence[int]) -> list[int]:
    """Return processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)):
            children.setdefault(parent, []).append(int(entry.name))
    found = list(roots)
    for pid in found:  # which grows meanwhile
        found += children.get(pid, [])
    return found


def _parent(entry: Path) -> int | None:
    try:
        return int(entry.joinpath("stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None  # it has ended


@dataclass
class Watch:
    """What processes use while it looks, by group: CPU-seconds since it began, and MiB at most."""

    pids: Callable[[], Pids]
    cpu: dict[str, float] = field(default_factory=dict)
    mib: dict[str, float] = field(default_factory=dict)
    throughout: list[dict[str, Any]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _last: dict[int, float] = field(default_factory=dict)

    def look(self) -> None:
        """Take a sample. What a process used before the first look at it is counted only if it began after the watch."""
        now: dict[str, Any] = {"s": round(time.monotonic() - self.began, 2)}
        for group, roots in self.pids().items():
            resident = 0.0
            for pid in with_children(roots):
                try:
                    used, mib = cpu_s(pid), resident_mib(pid)
                except OSError:
                    continue  # it has ended
                known = self._last.get(pid, 0.0 if self.throughout else used)
                self.cpu[group] = self.cpu.get(group, 0.0) + used - known
                self._last[pid] = used
                resident += mib
            self.mib[group] = max(self.mib.get(group, 0.0), resident)
            now |= {f"{group}_cpu_s": round(self.cpu.get(group, 0.0), 3), f"{group}_mib": round(resident, 1)}
        self.throughout.append(now)

    def figures(self, deliveries: int) -> dict[str, Any]:
        """Return CPU-seconds per 1,000 and MiB; of the system itself under plain names, of what serves it by group."""
        found: dict[str, Any] = {}
        for group, used in self.cpu.items():
            prefix = "" if group == "system" else f"{group}_"
            found |= {f"{prefix}cpu_s_per_1000": used / deliveries * 1000, f"{prefix}resident_mib": self.mib[group]}
        return {**found, "throughout": self.throughout}


@contextmanager
def watching(pids: Callable[[], Pids]) -> Iterator[Watch]:
    """Look at processes from now to the block's end, four times a second."""
    watch, over = Watch(pids), threading.Event()

    def work() -> None:
        while not over.wait(PERIOD_S):
            watch.look()

    watch.look()
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()
        watch.look()
