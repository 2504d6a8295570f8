"""`affwire why`: what became of an event at each endpoint, in sentences."""

from collections.abc import Iterator
from typing import Any, Final

from affwire.cli.client import Client
from affwire.cli.spelling import hint
from affwire.cli.talking import at
from affwire.cli.terminal import show_json, show_line
from affwire.errors import NotFound

STYLES: Final = {"delivered": "green", "exhausted": "red", "cancelled": "red", "silent": "dim"}
WAITING: Final = "yellow"


def explain(client: Client, event_id: str, endpoint_id: str | None, *, as_json: bool) -> None:
    """Print an event's fates, or that of one endpoint. Raises NotFound for an endpoint that has none."""
    event = client.get(at("/v1/events", event_id))
    fates = [fate for fate in event["endpoints"] if endpoint_id in {None, fate["endpoint_id"]}]
    if endpoint_id is not None and not fates:
        raise NotFound("endpoint_not_found", _not_among(endpoint_id, event))
    if as_json:
        show_json({**event, "endpoints": fates})
        return
    for line, style in _tree(event, fates):
        show_line(line, style)


def _not_among(endpoint_id: str, event: dict[str, Any]) -> str:
    ids = [fate["endpoint_id"] for fate in event["endpoints"]]
    told = hint(endpoint_id, ids) if ids else "there is no endpoint."
    return f"No endpoint {endpoint_id} has anything to do with {event['id']}; {told}"


def sentences_of(fate: dict[str, Any]) -> Iterator[str]:
    """Yield what became of an event at one endpoint: one sentence for each delivery, or one for the silence."""
    if not fate["deliveries"]:
        yield f"nothing was said: {fate['reason']}"
    for delivery in fate["deliveries"]:
        yield f"{_said(delivery)} ({delivery['id']})"


def _tree(event: dict[str, Any], fates: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the lines of the tree, each with its style: the event, its endpoints, what became of it there."""
    actor = " ".join(part for part in (event["actor"]["kind"], event["actor"]["id"]) if part)
    yield f"{event['id']}  {event['type']}  {event['occurred_at']}  by {actor}", "bold"
    for fate, (twig, below) in zip(fates, _twigs(len(fates)), strict=True):
        asks = f"  asks for {', '.join(fate['event_types'])}" if fate["event_types"] else ""
        yield f"{twig}{fate['endpoint_id']}  {fate['dialect']}  {fate['url']}{asks}", ""
        told = list(sentences_of(fate))
        for sentence, (leaf, _) in zip(told, _twigs(len(told)), strict=True):
            yield f"{below}{leaf}{sentence}", STYLES.get(fate["outcome"], WAITING)
    if not fates:
        yield "└── There is no endpoint; `affwire endpoints add URL` makes one.", "dim"


def _twigs(count: int) -> list[tuple[str, str]]:
    """Return what stands before each of so many branches, and before what grows on it."""
    return [("├── ", "│   ")] * (count - 1) + [("└── ", "    ")] * bool(count)


def _said(delivery: dict[str, Any]) -> str:
    word, reason = delivery["word"], delivery["reason"]
    because = f": {reason}" if reason else ""
    tries = f"{delivery['attempts']} {'try' if delivery['attempts'] == 1 else 'tries'}"
    match delivery["status"]:
        case "delivered":
            return f"{word} was delivered, {tries}"
        case "leased":
            return f"{word} is under way, try {delivery['attempts']}"
        case "pending":
            return f"{word} waits {_until(delivery)}, {tries} so far{because}"
        case "held":
            return f"{word} is held{because}"
        case "exhausted":
            return f"{word} was not delivered, {tries}{because}"
    return f"{word} was {delivery['status']}{because}"


def _until(delivery: dict[str, Any]) -> str:
    due_at = delivery["due_at"]
    return f"until {due_at}" if due_at else "for what was said before it"
