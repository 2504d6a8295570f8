"""The contract of everything that can carry a Request to its destination."""

from typing import Protocol

from affwire.model.wire import Limits, Outcome, Request


class Wire(Protocol):
    """Carries requests out.

    - `send` returns an Outcome whatever the far side does; it raises for no fault of theirs.
    - It returns within `limits.total_ms`, counted from the call and including the lookup of the name.
    - The URL is judged at every send; what the guard refuses is never dialled.
    - When the awaiting task is cancelled, the request ends at once and leaves nothing behind.
    - `close` ends what is under way with the error "cut" and frees every connection; calling it twice is harmless.
    """

    async def send(self, request: Request, limits: Limits) -> Outcome: ...

    async def close(self) -> None: ...
