"""Paths whose segments may hold a slash of their own, percent-encoded: `/v1/affiliates/ext:crm:a%2Fb`.

Servers hand a path over decoded, where such a slash looks like any other. Until the route is found it is NUL instead,
which no path may hold.
"""

from typing import Final
from urllib.parse import unquote

from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

SLASH: Final = "/"
NUL: Final = "\x00"


def routed(raw: str) -> str:
    """Return a percent-encoded path decoded, with NUL for every slash that was encoded."""
    return SLASH.join(unquote(segment).replace(SLASH, NUL) for segment in raw.split(SLASH))


def restored(text: str) -> str:
    """Return a part of a routed path, or all of it, as it was meant."""
    return text.replace(NUL, SLASH)


class Route(APIRoute):
    """A route whose path parameters may hold slashes."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a request is this route's, and its parameters."""
        match, child = super().matches(scope)
        if "path_params" in child:
            child["path_params"] = {name: restored(value) for name, value in child["path_params"].items()}
        return match, child
