"""Hits: how each kind of record is called where it is found, and which page shows it.

Rule: what is not the organization's, and what the visitor may not open, is not there.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from affwire.console import places
from affwire.console.visit import Visit
from affwire.model import ids
from affwire.model.endpoints import Endpoint
from affwire.model.inbound import Source
from affwire.model.registry import Affiliate, Group, Link, Membership, Program, PromoCode
from affwire.services import journal
from affwire.store.tx import Tx


class Hit(Struct, frozen=True):
    """A record that was found: its name, what tells it from others, its page, and what matched."""

    kind: str
    name: str
    detail: str
    path: str
    query: Mapping[str, str] = {}
    how: str = ""


TITLES: Final = {
    "affiliate": "Affiliates",
    "membership": "Memberships",
    "program": "Programs",
    "group": "Groups",
    "link": "Links",
    "promo_code": "Promo codes",
    "event": "Events",
    "delivery": "Deliveries",
    "endpoint": "Endpoints",
    "message": "Messages",
    "source": "Sources",
    "job": "Jobs",
    "mail": "Mails",
    "application": "Applications",
    "key": "API keys",
    "user": "Users",
    "organization": "Organization",
}
"""The kinds that are found, in the order in which they are listed."""


def of(visit: Visit, tx: Tx, record_id: str) -> Hit | None:
    """Return a record as a hit, None if it is not there for the visitor."""
    kind = ids.kind_of(record_id)
    get = _FOUND.get(kind or "")
    if kind is None or get is None or not visit.may(_SCOPES.get(kind, "read")):
        return None
    record = get(visit, tx, record_id)
    if record is None:
        return _gone(visit, tx, kind, record_id) if kind in _LEFT else None
    name, detail, path, *query = _SAID[kind](visit, tx, record)
    return Hit(kind, name, detail or "", path, *query)


def _gone(visit: Visit, tx: Tx, kind: str, record_id: str) -> Hit | None:
    """What is in the registry no more, or never was, but in what went through: deleted, or passed on by a relay."""
    if not journal.is_known(tx, visit.organization_id, record_id):
        return None
    path, name, where = _LEFT[kind]
    return Hit(kind, record_id, where, path, {name: record_id})


def _registered(kind: Any) -> Callable[[Visit, Tx, str], Any]:
    return lambda visit, tx, record_id: tx.registry.get(kind, visit.organization_id, record_id)


def _user(visit: Visit, tx: Tx, record_id: str) -> Any:
    user = tx.people.get(record_id)
    return user if user is not None and user.organization_id == visit.organization_id else None


def _whose(visit: Visit, tx: Tx, affiliate_id: str) -> str:
    one = tx.registry.get(Affiliate, visit.organization_id, affiliate_id)
    return (one.name or one.email if one else None) or affiliate_id


def _page(record_id: str) -> str:
    return places.of(record_id) or "/"


def _at(visit: Visit, tx: Tx, affiliate_id: str) -> tuple[str, Mapping[str, str]]:
    """Return where an affiliate's memberships, links and codes are shown: of one who is gone, what happened to them is."""
    if tx.registry.get(Affiliate, visit.organization_id, affiliate_id) is None:
        return "/events", {"affiliate": affiliate_id}
    return _page(affiliate_id), {}


_FOUND: Final[Mapping[str, Callable[[Visit, Tx, str], Any]]] = {
    "affiliate": _registered(Affiliate),
    "membership": _registered(Membership),
    "program": _registered(Program),
    "group": _registered(Group),
    "link": _registered(Link),
    "promo_code": _registered(PromoCode),
    "endpoint": _registered(Endpoint),
    "source": _registered(Source),
    "event": lambda visit, tx, record_id: tx.log.get(visit.organization_id, record_id),
    "delivery": lambda visit, tx, record_id: tx.outbox.get(visit.organization_id, record_id),
    "message": lambda visit, tx, record_id: tx.inbox.get(visit.organization_id, record_id),
    "job": lambda visit, tx, record_id: tx.jobs.get(visit.organization_id, record_id),
    "mail": lambda visit, tx, record_id: tx.mails.get(visit.organization_id, record_id),
    "application": lambda visit, tx, record_id: tx.applications.applicant(visit.organization_id, record_id),
    "key": lambda visit, tx, record_id: tx.keys.get(visit.organization_id, record_id),
    "user": _user,
    "organization": lambda visit, _tx, record_id: visit.at if visit.organization_id == record_id else None,
}
_SAID: Final[Mapping[str, Callable[[Visit, Tx, Any], tuple[Any, ...]]]] = {
    "affiliate": lambda _visit, _tx, one: (one.name or one.company or one.email or one.id, one.email, _page(one.id)),
    "membership": lambda visit, tx, one: (
        _whose(visit, tx, one.affiliate_id),
        one.status,
        *_at(visit, tx, one.affiliate_id),
    ),
    "program": lambda _visit, _tx, one: (one.name or one.id, one.currency, _page(one.id)),
    "group": lambda _visit, _tx, one: (one.name, "its members", "/affiliates", {"group": one.id}),
    "link": lambda visit, tx, one: (
        one.url,
        _whose(visit, tx, one.affiliate_id),
        *_at(visit, tx, one.affiliate_id),
    ),
    "promo_code": lambda visit, tx, one: (
        one.code,
        _whose(visit, tx, one.affiliate_id),
        *_at(visit, tx, one.affiliate_id),
    ),
    "endpoint": lambda _visit, _tx, one: (one.called, one.dialect, _page(one.id)),
    "source": lambda _visit, _tx, one: (one.name or one.dialect, one.dialect, _page(one.id)),
    "event": lambda _visit, _tx, one: (one.event.type, one.event.id, _page(one.event.id)),
    "delivery": lambda _visit, _tx, one: (one.word, one.status, _page(one.id)),
    "message": lambda _visit, _tx, one: (one.word or "nothing known", f"{one.dialect}, {one.status}", _page(one.id)),
    "job": lambda _visit, _tx, one: (one.kind, one.status, f"/jobs/{one.id}"),
    "mail": lambda _visit, _tx, one: (one.kind, one.status, f"/settings/mails/{one.id}"),
    "application": lambda visit, tx, affiliate_id: (
        _whose(visit, tx, affiliate_id),
        "",
        *_at(visit, tx, affiliate_id),
    ),
    "key": lambda _visit, _tx, one: (one.name, one.scope, f"/settings/keys/{one.id}"),
    "user": lambda _visit, _tx, one: (one.name or one.email, one.role, f"/settings/users/{one.id}"),
    "organization": lambda _visit, _tx, one: (one.name, one.slug, "/settings/organization"),
}
_LEFT: Final = {
    "affiliate": ("/events", "affiliate", "in events only"),
    "program": ("/events", "program", "in events only"),
    "endpoint": ("/deliveries", "endpoint", "deleted; what it was told"),
    "source": ("/inbox", "source", "deleted; what it took in"),
}
"""Of each kind that may be gone, the list, narrowed by a parameter, of what is left to see, and what is said of that."""
_SCOPES: Final = {"key": "admin", "user": "admin", "organization": "admin", "mail": "registry"}
"""Of the pages that not everybody may open."""
