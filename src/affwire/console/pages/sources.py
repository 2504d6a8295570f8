"""Sources: where platforms' webhooks come in; how each stands, and what it is worth."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from affwire.console import states
from affwire.console.listing import Badge, Column, Listing, Loaded, Query, Tone, cut
from affwire.console.routes import Nav, Route
from affwire.console.visit import Visit
from affwire.console.words import apart
from affwire.dialects.base import Card
from affwire.errors import Refused
from affwire.model.inbound import Source
from affwire.model.registry import Organization
from affwire.services import organizations, sources
from affwire.services.actions import found
from affwire.store.tx import Tx

PATH: Final = "/sources"
TONES: Final[Mapping[str, Tone]] = {"green": "good", "yellow": "warn", "red": "bad"}
"""Of a badge's colours."""


class Row(Struct, frozen=True):
    """A source, what it is worth, and how many of its messages nobody could carry out."""

    source: Source
    badge: sources.Badge
    parked: int

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"{PATH}/{self.source.id}"


def state(source: Source) -> Badge:
    """Return how a source stands."""
    if not source.enabled:
        return states.badge(states.SOURCES, "disabled")
    heard = "unheard" if source.last_message_at is None else "heard"
    return states.badge(states.SOURCES, "silent" if source.silent_since is not None else heard)


def called(visit: Visit, source: Source) -> str:
    """Return what a source is called: by its owner's name for it, else by its platform."""
    card = card_of(visit, source.dialect)
    return apart(source.name or (card.title if card else source.dialect))


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return a page of sources; there are few."""
    every = sorted(tx.registry.find(Source, visit.organization_id), key=lambda one: one.number)
    if not query.oldest:
        every.reverse()
    place = query.place
    behind = [one for one in every if place is None or (one.number > place if query.oldest else one.number < place)]
    rows = [
        Row(one, sources.badge(card_of(visit, one.dialect), one), tx.inbox.parked(one.id)[0])
        for one in behind[: query.limit + 1]
    ]
    return cut(rows, query.limit, lambda row: row.source.number)


async def change(visit: Visit, source_id: str, wish: Mapping[str, Any]) -> None:
    """Change a source. Raises NotFound, Refused."""
    await visit.run(lambda tx: sources.update(tx, organization_of(visit, tx), visit.desk.dialects, source_id, wish))


def organization_of(visit: Visit, tx: Tx) -> Organization:
    """Return the organization as it is in this transaction."""
    return organizations.get(tx, visit.organization_id)


def found_in(visit: Visit, tx: Tx) -> Source:
    """Return the source that the path names. Raises NotFound."""
    return found(tx, Source, visit.organization_id, visit.path["source_id"])


def card_of(visit: Visit, name: str) -> Card | None:
    """Return the card of a dialect, None if it is not installed."""
    dialect = visit.desk.dialects.get(name)
    return dialect.card if dialect else None


def readable(visit: Visit, name: str) -> Card:
    """Return the card of a dialect that sources read. Raises Refused."""
    card = card_of(visit, name)
    if card is None or card.inbound is None:
        raise Refused("not_read", "No source can speak that: choose one of the platforms.", field="dialect")
    return card


LISTING: Final = Listing(
    path=PATH,
    title="Sources",
    one="source",
    columns=(
        Column("state", "State", lambda row: state(row.source), "badge"),
        Column("name", "Source", lambda row: row.source.name or row.source.dialect, href=lambda row: row.path),
        Column("dialect", "Platform", lambda row: row.source.dialect),
        Column("mode", "Mode", lambda row: row.source.mode, first=False),
        Column(
            "authenticity",
            "Proof",
            lambda row: Badge(row.badge.authenticity, TONES.get(row.badge.colour, "calm")),
            "badge",
        ),
        Column("dedupe", "Dedupe", lambda row: row.badge.dedupe, first=False),
        Column("seen", "Messages", lambda row: row.source.seen, "number"),
        Column("parked", "Parked", lambda row: row.parked, "number"),
        Column("last_message_at", "Last message", lambda row: row.source.last_message_at, "ago"),
        Column("created_at", "Made", lambda row: row.source.created_at, "time", first=False, chosen=False),
        Column("id", "Id", lambda row: row.source.id, "id", first=False, chosen=False),
    ),
    load=load,
    row_id=lambda row: row.source.id,
    row_path=lambda row: row.path,
    empty=(
        "No source yet: a source is a URL that a platform sends its webhooks to. This makes one, as New source does:",
        "affwire sources create growi --unverified",
    ),
    template="sources/list.html",
)

NAV: Final = (Nav("Wire", "Sources", PATH),)
ROUTES: Final[tuple[Route, ...]] = LISTING.routes()
