"""Search: one box for any id of ours or of a dialect, an address, a name, a URL. One hit is gone to at once."""

from typing import Any, Final

from msgspec import Struct
from starlette.responses import RedirectResponse, Response

from affwire.console import places
from affwire.console.routes import Answer, Route
from affwire.console.visit import SEE_OTHER, Visit
from affwire.model import ids
from affwire.model.endpoints import Endpoint
from affwire.model.inbound import Source
from affwire.model.registry import Affiliate, Organization, Program
from affwire.services import search
from affwire.store.tx import Tx

HITS_MAX: Final = 10
"""Of each kind: whoever gets more says more."""
_TEXT_MAX: Final = 300


class Hit(Struct, frozen=True):
    """A record that was found: its kind, what it is called, what tells it from others, and its page."""

    kind: str
    name: str
    detail: str
    path: str


async def find(visit: Visit) -> Response:
    """Show what was found; go there if it is one."""
    text = (visit.asked("q") or "").strip()[:_TEXT_MAX]
    hits = await visit.read(lambda tx: _hits(visit, tx, text)) if text else []
    if len(hits) == 1:
        return RedirectResponse(visit.url(hits[0].path), SEE_OTHER)
    return visit.show("search/page.html", {"title": "Search", "text": text, "hits": hits})


def _hits(visit: Visit, tx: Tx, text: str) -> list[Hit]:
    named = _named(tx, visit.organization_id, text)
    if named is not None:
        return [named]
    organization = visit.at
    found = [_affiliate(one) for one in _matching(visit, tx, organization, Affiliate, text)]
    found += [_program(one) for one in _matching(visit, tx, organization, Program, text)]
    receivers = [one for one in tx.registry.find(Endpoint, organization.id) if text.casefold() in one.url.casefold()]
    return [*found, *(_endpoint(one) for one in receivers[:HITS_MAX])]


def _named(tx: Tx, organization_id: str, text: str) -> Hit | None:
    """Return the record that has this id of ours, if it is the organization's."""
    kind, path = ids.kind_of(text), places.of(text)
    if kind is None or path is None:
        return None
    found: dict[str, Any] = {
        "delivery": lambda: tx.outbox.get(organization_id, text),
        "event": lambda: tx.log.get(organization_id, text),
        "message": lambda: tx.inbox.get(organization_id, text),
        "endpoint": lambda: tx.registry.get(Endpoint, organization_id, text),
        "source": lambda: tx.registry.get(Source, organization_id, text),
        "affiliate": lambda: tx.registry.get(Affiliate, organization_id, text),
        "program": lambda: tx.registry.get(Program, organization_id, text),
    }
    return None if found[kind]() is None else Hit(kind, text, "", path)


def _matching(visit: Visit, tx: Tx, organization: Organization, kind: Any, text: str) -> list[Any]:
    among = search.among(tx, organization, kind, text, visit.desk.dialects)
    return tx.registry.page(kind, organization.id, after=None, limit=HITS_MAX, matching=text, among=among)


def _affiliate(one: Affiliate) -> Hit:
    name = " ".join(part for part in (one.first_name, one.last_name) if part)
    return Hit("affiliate", name or one.email or one.id, one.email or "", f"/affiliates/{one.id}")


def _program(one: Program) -> Hit:
    return Hit("program", one.name, one.currency, f"/programs/{one.id}")


def _endpoint(one: Endpoint) -> Hit:
    return Hit("endpoint", one.url, one.dialect, f"/endpoints/{one.id}")


ROUTES: Final[tuple[Route, ...]] = (Answer("/search", find),)
