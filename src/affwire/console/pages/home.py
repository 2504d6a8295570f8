"""Home: how it goes just now, what needs somebody and the button for it, what has just happened."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from affwire.console import charts
from affwire.console.app_paths import HOME
from affwire.console.listing import Badge, Query
from affwire.console.pages import deliveries, endpoints, events
from affwire.console.routes import Nav, Page, Route
from affwire.console.visit import Visit
from affwire.services import overview
from affwire.services.overview import SPAN, SPANS, Need, Overview
from affwire.store.tx import Tx

RECENT: Final = 8
"""Events that the page shows; more slide in and push the oldest out."""
JOBS_MAX: Final = 5
_RECENT_COLUMNS: Final = ("type", "about", "heard", "occurred_at")
_NAMES: Final = {"1h": "hour", "24h": "day", "7d": "7 days"}
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
    calls = [_call(visit, need) for need in found.needs]
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
