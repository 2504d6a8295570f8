"""One endpoint: how it does, what it is set to, its secret, a test, pausing and disabling it, telling it what it missed."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response

from affwire.console import charts, policies, previews, recipes
from affwire.console.listing import SINCE
from affwire.console.pages.deliveries import status_badge
from affwire.console.pages.endpoints import DAY_MS, PATH, coverage, shown_once, state_badge
from affwire.console.routes import Action, Answer, Page, Route
from affwire.console.visit import Visit
from affwire.dialects.base import Card
from affwire.engine import testsend
from affwire.errors import Busy, NotFound, Refused
from affwire.model.endpoints import Endpoint
from affwire.rules.matching import covers
from affwire.rules.retry import overridden
from affwire.services import endpoints, fitness, health, organizations, rotation
from affwire.services.actions import found
from affwire.services.endpoints import Wish, card_of
from affwire.store.browse import Wanted
from affwire.store.tx import Tx

TABS: Final = ("overview", "settings", "secret", "recover", "do")
_TITLES: Final = {"do": "Do this with"}
_SPANS: Final = {"1h": (DAY_MS // 24, 60), "24h": (DAY_MS, 48), "7d": (7 * DAY_MS, 84)}
"""Of each span its length (ms) and the pieces of its chart."""
_DELIVERIES: Final = 10
OVERLAPS: Final = (("0", "none: it ends now"), ("3600", "an hour"), ("86400", "a day"), ("604800", "a week"))
"""Seconds for which the old secret signs beside the new one."""
ONE: Final = f"{PATH}/{{endpoint_id}}"
_STATES: Final[Mapping[str, tuple[dict[str, bool], str]]] = {
    "pause": ({"paused": True}, "Paused: what is said to it is made, and waits."),
    "resume": ({"paused": False}, "Resumed: what waited goes out."),
    "enable": ({"enabled": True}, "Enabled: what was held goes out."),
    "disable": ({"enabled": False}, "Disabled: nothing is made for it any more."),
}


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return an endpoint with the part of the open tab. Raises NotFound."""
    endpoint = find(visit, tx)
    asked = visit.asked("tab")
    tab = asked if asked in TABS else TABS[0]
    card = visit.desk.dialects[endpoint.dialect].card if endpoint.dialect in visit.desk.dialects else None
    return {
        "title": endpoint.description or endpoint.url,
        "endpoint": endpoint,
        "path": f"{PATH}/{endpoint.id}",
        "card": card,
        "health": health.shown(tx, endpoint.organization_id, endpoint.id, 24),
        "state": state_badge(health.state(endpoint, tx.health.get(endpoint.id))),
        "known": tx.health.get(endpoint.id),
        "tab": tab,
        "tabs": [(_TITLES.get(one, one.capitalize()), visit.here(tab=one, span=None), one == tab) for one in TABS],
        "part": _part(visit, tx, endpoint, card, tab),
    }


def _part(visit: Visit, tx: Tx, endpoint: Endpoint, card: Card | None, tab: str) -> Mapping[str, Any]:
    if tab == "overview":
        return _overview(visit, tx, endpoint)
    if tab == "settings" and card is not None:
        own = overridden(card.policy(), endpoint.policy)
        said = [(name, words, _asks(endpoint, name, words)) for name, _, words in coverage(card)]
        return {"policy": policies.shown(own, endpoint.policy), "said": said}
    if tab == "secret":
        return {"secrets": endpoints.live_secrets(endpoint, tx.now), "overlaps": OVERLAPS}
    if tab == "recover":
        return {"since": SINCE}
    return {"recipes": recipes.endpoint(visit.public_url, endpoint.id)}


def _overview(visit: Visit, tx: Tx, endpoint: Endpoint) -> Mapping[str, Any]:
    asked = visit.asked("span")
    span = asked if asked in _SPANS else "24h"
    length, pieces = _SPANS[span]
    fit = fitness.of_one(tx, endpoint.organization_id, endpoint.id, length, pieces)
    wanted = Wanted(endpoint_id=endpoint.id)
    look = tx.browse.deliveries(endpoint.organization_id, wanted, place=None, limit=_DELIVERIES, oldest=False)
    counts = {outcome: sum(values) for outcome, values in fit.series.items()}
    return {
        "fit": fit,
        "counts": counts,
        "spans": [(name, visit.here(span=name), name == span) for name in _SPANS],
        "chart": charts.bars(
            fit.series,
            title="Attempts",
            described=", ".join(f"{count} {outcome}" for outcome, count in counts.items()),
            ends=(f"{visit.words.span(length)} ago", "now"),
        ),
        "rows": [(one, status_badge(one.delivery)) for one in look.rows],
    }


def _asks(endpoint: Endpoint, name: str, words: list[str]) -> bool:
    """Return whether the endpoint wants an event: by its name, or by one of the words for it."""
    return not endpoint.event_types or any(covers(one, each) for one in endpoint.event_types for each in (name, *words))


