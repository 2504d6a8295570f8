"""`affwire render` and `affwire diff`: an event in the words of a dialect, and what two dialects say differently."""

import base64
import difflib
import json
from typing import Any, Final

from rich.text import Text

from affwire.cli.client import Client, at
from affwire.cli.terminal import console, show_json

COLOURS: Final = {"+": "green", "-": "red", "@": "cyan"}


def render(client: Client, event_id: str, dialect: str | None, *, as_json: bool) -> None:
    """Print what one dialect, or each, would send for an event."""
    seen = _seen(client, event_id, dialect)
    if as_json:
        show_json(seen)
        return
    for view in seen["dialects"]:
        console().print("\n".join(lines(view)), soft_wrap=True)


def diff(client: Client, event_id: str, one: str, other: str, *, as_json: bool) -> None:
    """Print what differs between two dialects' requests for an event, as a unified diff."""
    views = [_seen(client, event_id, name)["dialects"][0] for name in (one, other)]
    differences = list(difflib.unified_diff(lines(views[0]), lines(views[1]), one, other, lineterm=""))
    if as_json:
        show_json({"event_id": event_id, "dialects": views, "diff": differences})
        return
    for line in differences:
        console().print(Text(line, style=COLOURS.get(line[:1], "")), soft_wrap=True)


def lines(view: dict[str, Any]) -> list[str]:
    """Return a dialect's requests as lines a person can read and a diff can compare."""
    if not view["requests"]:
        return [f"{view['dialect']} says nothing: {view['reason']}", ""]
    return [line for request in view["requests"] for line in _lines(view["dialect"], request)]


def _lines(dialect: str, request: dict[str, Any]) -> list[str]:
    head = f"{dialect}  {request['word']}  {request['subject_id']}"
    if request["reason"]:
        return [head, f"cannot be said: {request['reason']}", ""]
    headers = [f"{name}: {value}" for name, value in request["headers"]]
    return [head, *headers, "", *_pretty(request), ""]


def _pretty(request: dict[str, Any]) -> list[str]:
    body = base64.b64decode(request["body"]).decode("latin-1") if request["body_base64"] else request["body"]
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False).splitlines()
    except ValueError:
        return str(body).splitlines()


def _seen(client: Client, event_id: str, dialect: str | None) -> dict[str, Any]:
    seen: dict[str, Any] = client.get(f"{at('/v1/events', event_id)}/render", dialect=dialect)
    return seen
