"""What a system must offer to be measured: anything that takes events over HTTP and posts them to its receivers.

An event is one HTTP request that holds NUMBER (load.py); the number must reach the receivers within the body, and a 2xx
must mean what the system promises by it. A class of these few methods, listed in drivers/__init__.py, runs every case.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from processes import Pids


class Driver(Protocol):
    """One installation. `name` and `notes` (settings that matter) stand in every report."""

    name: str
    notes: str
    cannot: Mapping[str, str]
    """Cases that the system cannot run, each with the reason."""

    def start(self, folder: Path, ca_file: Path) -> None:
        """Start on empty storage in `folder`, trusting `ca_file`; return when it takes requests."""

    def endpoints(self, urls: Sequence[str], *, retry_s: float = 5, tries: int = 10, in_flight: int = 50) -> None:
        """Have every later event sent to these URLs too; a failed try is repeated after `retry_s`, `tries` in all."""

    def event(self) -> tuple[int, bytes]:
        """Return the port to connect to and the request that makes an event: whole, kept alive, with NUMBER in it."""

    def hold(self) -> None:
        """Send nothing any more, but go on taking events."""

    def release(self) -> None:
        """Send what waits."""

    def idle(self) -> bool:
        """Return whether nothing waits and nothing is under way. Asked a few times a second."""

    def pids(self) -> Pids:
        """Return its processes by group: "system", and what serves it ("database", "broker"). Children are found."""

    def kill(self) -> None:
        """End everything of the group "system" by SIGKILL, as a crash would."""

    def restart(self) -> None:
        """Start again on what was left, at the same port."""

    def stop(self) -> None:
        """End everything; called once, also after a failure."""
