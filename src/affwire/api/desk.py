"""The desk: what the composition root hands the API to work with."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from affwire.destinations.guard import Guard
from affwire.dialects.base import Dialect
from affwire.store.store import Store
from affwire.world import World


@dataclass(frozen=True, slots=True)
class Desk:
    """`operator_digest`: what services.organizations.digest makes of the operator's key."""

    store: Store
    dialects: Mapping[str, Dialect]
    guard: Guard
    operator_digest: str
    world: World


def desk_of(request: Request) -> Desk:
    """Return the desk of the app that a request came to."""
    desk: Desk = request.app.state.desk
    return desk
