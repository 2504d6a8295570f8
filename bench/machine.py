"""The machine and the versions that figures belong to."""

import importlib.metadata
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pycurl


def described() -> dict[str, Any]:
    """Return what a reader must know to compare figures; reads the machine, changes nothing."""
    return {
        "cpu": _first(r"model name\s*: (.+)", _text("/proc/cpuinfo")) or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(_first(r"MemTotal:\s*(\d+)", _text("/proc/meminfo")) or 0) / 2**20, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "affwire": importlib.metadata.version("affwire"),
        "commit": _said("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"),
        "sqlite": sqlite3.sqlite_version,
        "libcurl": pycurl.version_info()[1],
        "postgresql": _first(r"([\d.]+)", _said("postgres", "--version")),
        "redis": _first(r"v=([\d.]+)", _said("redis-server", "--version")),
        "load": round(os.getloadavg()[0], 2),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _text(path: str) -> str:
    return Path(path).read_text("utf-8") if Path(path).exists() else ""


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found[1].strip() if found else None


def _said(*command: str) -> str:
    """Return what a command says; nothing where it is not installed."""
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
