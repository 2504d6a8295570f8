"""The desk: what the composition root hands the API to work with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from affwire.api.feeds import Feeds
from affwire.destinations.base import Wire
from affwire.destinations.guard import Guard
from affwire.dialects.base import Dialect
from affwire.engine.metrics import Meters
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
    wire: Wire | None = None
    """What test sends go over; None where this process sends nothing."""
    feeds: Feeds = field(default_factory=Feeds)
    meters: Meters = field(default_factory=Meters)
    backups: Path | None = None
    """The folder for copies of the database; None where it has no file."""
    public_url: str | None = None
    """How the outside reaches this server, without a slash at its end; None: ingest URLs are relative."""


def desk_of(request: Request) -> Desk:
    """Return the desk of the app that a request came to."""
    desk: Desk = request.app.state.desk
    return desk
