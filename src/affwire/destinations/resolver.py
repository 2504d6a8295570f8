"""Names to addresses, off the event loop and bounded: a slow name server never holds up another endpoint's names.

One lookup per name at a time; names that were slow lately queue in a lane of their own.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic
from typing import Final, Protocol, TypeVar

from affwire.destinations.addresses import Address, parse

T = TypeVar("T")

FRESH_MS: Final = 5_000
"""How long an answer is kept: saves a lookup per delivery, and is shorter than any useful TTL."""
EMPTY_MS: Final = 1_000
"""How long "no answer" is kept: long enough to spare the name server a burst, short enough for a new name."""
SLOW_MS: Final = 600_000
"""How long a name that answered too late stays in the slow lane."""
THREADS_MAX: Final = 32
SLOW_THREADS_MAX: Final = 4
"""getaddrinfo cannot be cut short (30 s and more with dead name servers): slow names get few threads of their own."""
NAMES_MAX: Final = 10_000
"""Names remembered; beyond it the memory starts afresh."""
QUEUE_MAX: Final = 1_000
"""Lookups waiting in a lane; beyond it a name has no answer."""


class Resolver(Protocol):
    """Tells a name's addresses.

    `lookup` returns every address of the answer, IPv4 and IPv6, within `timeout_ms`; () if there is no answer in time.
    It raises nothing for the far side. `remembered` returns at once what `lookup` would from memory; None if it must ask.
    """

    def remembered(self, host: str) -> tuple[Address, ...] | None: ...

    async def lookup(self, host: str, timeout_ms: int) -> tuple[Address, ...]: ...

    def close(self) -> None: ...


class SystemResolver:
    """The machine's resolver (hosts file, DNS, whatever it is set up for)."""

    def __init__(self, ask: Callable[[str], tuple[Address, ...]] | None = None) -> None:
        self._ask = ask or ask_system
        self._quick, self._slow = _Lane(THREADS_MAX), _Lane(SLOW_THREADS_MAX)
        self._kept: dict[str, tuple[float, tuple[Address, ...]]] = {}
        self._pending: dict[str, asyncio.Future[tuple[Address, ...]]] = {}
        self._slow_until: dict[str, float] = {}

    def remembered(self, host: str) -> tuple[Address, ...] | None:
        """Return the addresses of a name if they are fresh, else None."""
        until, addresses = self._kept.get(host, (0.0, ()))
        return addresses if monotonic() < until else None

    async def lookup(self, host: str, timeout_ms: int) -> tuple[Address, ...]:
        """Return the addresses of a name, from memory if they are fresh."""
        if (known := self.remembered(host)) is not None:
            return known
        loop = asyncio.get_running_loop()
        pending = self._pending.get(host) or self._start(host, loop)
        await asyncio.wait([pending], timeout=timeout_ms / 1000)
        if pending.done():
            return pending.result()
        _bound(self._slow_until)[host] = monotonic() + SLOW_MS / 1000
        return ()

    def close(self) -> None:
        """Let the threads end once their lookups do; none of them holds up the process's end."""
        self._quick.close()
        self._slow.close()

    def _start(self, host: str, loop: asyncio.AbstractEventLoop) -> asyncio.Future[tuple[Address, ...]]:
        pending: asyncio.Future[tuple[Address, ...]] = loop.create_future()
        self._pending[host] = pending
        lane = self._slow if monotonic() < self._slow_until.get(host, 0.0) else self._quick

        def job() -> None:
            answer = self._ask(host)
            with contextlib.suppress(RuntimeError):  # the loop has closed meanwhile: nobody waits
                loop.call_soon_threadsafe(self._keep, host, answer)

        if not lane.submit(job):
            self._keep(host, ())
        return pending

    def _keep(self, host: str, addresses: tuple[Address, ...]) -> None:
        pending = self._pending.pop(host)
        until = monotonic() + (FRESH_MS if addresses else EMPTY_MS) / 1000
        _bound(self._kept)[host] = (until, addresses)
        pending.set_result(addresses)


def ask_system(host: str) -> tuple[Address, ...]:
    """Return getaddrinfo's answer without repetitions; () on any failure. Blocks, for half a minute at worst."""
    try:
        # As bytes: the name is ASCII already, and str would pass through Python's old IDNA codec.
        answer = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(dict.fromkeys(parse(str(entry[4][0])) for entry in answer))


class _Lane:
    """Daemon threads, made as needed up to a limit. An executor's threads would hold up the interpreter's end."""

    def __init__(self, threads_max: int) -> None:
        self._threads_max = threads_max
        self._threads = 0
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def submit(self, job: Callable[[], None]) -> bool:
        if self._jobs.qsize() >= QUEUE_MAX:
            return False
        self._jobs.put(job)
        if self._threads < self._threads_max:
            self._threads += 1
            threading.Thread(target=self._work, name="affwire-dns", daemon=True).start()
        return True

    def close(self) -> None:
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _bound(memory: dict[str, T]) -> dict[str, T]:
    if len(memory) >= NAMES_MAX:
        memory.clear()
    return memory
