"""Celery with Redis behind a small HTTP front: what a Python team most often writes first.

Runs from an environment of its own, made on demand with the pins of requirements.txt; Redis is the machine's.
"""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from load import NUMBER
from processes import Pids

from drivers.children import Child, free_port, inherited, listens

HERE = Path(__file__).parent
ENVIRONMENTS = Path(__file__).parents[3] / ".bench"
WORKERS = 2
THREADS = 50


class Celery:
    """An event is a POST to the front, which has one task delayed per receiver."""

    name = "celery"
    notes = (
        "FastAPI front, Celery on Redis 7 (appendonly, flushed once a second), 2 workers of 50 threads, JSON, acks_late, "
        "retry, prefetch 1, keep-alive sessions; 2xx: Redis has every task; no signature, no log of attempts, no address guard"
    )
    cannot: Mapping[str, str] = {}

    def start(self, folder: Path, ca_file: Path) -> None:
        self.folder, self.port, self.broker_port = folder, free_port(), free_port()
        self.python = environment()
        self.environment = {
            **inherited("BENCH_"),
            "BENCH_BROKER": f"redis://127.0.0.1:{self.broker_port}/0",
            "BENCH_CA_FILE": str(ca_file),
            "BENCH_RECEIVERS": str(folder / "receivers.json"),
        }
        (folder / "receivers.json").write_text("[]", "utf-8")
        self.broker = self._child("redis-server", "--port", str(self.broker_port), "--appendonly", "yes", "--save", "")
        self.broker.wait_until(lambda: listens(self.broker_port))
        self.restart()

    def endpoints(self, urls: Sequence[str], *, retry_s: float = 5, tries: int = 10, in_flight: int = 50) -> None:  # noqa: ARG002 -- Celery has no cap per receiver
        self._call("/receivers", {"urls": list(urls), "retry_s": retry_s, "tries": tries})

    def event(self) -> tuple[int, bytes]:
        body = b'{"type":"affiliate.created","email":"%s@example.org"}' % NUMBER
        head = "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        return self.port, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def hold(self) -> None:
        for worker in self.workers:
            worker.process.send_signal(signal.SIGSTOP)

    def release(self) -> None:
        for worker in self.workers:
            worker.process.send_signal(signal.SIGCONT)

    def idle(self) -> bool:
        return bool(self._call("/waiting", {})["waiting"] == 0)

    def pids(self) -> Pids:
        return {"system": [child.pid for child in (self.front, *self.workers)], "broker": [self.broker.pid]}

    def kill(self) -> None:
        for child in (self.front, *self.workers):
            child.kill()

    def restart(self) -> None:
        port = str(self.port)
        self.front = self._child(self.python, "-m", "uvicorn", "front:app", "--port", port, "--no-access-log")
        self.workers = [self._worker(number) for number in range(WORKERS)]
        self.front.wait_until(lambda: listens(self.port))
        self.front.wait_until(lambda: self._call("/workers", {})["workers"] == WORKERS)

    def stop(self) -> None:
        for name in ("front", "workers", "broker"):
            found = getattr(self, name, [])
            for child in found if isinstance(found, list) else [found]:
                child.kill()

    def _worker(self, number: int) -> Child:
        options = ("--pool", "threads", "--concurrency", str(THREADS), "--loglevel", "error", "-n", f"worker{number}")
        return self._child(self.python, "-m", "celery", "-A", "tasks", "worker", *options)

    def _child(self, *command: str | Path) -> Child:
        cwd = self.folder if command[0] == "redis-server" else HERE
        return Child(command, self.folder / "celery.log", self.environment, cwd)

    def _call(self, path: str, body: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.loads(answer.read())


def environment() -> Path:
    """Return the Python of Celery's own environment, made anew when the pins change."""
    if shutil.which("redis-server") is None:
        raise RuntimeError("Celery's sender needs redis-server: install your system's redis package.")
    pins = HERE / "requirements.txt"
    stamp = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]
    place = ENVIRONMENTS / f"celery-{stamp}"
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        print("making Celery's environment ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", pins]
        subprocess.run([python, *install], check=True)
        (place / "ready").touch()
    return python
