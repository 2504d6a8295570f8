"""The server under the demo: the real `affwire serve`, as a child process with settings and data of its own.

Rule: however the demo ends, the child ends with it.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from affwire.cli.client import Unanswered, open_client
from affwire.errors import AffwireError

FIRST_PORT: Final = 8787
_PORTS: Final = 50
_START_S: Final = 90
"""A slow machine imports for some seconds; a server that needs longer will not come at all."""
_STOP_S: Final = 25
"""`serve` itself drains for 20 s at most."""
DATA: Final = "data"
"""The data directory within the demo's own."""
_LISTENING: Final = "affwire is listening on "


class NotStarted(AffwireError):
    """The demo's server did not start."""


@contextmanager
def running(directory: Path, port: int, settings: Mapping[str, str]) -> Iterator[str]:
    """Yield the address of a server whose data is in `directory`; it is stopped when the block ends. Raises NotStarted."""
    log = directory / "server.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AFFWIRE_")}
    environment |= {"AFFWIRE_HOST": "127.0.0.1", "AFFWIRE_PORT": str(port), "AFFWIRE_DATA_DIR": DATA, **settings}
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "affwire", "serve"],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _ready(child, log)
        finally:
            _stop(child)


def free_port() -> int:
    """Return the first port from 8787 on that nobody listens on, 0 (any) if fifty are taken."""
    for port in range(FIRST_PORT, FIRST_PORT + _PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return 0


def _ready(child: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address as soon as /readyz answers there."""
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if child.poll() is not None:
            raise NotStarted("server_died", f"The server ended at once, saying:\n{_said(log)}")
        address = _address(log)
        if address and _answers(address):
            return address
        time.sleep(0.02)
    raise NotStarted("server_slow", f"The server was not ready within {_START_S} s, saying:\n{_said(log)}")


def _address(log: Path) -> str | None:
    lines = _said(log).splitlines()
    return next((line.removeprefix(_LISTENING) for line in lines if line.startswith(_LISTENING)), None)


def _answers(address: str) -> bool:
    try:
        with open_client(address, needs_key=False) as client:
            client.get("/readyz")
    except Unanswered:
        return False
    return True


def _said(log: Path) -> str:
    return log.read_text("utf-8", errors="replace").strip()


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
        except BaseException:
            child.kill()
            child.wait()
            raise
    child.wait()
