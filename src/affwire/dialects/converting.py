"""Converting: a message of one dialect said in another, and what was lost on the way.

    decode -> assemble -> says, request -> decode again and compare

The same arguments give the same bytes: ids come from the platform's own. In its own dialect a message is itself, key for key.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from msgspec import Struct, structs

from affwire.dialects.base import Attempt, Dialect, Recipient, encode
from affwire.dialects.reading import document
from affwire.dialects.wrapping import renamed, wrapped
from affwire.errors import Undecodable
from affwire.model import ids
from affwire.model.events import EVENT_TYPES, Event
from affwire.model.reading import Reading, Told
from affwire.model.registry import NUMBER_FIRST, Organization
from affwire.model.wire import Message
from affwire.rules import signing
from affwire.rules.assembly import Scene, assemble
from affwire.rules.lifecycle import event_of
from affwire.rules.losses import Lost, MadeUp, losses, made_up

_NOWHERE: Final = "https://receiver.example/"
"""No dialect writes the URL into its request."""
_STATUSES: Final = {event_of(status): status for status in ("pending", "active", "rejected", "removed", "left")}
"""The status that a membership has after an event."""


class Conversion(Struct, frozen=True, kw_only=True):
    """What a message became. `reason`: why nothing is said, None if something is.

    `unread`: the paths nothing stands for, with what stands there. `made_up`: what is told though the message did not.
    """

    word: str
    sayings: tuple[bytes, ...]
    lost: tuple[Lost, ...] = ()
    unread: Mapping[str, Any] = {}
    made_up: tuple[MadeUp, ...] = ()
    reason: str | None = None


def convert(source: Dialect, target: Dialect, body: bytes, at: int, event: str | None = None) -> Conversion:
    """Return a message in another dialect. `at` (ms) stands for a time that the message does not tell.

    `event`, a canonical type or a word of the source's, says what happened where the body does not, or says otherwise; a
    bare record is then read as well. Raises Undecodable, and Unencodable where the target cannot write what it would say.
    """
    message = _message(source, body, event, at)
    shown = document(message.body)
    source.identify(message)
    reading = source.decode(message)
    if event in EVENT_TYPES and event not in reading.events:
        reading = _about(reading, event)
    elif source.card.name == target.card.name:
        return Conversion(word=reading.word, sayings=(encode(shown),))
    happened = assemble(
        reading, _scene(source, reading, at), _Names(source.card.name, message.body, reading.occurred_at or 0)
    )
    written = [one for event in happened for one in _requests(target, event)]
    back = [target.decode(Message(headers=headers, body=one)) for headers, one in written]
    return Conversion(
        word=reading.word,
        sayings=tuple(one for _, one in written),
        lost=losses(reading, back) if written else (),
        unread=_unread(source, reading, shown),
        made_up=made_up(reading, back),
        reason=None if written else _silence(source, target, reading, happened),
    )


def read(source: Dialect, body: bytes, at: int, event: str) -> Reading:
    """Return what a bare record tells, as if this had happened to it. Raises Undecodable."""
    return source.decode(_message(source, body, event, at))


def word_of(source: Dialect, event: str) -> str | None:
    """Return the dialect's word for a canonical event, or the word itself; None if there is none."""
    if source.card.word(event):
        return event
    return next((one.name for one in source.card.words if event in one.canonical and not one.open), None)


def _message(source: Dialect, body: bytes, event: str | None, at: int) -> Message:
    """Return the message, as the platform would have sent it with that event."""
    word = word_of(source, event) if event else None
    if word is None:
        return Message(headers=(), body=body)
    message = Message(headers=(), body=body)
    record = document(body)
    try:
        source.identify(message)
    except Undecodable:
        return Message(headers=(), body=encode(wrapped(source, word, record, at)))
    return message if event in EVENT_TYPES else Message(headers=(), body=encode(renamed(source, record, word)))


