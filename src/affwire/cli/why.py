"""`affwire why`: what became of an event at each endpoint, in sentences."""

from collections.abc import Iterator
from typing import Any, Final

from rich.text import Text
from rich.tree import Tree

from affwire.cli.client import Client, at
from affwire.cli.terminal import console, show_json
from affwire.errors import NotFound

STYLES: Final = {"delivered": "green", "exhausted": "red", "cancelled": "red", "silent": "dim"}
WAITING: Final = "yellow"


def explain(client: Client, event_id: str, endpoint_id: str | None, *, as_json: bool) -> None:
    """Print an event's fates, or that of one endpoint. Raises NotFound for an endpoint that has none."""
    event = client.get(at("/v1/events", event_id))
    fates = [fate for fate in event["endpoints"] if endpoint_id in {None, fate["endpoint_id"]}]
    if endpoint_id is not None and not fates:
        raise NotFound("endpoint_not_found", f"No endpoint {endpoint_id} has anything to do with {event_id}.")
    if as_json:
        show_json({**event, "endpoints": fates})
        return
    console().print(_tree(event, fates), soft_wrap=True)


def sentences_of(fate: dict[str, Any]) -> Iterator[str]:
    """Yield what became of an event at one endpoint: one sentence for each delivery, or one for the silence."""
    if not fate["deliveries"]:
        yield f"nothing was said: {fate['reason']}"
    for delivery in fate["deliveries"]:
        yield f"{_said(delivery)} ({delivery['id']})"


def _tree(event: dict[str, Any], fates: list[dict[str, Any]]) -> Tree:
    actor = " ".join(part for part in (event["actor"]["kind"], event["actor"]["id"]) if part)
    tree = Tree(Text(f"{event['id']}  {event['type']}  {event['occurred_at']}  by {actor}", style="bold"))
    for fate in fates:
        asks = f"  asks for {', '.join(fate['event_types'])}" if fate["event_types"] else ""
        branch = tree.add(Text(f"{fate['endpoint_id']}  {fate['dialect']}  {fate['url']}{asks}"))
        for sentence in sentences_of(fate):
            branch.add(Text(sentence, style=STYLES.get(fate["outcome"], WAITING)))
    if not fates:
        tree.add(Text("There is no endpoint.", style="dim"))
    return tree


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
            return f"{word} was given up after {tries}{because}"
    return f"{word} was {delivery['status']}{because}"


def _until(delivery: dict[str, Any]) -> str:
    due_at = delivery["due_at"]
    return f"until {due_at}" if due_at else "for what was said before it"
