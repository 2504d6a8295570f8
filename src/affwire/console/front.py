"""The front: which requests are the API's, and that all others are the console's."""

from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

API_PATHS: Final = frozenset({"v1", "livez", "readyz", "metrics", "openapi.json"})
"""How the API's paths begin."""


@dataclass(frozen=True, slots=True)
class Front:
    """ASGI: `api` before `console`."""

    api: ASGIApp
    console: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        first = scope["path"].split("/", 2)[1:2] if scope["type"] == "http" else API_PATHS
        await (self.api if API_PATHS.issuperset(first) else self.console)(scope, receive, send)
