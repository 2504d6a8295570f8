"""Home: how it goes just now, what needs somebody and the button for it, what has just happened."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from affwire.console import charts
from affwire.console.app_paths import HOME
from affwire.console.listing import Badge, Query
from affwire.console.pages import affiliates, deliveries, endpoints, events, mails
from affwire.console.routes import Nav, Page, Route
from affwire.console.visit import Visit
from affwire.services import overview
from affwire.services.overview import SPAN, SPANS, Need, Overview
from affwire.store.tx import Tx

RECENT: Final = 8
"""Events that the page shows; more slide in and push the oldest out."""
JOBS_MAX: Final = 5
FAILING_MAX: Final = 3
"""Failing endpoints that are named one by one; the others are a number, so that they push nothing else out of sight."""
_RECENT_COLUMNS: Final = ("type", "about", "heard", "occurred_at")
_NAMES: Final = {"1h": "hour", "24h": "day", "7d": "7 days"}
_FAILING: Final = ("tripped", "failing")
_MOVES: Final = {"paused": ("resume", "Resume"), "disabled": ("enable", "Enable")}


class Call(Struct, frozen=True):
    """What needs somebody: a state, what it is about, why, and the button: a link, or a POST (`act`)."""

    badge: Badge
    name: str
    path: str
    why: str
    button: str
    act: str | None = None
    query: dict[str, str] = {}


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return the overview of the organization; without one, how to begin."""
    if visit.organization is None:
        return {"title": "Home", "overview": None}
    asked = visit.asked("span")
    span = asked if asked in SPANS else SPAN
    found = overview.of(tx, visit.organization.id, span)
    running = [
        one for one in tx.jobs.page(visit.organization.id, before=None, limit=JOBS_MAX) if one.status == "running"
    ]
    return {
        "title": "Home",
        "overview": found,
        "span": span,
        "spans": [(one, visit.here(span=one), one == span) for one in SPANS],
        "within": _NAMES[span],
        "chart": _chart(visit, found, span),
        "calls": _calls(visit, found, span),
        "running": running,
        **_recent(visit, tx),
    }


def _chart(visit: Visit, found: Overview, span: str) -> str:
    said = {name: sum(values) for name, values in found.series.items()}
    return charts.bars(
        found.series,
        title=f"Attempts of the last {_NAMES[span]}",
        described=f"{said['ok']} succeeded, {said['failed']} failed, {said['unknown']} unknown.",
        ends=(f"{visit.words.span(found.span_ms)} ago", "now"),
    )


def _calls(visit: Visit, found: Overview, span: str) -> list[Call]:
    """Return what needs somebody, the worst first."""
    failing = [need for state in _FAILING for need in found.needs if need.state == state]
    calls = [_call(visit, need) for need in found.needs if need not in failing[FAILING_MAX:]]
    calls += _more_failing(visit, len(failing) - FAILING_MAX) + _people(visit, found)
    if found.exhausted:
        count = visit.words.number(found.exhausted)
        query = {"status": "exhausted", "since": span}
        why = "the schedule is used up; send them again once the receiver is well"
        calls.append(Call(Badge("exhausted", "bad"), f"{count} given up", deliveries.PATH, why, "Look", None, query))
    parked = found.inbox.get("parked", 0)
    if parked:
        name = f"{visit.words.number(parked)} {'message' if parked == 1 else 'messages'}"
        why = "came in and could not be carried out"
        calls.append(Call(Badge("parked", "warn"), name, "/inbox", why, "Look", None, {"status": "parked"}))
    return sorted(calls, key=lambda one: one.badge.tone != "bad")


def _more_failing(visit: Visit, count: int) -> list[Call]:
    if count <= 0:
        return []
    name = f"{visit.words.number(count)} more {'endpoint is' if count == 1 else 'endpoints are'} failing"
    return [Call(endpoints.state_badge("failing"), name, endpoints.PATH, "each says why", "Look")]


def _people(visit: Visit, found: Overview) -> list[Call]:
    """Return who waits for a decision, and for a link that no relay sends; only to whom may see to it."""
    calls: list[Call] = []
    if not visit.may("registry"):
        return calls
    if found.asking:
        name = f"{visit.words.number(found.asking)} {'asks' if found.asking == 1 else 'ask'} to join"
        query = {"status": "pending"}
        calls.append(Call(Badge("pending", "warn"), name, affiliates.PATH, "approve or reject", "Look", None, query))
    if found.unsent_mails and not visit.desk.mails:
        name = f"{visit.words.number(found.unsent_mails)} unsent {'mail' if found.unsent_mails == 1 else 'mails'}"
        why, query = "no mail relay is set: hand their links on", {"status": "unsent"}
        calls.append(Call(Badge("unsent", "warn"), name, mails.PATH, why, "Look", None, query))
    return calls


def _call(visit: Visit, need: Need) -> Call:
    endpoint, (deed, title) = need.endpoint, _MOVES.get(need.state, (None, "See why"))
    held = f"{visit.words.number(need.held)} held" if need.held else ""
    act = f"{endpoints.PATH}/{endpoint.id}/{deed}" if deed and visit.may("admin") else None
    return Call(
        endpoints.state_badge(need.state),
        endpoint.description or endpoint.url,
        f"{endpoints.PATH}/{endpoint.id}",
        ", ".join(part for part in (need.why, held) if part),
        title if act or not deed else "Look",
        act,
    )


def _recent(visit: Visit, tx: Tx) -> dict[str, Any]:
    """Return the newest events as rows that stay up to date by themselves."""
    listing = events.LISTING
    loaded = listing.load(visit, tx, Query({}, None, RECENT, oldest=False))
    after = events.newest(visit, tx)
    return {
        "listing": listing,
        "columns": [one for one in listing.columns if one.name in _RECENT_COLUMNS],
        "rows": loaded.rows,
        "selectable": False,
        "most": RECENT,
        "live_url": visit.url(f"{listing.path}/live", after=after, columns=",".join(_RECENT_COLUMNS)),
    }


NAV: Final = (Nav("Program", "Home", HOME),)
ROUTES: Final[tuple[Route, ...]] = (Page(HOME, "home/page.html", view),)
