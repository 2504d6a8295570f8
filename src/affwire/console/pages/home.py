"""Home: how it goes just now, what needs somebody and the button for it, what has just happened."""

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup
from msgspec import Struct, structs

from affwire.console import causes, states
from affwire.console.app_paths import HOME
from affwire.console.bars import Bars, bars
from affwire.console.listing import Badge, Query
from affwire.console.pages import affiliates, deliveries, endpoints, events, inbox, jobs, mails
from affwire.console.routes import Nav, Page, Route
from affwire.console.visit import Visit
from affwire.services import overview
from affwire.services.overview import SPANS, Need, Overview
from affwire.store.tx import Tx

RECENT: Final = 8
"""Events that the page shows; more slide in and push the oldest out."""
JOBS_MAX: Final = 5
FAILING_MAX: Final = 3
"""Failing endpoints that are named one by one; the others are a number, so that they push nothing else out of sight."""
_RECENT_COLUMNS: Final = ("type", "about", "heard", "occurred_at")
_NAMES: Final = {"1h": "hour", "24h": "day", "7d": "7 days"}
_FAILING: Final = ("tripped", "failing")


class Call(Struct, frozen=True):
    """What needs somebody: a state, what it is about, why in sentences, and the button: a link, or a POST (`act`).

    `mend`: where the link leads, if not to what it is about.
    """

    badge: Badge
    name: str
    path: str
    why: str
    button: str
    act: str | None = None
    query: dict[str, str] = {}
    mend: str | None = None


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return the overview of the organization. Raises NotFound where there is none yet."""
    span = visit.parameters.choice("span", SPANS) or overview.span(tx, visit.organization_id)
    found = overview.of(tx, visit.organization_id, span)
    running = [
        one for one in tx.jobs.page(visit.organization_id, before=None, limit=JOBS_MAX) if one.status == "running"
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
        "kinds": jobs.KINDS,
        **_recent(visit, tx),
    }


def _chart(visit: Visit, found: Overview, span: str) -> Bars:
    title, since = f"Attempts of the last {_NAMES[span]}", visit.words.now - found.span_ms
    return bars(found.series, title=title, since=since, span_ms=found.span_ms, words=visit.words)


def _calls(visit: Visit, found: Overview, span: str) -> list[Call]:
    """Return what needs somebody, the worst first."""
    failing = [need for state in _FAILING for need in found.needs if need.state == state]
    calls = [_call(visit, need) for need in found.needs if need not in failing[FAILING_MAX:]]
    calls += _more_failing(visit, len(failing) - FAILING_MAX) + _people(visit, found)
    calls += _given_up(visit, found, span) + _parked(visit, found)
    return sorted(calls, key=lambda one: one.badge.tone != "bad")


def _given_up(visit: Visit, found: Overview, span: str) -> list[Call]:
    if not found.exhausted:
        return []
    name = f"{visit.words.count(found.exhausted, 'delivery', 'deliveries')} given up"
    badge, query = states.badge(states.DELIVERIES, "exhausted"), {"status": "exhausted", "since": span}
    why = "Every try failed. Mend the receiver, then send again."
    return [
        _all_again(visit, Call(badge, name, deliveries.PATH, why, "Send again", None, query, deliveries.REPLAY_ALL))
    ]


def _parked(visit: Visit, found: Overview) -> list[Call]:
    parked = found.inbox.get("parked", 0)
    if not parked:
        return []
    name = f"{visit.words.count(parked, 'message')} could not be carried out"
    badge, query = states.badge(states.MESSAGES, "parked"), {"status": "parked"}
    why = "Nothing is lost. Mend what is named there, then process again."
    return [_all_again(visit, Call(badge, name, inbox.PATH, why, "Process again", None, query, inbox.REPROCESS_ALL))]


def _all_again(visit: Visit, call: Call) -> Call:
    """Return a call with its button for whoever may press it; the others look."""
    return call if visit.may("registry") else structs.replace(call, button="See them", mend=None)


def _more_failing(visit: Visit, count: int) -> list[Call]:
    if count <= 0:
        return []
    name = f"{visit.words.number(count)} more {'endpoint is' if count == 1 else 'endpoints are'} failing"
    return [Call(endpoints.state_badge("failing"), name, endpoints.PATH, "The page of each says why.", "See them")]


def _people(visit: Visit, found: Overview) -> list[Call]:
    """Return who asks for a decision, and for a link that no relay sends; only to whom may see to it."""
    calls: list[Call] = []
    if not visit.may("registry"):
        return calls
    if found.asking:
        name = f"{visit.words.count(found.asking, 'person asks', 'people ask')} to join"
        badge, query = affiliates.badge("pending"), {"status": "pending"}
        calls.append(Call(badge, name, affiliates.PATH, "Approve or reject them.", "See them", None, query))
    if found.unsent_mails and not visit.desk.mails:
        name = visit.words.count(found.unsent_mails, "unsent mail")
        why, query = "No mail relay is set. Hand their links on yourself.", {"status": "unsent"}
        calls.append(Call(states.badge(states.MAILS, "unsent"), name, mails.PATH, why, "See them", None, query))
    return calls


def _call(visit: Visit, need: Need) -> Call:
    endpoint, say = need.endpoint, visit.words
    why = causes.of_endpoint(endpoint, need.state, need.health, say)
    assert why is not None and why.button is not None  # noqa: S101, PT018 -- whoever needs somebody has a reason
    held = Markup(" {} held.").format(say.count(need.held, "delivery is", "deliveries are")) if need.held else ""
    acts = why.act and visit.may("admin")
    return Call(
        endpoints.state_badge(need.state),
        endpoint.called,
        f"{endpoints.PATH}/{endpoint.id}",
        Markup("{}{}").format(why.happened, held),
        why.button if acts or not why.act else "See why",
        why.path if acts else None,
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
