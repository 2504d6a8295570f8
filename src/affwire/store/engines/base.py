"""What every storage engine promises, and the limits it keeps.

An engine only connects, locks, commits and wakes: what is written is decided by the work it is given.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from affwire.errors import Busy
from affwire.store.tx import Tx

T = TypeVar("T")
MakeTx = Callable[[Connection], Tx]
Prepare = Callable[[Connection], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much an engine takes on at once."""

    works_waiting: int = 4096
    """Writes in line; at 5,000 commits a second the last of them waits less than one."""
    works_per_commit: int = 256
    """Works that share one flush: enough to hide a slow disk, few enough to be undone together."""
    commit_ms: int = 20
    """How long works may join after the first is done, so that a stream of them cannot put off its answer."""
    readers: int = 4
    """Snapshots read at the same time: one slow list does not hold up the others."""
    reads_waiting: int = 1024
    """Reads in line behind the readers."""
    read_ms: int = 10_000
    """A statement of an older snapshot is stopped: it would keep the write-ahead log from being emptied."""
    busy_ms: int = 5_000
    """How long a write waits for a foreign process (a backup, a shell) that holds the database."""
    wal_bytes: int = 32 * 2**20
    """A longer write-ahead log is emptied even when readers must be waited for."""
    idle_ms: int = 1_000
    """After this long without a write the write-ahead log is emptied and cut to nothing."""


@dataclass(slots=True, eq=False)
class Job:
    """A work in line, and where its result goes once it is durable."""

    work: Callable[[Tx], Any]
    future: Future[Any]


class Engine(Protocol):
    """Carries works into a database.

    - `submit`: one write transaction. The future is resolved only after a flushed commit; it fails with what the work
      raised (only its own writes undone) or with errors.Busy when the commit failed. Raises errors.Busy when the line
      is full or the engine is closed.
    - `read`: one consistent snapshot in which nothing can be written. Limits and errors as above.
    - `on_wake`: `callback` is called once after each commit in which a transaction asked for it, on the writing thread.
    - `backup`: writes a whole copy of what is committed to a new file, while works go on; blocks its caller's thread.
    - `close`: finishes what is in line, then frees files and threads. Idempotent.
    """

    @property
    def inline(self) -> bool:
        """Whether works run on the calling thread, so that futures come back resolved."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator must know of the database, each a sentence: it may lose what it acknowledged."""

    def submit(self, work: Callable[[Tx], T]) -> Future[T]: ...

    def read(self, work: Callable[[Tx], T]) -> Future[T]: ...

    def on_wake(self, callback: Callable[[], None]) -> None: ...

    def backup(self, target: Path) -> None: ...

    def close(self) -> None: ...


def refuse_if(closed: bool) -> None:
    """Raise errors.Busy if the engine is closed."""
    if closed:
        raise Busy("store_closed", "The store is closing and takes no more work.")
