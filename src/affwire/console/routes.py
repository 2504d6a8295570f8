"""What a page module declares: pages to read, actions that change something, and where both stand in the navigation.

A module of `pages/` has ROUTES and, if it is found from everywhere, NAV. `pages/__init__.py` lists the modules.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from affwire.store.tx import Tx

if TYPE_CHECKING:
    from affwire.console.visit import Guest, Visit

View = Callable[["Visit", Tx], Mapping[str, Any]]
"""Reads what a page shows, in one snapshot, and returns it by the names that its template uses. Raises NotFound."""
Do = Callable[["Visit"], Awaitable[Response]]
"""Carries something out and answers, mostly with `visit.go(...)`. What it raises of Refused is shown on a page."""


@dataclass(frozen=True, slots=True)
class Nav:
    """A place in the navigation. `section`: Program, Wire or Settings; places stand in the order of the modules.

    It is shown to whoever may do what a key with that `scope` may.
    """

    section: str
    title: str
    path: str
    scope: str = "read"


@dataclass(frozen=True, slots=True)
class Page:
    """GET `path`: what `view` reads, shown by `template`. `scope`: of the API key that may read the same."""

    path: str
    template: str
    view: View
    scope: str = "read"
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class Answer:
    """GET `path` answered by a function of its own: an export, a live feed, a redirect."""

    path: str
    do: Do
    scope: str = "read"
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class Action:
    """POST `path`: a form of our own pages, for who may do what a key with that scope may."""

    path: str
    do: Do
    scope: str = "registry"
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Open:
    """A page for everybody, signed in or not. A POST has come from one of our own pages."""

    path: str
    do: Callable[["Guest"], Awaitable[Response]]
    method: str = "GET"


Route = Page | Answer | Action | Open