def _unread(source: Dialect, reading: Reading, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return what no canonical field stands for: unknown keys, and what the card knows of and sets aside."""
    aside = {path: _at(shown, path) for path in source.card.aside}
    told = {path: value for path, value in aside.items() if value is not None and value != []}
    return {**{path: _at(shown, path) for path in reading.unread}, **told}


def _at(body: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a path as readings name it; a list if it stands there several times, None if nothing does."""
    found = list(_all_at(body, path))
    return found[0] if len(found) == 1 else found or None


def _all_at(node: Any, path: str) -> Iterator[Any]:
    if not path:
        yield node
    elif path.startswith("[]") and isinstance(node, list):
        for item in node:
            yield from _all_at(item, path[2:].removeprefix("."))
    elif isinstance(node, Mapping):
        for name, inner in node.items():  # a name may hold what parts names in a path
            if name and (path == name or path.startswith((f"{name}.", f"{name}[]"))):
                yield from _all_at(inner, path[len(name) :].removeprefix("."))


def _about(reading: Reading, event: str) -> Reading:
    """Return a reading as of another event: its membership then has the status that the event leaves it with."""
    member = reading.membership
    if event.startswith("membership.") and member is None:
        raise Undecodable("no_membership", f"The body shows no membership, so {event} is about nothing in it.")
    if event.startswith("program.") and reading.program is None:
        raise Undecodable("no_program", f"The body shows no program, so {event} is about nothing in it.")
    if event in _STATUSES and member is not None and reading.own is not None:
        told = structs.replace(member.told, fields={**member.told.fields, "status": _STATUSES[event]})
        members = list(reading.memberships)
        members[reading.own] = structs.replace(member, told=told)
        reading = structs.replace(reading, memberships=tuple(members))
    return structs.replace(reading, events=(event,), previous={})


def _scene(source: Dialect, reading: Reading, at: int) -> Scene:
    return Scene(
        dialect=source.card.name,
        organization=_organization(source.card.name, reading.organization),
        at=at if reading.occurred_at is None else reading.occurred_at,
        request_id=ids.derived(
            "request", reading.occurred_at or 0, signing.fingerprint("convert", reading.event_id or reading.word)
        ),
    )


def _organization(dialect: str, told: Told | None) -> Organization:
    fields: Mapping[str, Any] = told.fields if told else {}
    known = {name: value for name, value in fields.items() if name in {"number", "slug", "name", "timezone"} and value}
    record_id = _known_id("organization", (told.id if told else None) or "") or ids.derived(
        "organization", 0, signing.fingerprint("convert", dialect)
    )
    default = {"number": NUMBER_FIRST, "slug": "", "name": ""}
    return Organization(id=record_id, **{**default, **known}, created_at=0, updated_at=0)


class _Names(Struct, frozen=True):
    """Ids that come from the platform's own: the same record has the same one in every message."""

    dialect: str
    body: bytes
    at: int

    def of(self, kind: str, key: str, told: Told) -> str:
        known = _known_id(kind, told.id or "")
        return known or ids.derived(kind, 0, signing.fingerprint("convert", self.dialect, kind, key))

    def event(self, event_type: str) -> str:
        return ids.derived(
            "event", self.at, signing.fingerprint("convert", event_type, self.body.decode("utf-8", "replace"))
        )


def _known_id(kind: str, own: str) -> str | None:
    """Return an id that holds 128 bits already as one of ours."""
    try:
        number = UUID(own).int if "-" in own else ids.number_of(own)
    except ValueError:
        return None
    return f"{ids.PREFIXES[kind]}_{ids.text(number)}"


def _requests(target: Dialect, event: Event) -> list[tuple[tuple[tuple[str, str], ...], bytes]]:
    """Return headers and body of everything the target says for an event, signed with a secret that is nobody's."""
    form = target.card.authentication
    secret = signing.minted(form.secret, form.secret_prefix, bytes(32))
    recipient = Recipient(endpoint_id=_likewise("endpoint", event), url=_NOWHERE, secrets=(secret,))
    attempt = Attempt(_likewise("attempt", event), 1, event.occurred_at)
    requests = [
        target.request(event, saying, recipient, _likewise("delivery", event), attempt)
        for saying in dict.fromkeys(target.says(event))
    ]
    return [(request.headers, request.body) for request in requests]


def _likewise(kind: str, event: Event) -> str:
    return f"{ids.PREFIXES[kind]}_{ids.body_of(event.id)}"


def _silence(source: Dialect, target: Dialect, reading: Reading, happened: tuple[Event, ...]) -> str:
    if not reading.events:
        return f"{reading.word} of {source.card.name} means nothing to any other dialect"
    if not happened:
        return f"{reading.word} tells of no record that has a name"
    reasons = dict.fromkeys(
        f"{target.card.name} says nothing for {one.type}: {target.silence(one)}" for one in happened
    )
    return "; ".join(reasons)
