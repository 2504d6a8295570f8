"""Search: one box for any id of ours or of a dialect, an address, a name, a URL. One hit is gone to at once."""

from typing import Final

from msgspec import structs
from starlette.responses import RedirectResponse, Response

from affwire.console import hits
from affwire.console.hits import TITLES, Hit
from affwire.console.routes import Answer, Route
from affwire.console.visit import SEE_OTHER, Visit
from affwire.model import ids
from affwire.services import digests, search
from affwire.store import finding
from affwire.store.tx import Tx

HITS_MAX: Final = 10
"""Of each kind: whoever gets more says more."""
TEXT_MAX: Final = 2_000
"""A URL fits, and a header that signs."""


async def find(visit: Visit) -> Response:
    """Show what was found, by kind; go there if it is one."""
    text = search.pasted((visit.asked("q") or "")[:TEXT_MAX])
    found, secret = await visit.read(lambda tx: _found(visit, tx, text)) if text else ([], False)
    if len({(hit.path, *hit.query.items()) for hit in found}) == 1:
        return RedirectResponse(visit.url(found[0].path, **found[0].query), SEE_OTHER)
    groups = [(title, [hit for hit in found if hit.kind == kind]) for kind, title in TITLES.items()]
    context = {
        "title": "Search",
        "text": "" if secret else text,
        "secret": secret,
        "signs": search.is_signature(text),
        "newest": finding.NAMED_MAX,
        "digested": digests.SAID_MAX,
        "asks": ids.kind_of(text) == "request",
        "groups": [(title, its[:HITS_MAX], len(its) > HITS_MAX) for title, its in groups if its],
    }
    return visit.show("search/page.html", context)


def _found(visit: Visit, tx: Tx, text: str) -> tuple[list[Hit], bool]:
    """Return what was found, and whether the text opens a source, so that it is to be shown nowhere."""
    known: dict[str, Hit | None] = {}
    named = search.found(tx, visit.at, text, visit.desk.dialects, limit=HITS_MAX + 1)
    for one in named:
        if one.record_id not in known:
            known[one.record_id] = hits.of(visit, tx, one.record_id)
        known[one.record_id] = _also(known[one.record_id], one.how)
    return [hit for hit in known.values() if hit is not None], search.opens_source(tx, text)


def _also(hit: Hit | None, how: str) -> Hit | None:
    if hit is None or how in hit.how.split(", "):
        return hit
    return structs.replace(hit, how=f"{hit.how}, {how}" if hit.how else how)


ROUTES: Final[tuple[Route, ...]] = (Answer("/search", find),)
