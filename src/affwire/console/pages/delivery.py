"""One delivery: when it was tried and what came of it, what went over the wire, whether our signature fits, and why not."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

from affwire.console import causes, charts, recipes
from affwire.console.pages.deliveries import PATH, status_badge
from affwire.console.routes import Action, Page, Route
from affwire.console.visit import Visit
from affwire.dialects.base import Dialect, Trust
from affwire.errors import Broken, Conflict, NotFound, NotGenuine
from affwire.model import canonical
from affwire.model.deliveries import AttemptRecord, Delivery
from affwire.model.endpoints import Endpoint
from affwire.model.wire import Message
from affwire.services import deliveries, endpoints, journal
from affwire.services.journal import MASK
from affwire.store.tx import Tx

TABS: Final = ("request", "response", "signature", "timing", "event", "do")
_TITLES: Final = {"do": "Do this with"}
SHOWN_MAX: Final = 12_000
"""Characters of a body that a page shows: the file behind it has all of them."""
_ONE: Final = f"{PATH}/{{delivery_id}}"
_WAITS: Final = ("pending", "held", "leased")


class Proof(Struct, frozen=True):
    """Whether what was sent carries a signature that fits. `keys`: last 4 characters, and whether that secret makes it."""

    verdict: str
    fits: bool | None
    headers: Sequence[tuple[str, str]]
    keys: Sequence[tuple[str, bool]] = ()


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return a delivery with its attempts, one of which is looked at. Raises NotFound."""
    found = deliveries.get(tx, visit.organization_id, visit.path["delivery_id"])
    endpoint = tx.registry.endpoints([found.endpoint_id])[found.endpoint_id]
    attempts = tx.outbox.attempts_of([found.id]).get(found.id, [])
    event = tx.log.by_ids([found.event_id]).get(found.event_id)
    chosen = _chosen(attempts, visit.parameters.number("attempt"))
    tab = visit.parameters.choice("tab", TABS) or TABS[0]
    shown = journal.attempt(chosen) if chosen else None
    return {
        "title": found.word,
        "delivery": found,
        "endpoint": endpoint,
        "event": event,
        "status": status_badge(found),
        "attempts": attempts,
        "chosen": chosen,
        "shown": shown,
        "tab": tab,
        "tabs": [(_TITLES.get(one, one.capitalize()), visit.here(tab=one), one == tab) for one in TABS],
        "why": causes.of(found, endpoint, attempts[-1] if attempts else None),
        "refusal": _refusal(tx, found, endpoint),
        "waits": found.status in _WAITS,
        "acknowledged_ms": _acknowledged(found),
        "part": _part(visit, tx, tab, chosen, found),
        "recipes": recipes.delivery(visit.public_url, found.id, found.event_id, shown["request"] if shown else None),
        "text": _text,
    }


async def replay(visit: Visit) -> Response:
    """Send it again. Raises NotFound, Conflict."""
    again = await visit.run(lambda tx: deliveries.replay(tx, visit.organization_id, visit.path["delivery_id"]))
    said = f"It is held: {again.reason}." if again.status == "held" else "It goes out again, with the same event id."
    return visit.go(f"{PATH}/{again.id}", said, good=again.status != "held")


async def cancel(visit: Visit) -> Response:
    """End it, if it waits. Raises NotFound, Conflict."""
    ended = await visit.run(lambda tx: deliveries.cancel(tx, visit.organization_id, visit.path["delivery_id"]))
    return visit.go(f"{PATH}/{ended.id}", "Cancelled: it will not be sent.")


def _chosen(attempts: Sequence[AttemptRecord], number: int | None) -> AttemptRecord | None:
    """Return the attempt of that number, the latest without one. Raises NotFound."""
    if number is None:
        return attempts[-1] if attempts else None
    named = next((one for one in attempts if one.number == number), None)
    if named is None:
        raise NotFound("attempt_not_found", f"attempt: there is no try {number} of this delivery.", parameter="attempt")
    return named


def _refusal(tx: Tx, found: Delivery, endpoint: Endpoint) -> str | None:
    """Return why it cannot be sent again just now."""
    try:
        deliveries.check_replay(tx, found, endpoint)
    except Conflict as error:
        return error.sentence
    return None


def _acknowledged(found: Delivery) -> int | None:
    return found.settled_at - found.created_at if found.status == "delivered" and found.settled_at is not None else None


def _part(visit: Visit, tx: Tx, tab: str, chosen: AttemptRecord | None, found: Delivery) -> Mapping[str, Any]:
    """Return what the open tab shows beyond the attempt itself."""
    if tab == "signature":
        endpoint = tx.registry.endpoints([found.endpoint_id])[found.endpoint_id]
        return {"proof": _proof(tx, chosen, endpoint, visit.desk.dialects.get(endpoint.dialect))}
    if tab == "timing" and chosen is not None and chosen.timings is not None:
        took, error = chosen.timings, chosen.error
        return {"phases": charts.phases(took, error), "bar": charts.phase_bar(took, error)}
    event = tx.log.by_ids([found.event_id]).get(found.event_id)
    if tab == "event" and event is not None:
        return {"json": recipes.indented(msgspec.json.encode(canonical.event(event)).decode())[:SHOWN_MAX]}
    return {}


def _proof(tx: Tx, chosen: AttemptRecord | None, endpoint: Endpoint, dialect: Dialect | None) -> Proof | None:
    """Return whether the endpoint's secrets of today make the signature that this attempt carried."""
    kept = journal.attempt(chosen)["request"] if chosen else None
    if chosen is None or kept is None or dialect is None:
        return None
    form = dialect.card.authentication
    names = {name.casefold() for name in dialect.card.written(endpoint.options)}
    carried = [(name, value) for name, value in kept["headers"] if name.casefold() in names]
    if form.kind == "none":
        return Proof("This dialect signs nothing: its platform has no secret.", None, carried)
    if form.kind == "bearer":
        sent = any(value == MASK for _, value in kept["headers"])
        return Proof("A bearer token went along." if sent else "No token is set, so none went along.", sent, carried)
    try:
        secrets = endpoints.recipient(tx, endpoint)[0].secrets
    except Broken as error:
        return Proof(f"The endpoint's secret cannot be opened: {error.code}.", False, carried)
    body = base64.b64decode(kept["body"]) if kept["body_base64"] else kept["body"].encode()
    message = Message(headers=tuple((name, value) for name, value in kept["headers"]), body=body)
    keys = [(secret[-4:], _fits(dialect, message, secret, endpoint, chosen.started_at)) for secret in secrets]
    fits = any(good for _, good in keys)
    verdict = "It fits: a receiver with this secret takes it as genuine."
    return Proof(verdict if fits else "No secret of today makes it: the secret was changed since.", fits, carried, keys)


def _fits(dialect: Dialect, message: Message, secret: str, endpoint: Endpoint, at: int) -> bool:
    try:
        dialect.verify(message, Trust(secrets=(secret,), options=endpoint.options), at)
    except NotGenuine:
        return False
    return True


def _text(kept: Mapping[str, Any]) -> str:
    """Return a kept body as a page shows it."""
    return recipes.indented(kept["body"])[:SHOWN_MAX]


ROUTES: Final[tuple[Route, ...]] = (
    Page(_ONE, "delivery/page.html", view),
    Action(f"{_ONE}/replay", replay),
    Action(f"{_ONE}/cancel", cancel),
)
