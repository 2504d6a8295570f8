"""The contract of everything that can carry a Request to its destination."""

from collections.abc import Awaitable
from typing import Protocol

from affwire.model.wire import Limits, Outcome, Request


class Wire(Protocol):
    """Carries requests out.

    - `send` returns an Outcome whatever the far side does; it raises for no fault of theirs.
    - It returns within `limits.total_ms`, counted from the call and including the lookup of the name.
    - The URL is judged at every send; what the guard refuses is never dialled.
    - It is awaited once. Whoever returns a future has sent already; cancelled, the request ends at once and leaves
      nothing behind.
    - `close` ends what is under way with the error "cut" and frees every connection; calling it twice is harmless.
    """

    def send(self, request: Request, limits: Limits) -> Awaitable[Outcome]: ...

    async def close(self) -> None: ...
