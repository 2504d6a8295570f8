"""Where a record's page is: the one table of paths by kind, for links, for the search and for what follows an action."""

from typing import Final

from affwire.model import ids

PLACES: Final = {
    "program": "/programs",
    "affiliate": "/affiliates",
    "event": "/events",
    "delivery": "/deliveries",
    "endpoint": "/endpoints",
    "message": "/inbox",
    "source": "/sources",
}


def of(identifier: str) -> str | None:
    """Return the path of a record's page; None for a kind that has none."""
    place = PLACES.get(ids.kind_of(identifier) or "")
    return None if place is None else f"{place}/{identifier}"
