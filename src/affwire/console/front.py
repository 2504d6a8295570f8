"""The front: which requests are the API's, which the scratch receivers', and that all others are the console's."""

from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

API_PATHS: Final = frozenset({"v1", "livez", "readyz", "metrics", "openapi.json"})
"""How the API's paths begin."""
_PLAY: Final = "play"


@dataclass(frozen=True, slots=True)
class Front:
    """ASGI: `api` and `scratch` before `console`."""

    api: ASGIApp
    console: ASGIApp
    scratch: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        first = scope["path"].split("/", 2)[1:2] if scope["type"] == "http" else API_PATHS
        app = self.api if API_PATHS.issuperset(first) else self.scratch if first == [_PLAY] else self.console
        await app(scope, receive, send)
