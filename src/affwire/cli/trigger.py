"""`affwire trigger`: the real action that makes an event of a type, on records made for it alone.

Rule: nothing is pretended. What the action needs is created first, through the API and with events of its own.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from affwire.cli.client import Client
from affwire.cli.talking import at
from affwire.errors import NotFound

Fields = Mapping[str, Any]
_AFFILIATE: Final = "aff_"


class Stage:
    """Makes throw-away records, and remembers them. `fields` go to the record that the event is about."""

    def __init__(self, client: Client, fields: Fields) -> None:
        self.client = client
        self.fields = fields
        self.made: list[str] = []
        self.mark = secrets.token_hex(4)

    def program(self, **fields: Any) -> str:
        """Create a program; return its path."""
        return self._made("programs", {"name": f"Trigger {self.mark}", **fields})

    def affiliate(self, **fields: Any) -> str:
        """Create an affiliate; return its path."""
        return self._made("affiliates", {"email": f"trigger-{self.mark}@example.com", "first_name": "Ada", **fields})

    def member(self, **fields: Any) -> str:
        """Create an affiliate in a program of its own: what Affonso calls a partnership; return the affiliate's path."""
        path = self.affiliate(**fields)
        self._made("memberships", {"program_id": _id(self.program()), "affiliate_id": _id(path)})
        return path

    def membership(self, **fields: Any) -> str:
        """Create a program, an affiliate and the membership between them; return its path."""
        program_id, affiliate_id = _id(self.program()), _id(self.affiliate())
        return self._made("memberships", {"program_id": program_id, "affiliate_id": affiliate_id, **fields})

    def _made(self, noun: str, fields: Fields) -> str:
        record_id: str = self.client.post(f"/v1/{noun}", fields)["id"]
        self.made.append(record_id)
        return f"/v1/{noun}/{record_id}"


def _deleted(stage: Stage, path: str) -> None:
    stage.client.delete(path)


def _changed(stage: Stage, path: str, **default: Any) -> None:
    stage.client.patch(path, {**default, **stage.fields})


def _done(stage: Stage, path: str, action: str) -> None:
    stage.client.post(f"{path}/{action}")


ACTIONS: Final[dict[str, Callable[[Stage], object]]] = {
    "program.created": lambda on: on.program(**on.fields),
    "program.updated": lambda on: _changed(on, on.program(), description="Triggered."),
    "program.deleted": lambda on: _deleted(on, on.program(**on.fields)),
    "affiliate.created": lambda on: on.affiliate(**on.fields),
    "affiliate.confirmed": lambda on: _done(on, on.member(**on.fields), "confirm"),
    "affiliate.updated": lambda on: _changed(on, on.member(), last_name="Triggered"),
    "affiliate.deleted": lambda on: _deleted(on, on.affiliate(**on.fields)),
    "membership.requested": lambda on: on.membership(**{"status": "pending", **on.fields}),
    "membership.activated": lambda on: on.membership(**on.fields),
    "membership.rejected": lambda on: _done(on, on.membership(**{"status": "pending", **on.fields}), "reject"),
    "membership.removed": lambda on: _done(on, on.membership(**on.fields), "remove"),
    "membership.left": lambda on: _done(on, on.membership(**on.fields), "leave"),
    "membership.changed": lambda on: _changed(on, on.membership(), status="suspended"),
    "membership.updated": lambda on: _changed(on, on.membership(), tag="triggered"),
}
"""What makes each canonical event happen, so that each dialect says what it says for it; tests hold this against the
list of event types and against every card."""


def trigger(client: Client, event_type: str, fields: Fields) -> dict[str, Any]:
    """Make an event of a type in ACTIONS happen; return what was made and its id. Raises Unanswered as the server refuses."""
    stage = Stage(client, fields)
    ACTIONS[event_type](stage)
    subject = next((record_id for record_id in stage.made if record_id.startswith(_AFFILIATE)), stage.made[0])
    page = client.get("/v1/events", type=event_type, subject_id=subject, limit=1)
    event_id = page["data"][0]["id"] if page["data"] else None
    return {"type": event_type, "event_id": event_id, "made": stage.made}


def sample(client: Client, word: str, dialect: str) -> list[dict[str, Any]]:
    """Have the dialect's sample of a word sent to every endpoint that speaks it; return how each went. Raises NotFound."""
    endpoints = [one for one in _all(client, "/v1/endpoints") if one["dialect"] == dialect]
    if not endpoints:
        raise NotFound("endpoint_not_found", f"No endpoint speaks {dialect!r}; `affwire endpoints list` shows them.")
    return [client.post(f"{at('/v1/endpoints', one['id'])}/test", {"word": word}) for one in endpoints]


def _all(client: Client, path: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = client.get(path, limit=200, cursor=cursor)
        yield from page["data"]
        cursor = page["next_cursor"]
        if not cursor:
            return


def _id(path: str) -> str:
    return path.rpartition("/")[2]
