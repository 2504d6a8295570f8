"""Live rows: a listing's own answer that does not end, each row as the script puts it into the table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from affwire.console.listing import Column, Listing
    from affwire.console.visit import Visit


async def answer(listing: "Listing", visit: "Visit") -> Response:
    """Follow a listing from where its page was read. Raises Refused for what cannot be meant, before the answer begins."""
    live = listing.live
    assert live is not None  # noqa: S101 -- else there is no such route
    query, columns = listing.query(visit), listing.shown(visit)
    after, last = visit.parameters.number("after"), visit.asked("last_event_id")
    visit.parameters.refuse_others()
    await visit.read(lambda tx: listing.check(visit, tx, query))
    start = await visit.read(lambda tx: live.newest(visit, tx)) if after is None else after

    async def look(position: int) -> tuple[list[tuple[int, Any]], int]:
        rows, seen = await visit.follow(lambda tx: live.changes(visit, tx, query, position))
        return [(at, _told(listing, visit, columns, row)) for at, row in rows], seen

    return visit.desk.live(start, look, visit.request.headers.get("last-event-id") or last)


def _told(listing: "Listing", visit: "Visit", columns: "Sequence[Column]", row: Any) -> dict[str, str]:
    context = {"listing": listing, "columns": columns, "row": row, "url": visit.url, "say": visit.words}
    selectable = any(visit.may(one.scope) for one in listing.bulk)
    html = visit.guest.templates.render("row.html", selectable=selectable, **context)
    return {"id": listing.row_id(row), "html": html}
