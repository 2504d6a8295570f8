"""The desk: what the composition root hands the console to work with."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from affwire.console.assets import Assets
from affwire.console.attempts import Attempts
from affwire.console.machine import Machine
from affwire.console.scratch import Scratch
from affwire.destinations.base import Wire
from affwire.destinations.guard import Guard
from affwire.dialects.base import Dialect
from affwire.store.store import Store
from affwire.world import World

Look = Callable[[int], Awaitable[tuple[list[tuple[int, Any]], int]]]
"""What lies behind a position: messages with their positions, and the position up to which everything was looked at."""
Live = Callable[[int, Look, str | None], Response]
"""Returns the answer that follows a table from a position on, as server-sent events; a look that raises Unauthorized ends it.

The id of the last event that a browser had, if it had one, goes before the position. Raises Refused for one that is none.
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """`wire`: what test sends go over, None where this process sends nothing. `public_url`: without a slash at its end.

    `machine`: what a shell where this server runs finds it by.
    """

    store: Store
    dialects: Mapping[str, Dialect]
    guard: Guard
    world: World
    live: Live
    scratch: Scratch
    machine: Machine
    wire: Wire | None = None
    public_url: str | None = None
    retention_days: float = 30
    mails: bool = False
    """Whether there is a relay for mails; else the manager hands their links on."""
    searching: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Looks for mistakes in signatures, one at a time: each may take a processor for a second."""
    assets: Assets = field(default_factory=Assets.load)
    attempts: Attempts = field(default_factory=Attempts)