async def change_state(visit: Visit) -> Response:
    """Pause, resume, enable or disable an endpoint; to disable it is asked for once more. Raises NotFound, Refused."""
    name = visit.path["state"]
    if name not in _STATES:
        raise NotFound("page_not_found", "There is no such page.")
    endpoint = await visit.read(lambda tx: find(visit, tx))
    fields, said = _STATES[name]
    if name == "disable" and not previews.confirmed(visit):
        facts = [
            "Nothing is made for it any more. What happens meanwhile, Recover tells it later.",
            f"{await _waiting(visit, endpoint.id)} that wait are held until it is enabled.",
        ]
        return _asked(visit, endpoint, "Disable", facts, "/disable")
    await visit.run(lambda tx: update(visit, tx, endpoint.id, Wish(fields=fields)))
    return visit.go(f"{PATH}/{endpoint.id}", said)


async def delete(visit: Visit) -> Response:
    """Delete an endpoint, once that is confirmed. Raises NotFound."""
    endpoint = await visit.read(lambda tx: find(visit, tx))
    if not previews.confirmed(visit):
        facts = [
            "It is told nothing any more, for good. Its deliveries stay on record.",
            f"{await _waiting(visit, endpoint.id)} that wait are cancelled.",
        ]
        return _asked(visit, endpoint, "Delete", facts, "/delete")
    await visit.run(lambda tx: endpoints.delete(tx, organizations.get(tx, visit.organization_id), endpoint.id))
    return visit.go(PATH, f"{endpoint.description or endpoint.url} is deleted.")


async def test(visit: Visit) -> Response:
    """Send a sample and show what came of it; nothing is recorded. Raises NotFound, Busy."""
    desk, endpoint_id = visit.desk, visit.path["endpoint_id"]
    endpoint = await visit.read(lambda tx: find(visit, tx))
    if desk.wire is None:
        raise Busy("no_wire", "This process sends nothing; ask the one that delivers.")
    told = await testsend.send(
        desk.store,
        desk.wire,
        desk.dialects,
        desk.world,
        organization_id=visit.organization_id,
        endpoint_id=endpoint_id,
    )
    context = {"title": "The test arrived" if told["outcome"] == "ok" else "The test did not arrive", "told": told}
    return visit.show("endpoints/test.html", {**context, "endpoint": endpoint, "indented": recipes.indented})


async def rotate(visit: Visit) -> Response:
    """Give an endpoint a new secret and show it, this once. Raises NotFound, Refused, Conflict."""
    overlap = visit.sent("overlap")
    if overlap not in dict(OVERLAPS):
        raise Refused("invalid_overlap", "Choose for how long the old secret still signs.", field="overlap")

    def rotated(tx: Tx) -> tuple[Endpoint, str]:
        organization = organizations.get(tx, visit.organization_id)
        return rotation.rotate(
            tx, organization, visit.desk.dialects, visit.path["endpoint_id"], overlap_ms=int(overlap) * 1000
        )

    endpoint, secret = await visit.run_once(rotated, back=f"{PATH}/{visit.path['endpoint_id']}")
    return shown_once(visit, endpoint, card_of(visit.desk.dialects, endpoint.dialect), secret, "A new secret")


async def _waiting(visit: Visit, endpoint_id: str) -> str:
    backlog = await visit.read(lambda tx: tx.health.backlog(endpoint_id))
    count = backlog.pending + backlog.held + backlog.leased
    return f"{count:,} {'delivery' if count == 1 else 'deliveries'}"


def _asked(visit: Visit, endpoint: Endpoint, deed: str, facts: list[str], path: str) -> Response:
    context = {
        "title": f"{deed} {endpoint.description or endpoint.url}?",
        "facts": facts,
        "fields": [],
        "action": f"{PATH}/{endpoint.id}{path}",
        "button": f"{deed} the endpoint",
        "can": True,
        "danger": True,
        "back": f"{PATH}/{endpoint.id}",
    }
    return visit.show("confirm.html", context)


def find(visit: Visit, tx: Tx) -> Endpoint:
    """Return the endpoint of the page. Raises NotFound."""
    return found(tx, Endpoint, visit.organization_id, visit.path["endpoint_id"])


def update(visit: Visit, tx: Tx, endpoint_id: str, wish: Wish) -> Endpoint:
    """Change an endpoint of the organization. Raises as `endpoints.update` does."""
    organization = organizations.get(tx, visit.organization_id)
    return endpoints.update(tx, organization, visit.desk.dialects, endpoint_id, wish)


async def _health(visit: Visit) -> Response:
    """Answer the endpoint's health as the API shows it. Raises NotFound."""
    shown = await visit.read(lambda tx: health.shown(tx, visit.organization_id, visit.path["endpoint_id"], 24))
    return Response(msgspec.json.encode(shown), media_type="application/json")


ROUTES: Final[tuple[Route, ...]] = (
    Answer(f"{ONE}/health.json", _health),
    Page(ONE, "endpoints/page.html", view),
    Action(f"{ONE}/delete", delete, scope="admin"),
    Action(f"{ONE}/test", test, scope="admin"),
    Action(f"{ONE}/rotate", rotate, scope="admin"),
    Action(f"{ONE}/{{state}}", change_state, scope="admin"),
)
