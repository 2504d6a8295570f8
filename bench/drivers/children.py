"""Processes that a driver starts, and free ports for them."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

START_S = 30
STOP_S = 30


class Child:
    """A process in a group of its own, so that all of it can be ended at once."""

    def __init__(self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str], cwd: Path) -> None:
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                command, env=environment, cwd=cwd, stdout=file, stderr=file, start_new_session=True
            )
        self.log = log

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until it is ready; RuntimeError with the end of its log if it ends or takes too long."""
        end = time.monotonic() + START_S
        while not ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"a process did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def inherited(prefix: str) -> dict[str, str]:
    """Return this process's environment without the variables that begin so."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefix)}
