"""`affwire render` and `affwire diff`: an event in the words of a dialect, and what two dialects say differently."""

import base64
import difflib
import json
from typing import Any, Final

from affwire.cli.client import Client
from affwire.cli.spelling import unknown_dialect
from affwire.cli.talking import at
from affwire.cli.terminal import show_json, show_line

COLOURS: Final = {"+": "green", "-": "red", "@": "cyan"}


def render(client: Client, event_id: str, dialect: str | None, *, as_json: bool) -> None:
    """Print what one dialect, or each, would send for an event. Raises NotFound("unknown_dialect")."""
    seen = _seen(client, event_id)
    views = seen["dialects"] if dialect is None else [_view(seen, dialect)]
    if as_json:
        show_json({**seen, "dialects": views})
        return
    for view in views:
        for line in lines(view):
            show_line(line)


def diff(client: Client, event_id: str, one: str, other: str, *, as_json: bool) -> None:
    """Print what differs between two dialects' requests for an event, as a unified diff. Raises as `render`."""
    seen = _seen(client, event_id)
    views = [_view(seen, name) for name in (one, other)]
    differences = list(difflib.unified_diff(lines(views[0]), lines(views[1]), one, other, lineterm=""))
    if as_json:
        show_json({"event_id": event_id, "dialects": views, "diff": differences})
        return
    for line in differences:
        show_line(line, COLOURS.get(line[:1], ""))


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


def _view(seen: dict[str, Any], dialect: str) -> dict[str, Any]:
    views: dict[str, dict[str, Any]] = {view["dialect"]: view for view in seen["dialects"]}
    if dialect not in views:
        raise unknown_dialect(dialect, views)
    return views[dialect]


def _seen(client: Client, event_id: str) -> dict[str, Any]:
    """Return the event in every dialect of the server's, which may have others installed than this machine."""
    seen: dict[str, Any] = client.get(f"{at('/v1/events', event_id)}/render")
    return seen
