"""One endpoint: how it does, what it is set to, its secret, a test, pausing and disabling it, telling it what it missed."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from markupsafe import Markup
from msgspec import structs
from starlette.responses import Response

from affwire.console import causes, policies, previews, recipes
from affwire.console.bars import bars
from affwire.console.facets import SINCE
from affwire.console.pages.deliveries import status_badge
from affwire.console.pages.endpoints import DAY_MS, PATH, coverage, shown_once, state_badge
from affwire.console.previews import Preview
from affwire.console.routes import Action, Answer, Page, Route
from affwire.console.visit import Visit
from affwire.console.words import apart
from affwire.dialects.base import Card
from affwire.engine import testsend
from affwire.errors import Busy, Refused
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
    "pause": ({"paused": True}, "is paused: its deliveries are made, and held until you resume it."),
    "resume": ({"paused": False}, "is resumed: what was held goes out."),
    "enable": ({"enabled": True}, "is enabled: what was held goes out."),
    "disable": ({"enabled": False}, "is disabled: no delivery is made for it until you enable it."),
}
_GOES: Final = "They go out at once, in order, as fast as its policy lets them."
_STAYS: Final = "Nothing goes out: it does not go on yet."


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return an endpoint with the part of the open tab. Raises NotFound."""
    endpoint = find(visit, tx)
    tab = visit.parameters.choice("tab", TABS) or TABS[0]
    card = visit.desk.dialects[endpoint.dialect].card if endpoint.dialect in visit.desk.dialects else None
    known = tx.health.get(endpoint.id)
    state = health.state(endpoint, known)
    return {
        "title": endpoint.called,
        "endpoint": endpoint,
        "path": f"{PATH}/{endpoint.id}",
        "card": card,
        "health": health.shown(tx, endpoint.organization_id, endpoint.id, 24),
        "state": state_badge(state),
        "known": known,
        "probe_at": known.tripped_until if state == "tripped" else None,
        "why": causes.of_endpoint(endpoint, state, known, visit.words) if state != "paused" else None,
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
    span = visit.parameters.choice("span", _SPANS) or "24h"
    length, pieces = _SPANS[span]
    fit = fitness.of_one(tx, endpoint.organization_id, endpoint.id, length, pieces)
    wanted = Wanted(endpoint_id=endpoint.id)
    look = tx.browse.deliveries(endpoint.organization_id, wanted, place=None, limit=_DELIVERIES, oldest=False)
    counts = {outcome: sum(values) for outcome, values in fit.series.items()}
    return {
        "fit": fit,
        "counts": counts,
        "spans": [(name, visit.here(span=name), name == span) for name in _SPANS],
        "chart": bars(fit.series, title="Attempts", since=tx.now - length, span_ms=length, words=visit.words),
        "rows": [(one, status_badge(one.delivery)) for one in look.rows],
    }


def _asks(endpoint: Endpoint, name: str, words: list[str]) -> bool:
    """Return whether the endpoint wants an event: by its name, or by one of the words for it."""
    return not endpoint.event_types or any(covers(one, each) for one in endpoint.event_types for each in (name, *words))


async def pause(visit: Visit) -> Response:
    """Pause an endpoint. Raises NotFound, Refused."""
    return await _put(visit, "pause")


def _sending(name: str) -> tuple[Route, ...]:
    """Return the routes of a state in which what is held goes out: that is shown first, where anything does."""

    async def look(visit: Visit) -> Preview:
        endpoint, held = await visit.read(lambda tx: _held(visit, tx, name))
        deed, link = name.capitalize(), visit.url("/deliveries", endpoint=endpoint.id, status="held")
        said = visit.words.count(held, "delivery is", "deliveries are")
        facts = [
            Markup('<a href="{}">{} held</a> for it. {}').format(link, said, _GOES if held else _STAYS),
            "What is made for it meanwhile goes along.",
        ]
        return Preview(
            title=f"{deed} {apart(endpoint.called)}?",
            facts=facts,
            button=f"{deed} it and send {held:,}" if held else f"{deed} the endpoint",
            back=f"{PATH}/{endpoint.id}",
            count=held,
        )

    async def do(visit: Visit) -> Response:
        _, held = await visit.read(lambda tx: _held(visit, tx, name))
        if held:
            previews.check_confirmed(visit)
        return await _put(visit, name)

    return previews.asked(f"{ONE}/{name}", look, do, "admin", always=False)


def _held(visit: Visit, tx: Tx, name: str) -> tuple[Endpoint, int]:
    """Return the endpoint, and how many deliveries a new state of it lets go. Raises NotFound."""
    endpoint = find(visit, tx)
    after = structs.replace(endpoint, **_STATES[name][0])
    goes = endpoint.waits_because is not None and after.waits_because is None
    return endpoint, tx.health.backlog(endpoint.id).held if goes else 0


async def before_disabling(visit: Visit) -> Preview:
    """Show what disabling an endpoint holds. Raises NotFound."""
    facts = [
        "Nothing is made for it any more. What happens meanwhile, Recover tells it later.",
        f"{await _unfinished(visit)} held until it is enabled.",
    ]
    return await _asked(visit, "Disable", facts)


async def disable(visit: Visit) -> Response:
    """Disable an endpoint. Raises NotFound."""
    return await _put(visit, "disable")


async def before_deleting(visit: Visit) -> Preview:
    """Show what deleting an endpoint cancels. Raises NotFound."""
    facts = [
        "It is told nothing any more, for good. Its deliveries stay on record.",
        f"{await _unfinished(visit)} cancelled.",
    ]
    return await _asked(visit, "Delete", facts)


async def delete(visit: Visit) -> Response:
    """Delete an endpoint. Raises NotFound."""
    endpoint = await visit.read(lambda tx: find(visit, tx))
    await visit.run(lambda tx: endpoints.delete(tx, organizations.get(tx, visit.organization_id), endpoint.id))
    return visit.go(PATH, f"{apart(endpoint.called)} is deleted.")


async def _put(visit: Visit, name: str) -> Response:
    """Give an endpoint a state, by the name of the way there."""
    endpoint = await visit.read(lambda tx: find(visit, tx))
    fields, said = _STATES[name]
    await visit.run(lambda tx: update(visit, tx, endpoint.id, Wish(fields=fields)))
    return visit.go(f"{PATH}/{endpoint.id}", f"{apart(endpoint.called)} {said}")


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

    endpoint, secret = await visit.run(rotated)
    return shown_once(visit, endpoint, card_of(visit.desk.dialects, endpoint.dialect), secret, "A new secret")


async def _unfinished(visit: Visit) -> str:
    backlog = await visit.read(lambda tx: tx.health.backlog(visit.path["endpoint_id"]))
    count = backlog.pending + backlog.held + backlog.leased
    return f"{count:,} unfinished {'delivery is' if count == 1 else 'deliveries are'}"


async def _asked(visit: Visit, deed: str, facts: list[str]) -> Preview:
    endpoint = await visit.read(lambda tx: find(visit, tx))
    return Preview(
        title=f"{deed} {apart(endpoint.called)}?",
        facts=facts,
        button=f"{deed} the endpoint",
        back=f"{PATH}/{endpoint.id}",
        danger=True,
    )


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
    *previews.asked(f"{ONE}/delete", before_deleting, delete, "admin"),
    *previews.asked(f"{ONE}/disable", before_disabling, disable, "admin"),
    Action(f"{ONE}/test", test, scope="admin"),
    Action(f"{ONE}/rotate", rotate, scope="admin"),
    Action(f"{ONE}/pause", pause, scope="admin"),
    *_sending("resume"),
    *_sending("enable"),
)
