"""Reading, for all dialects alike: JSON that can be trusted to mean one thing, and a body's leaves under our names.

A card's `reads` says which path is which canonical field; whatever stands elsewhere is listed as unread, never dropped silently.
Whether a value can stand in a record is judged in dialects/fitting.py, before anything is told.
"""

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import Struct, field

from affwire.dialects.base import Card
from affwire.errors import Undecodable
from affwire.model.reading import Told
from affwire.model.registry import Affiliate, Group, Link, Membership, Organization, Program, PromoCode
from affwire.model.times import parse

ENVELOPE: Final = "-"
"""In a card's `reads`: a part of the envelope that means nothing beyond its own request."""
DEPTH_MAX: Final = 64
"""Levels of a body: no platform uses a quarter of them, and what an owner keeps as metadata has room."""
KEY_MAX: Final = 512
"""Characters of a dedupe key: several times what any platform's ids need, and still short enough for an index."""
INTEGER_MAX: Final = 2**53 - 1
"""Beyond it JSON readers disagree about an integer."""
_EARLIEST, _LATEST = -62_104_060_800_000, 253_370_764_800_000
"""The years 2 to 9998 (ms): every time zone can show them."""

_MODELS: Final[dict[str, type[Struct]]] = {
    "organization": Organization,
    "program": Program,
    "affiliate": Affiliate,
    "membership": Membership,
    "group": Group,
    "link": Link,
    "promo_code": PromoCode,
}
_NAME: Final = re.compile(r"(.+?) (.+)", re.DOTALL)
"""First and last name: the first space that has something on both sides parts them, so that joined they are the same."""

Form = TypeVar("Form", bound=Struct)


class Leaves(Struct):
    """A body sorted by kind of record: canonical field -> value, and a list's items as Leaves of their own.

    A list is called by the kind that its first path in `reads` is of. `paths`: where in the body a field stood.
    """

    one: dict[str, dict[str, Any]] = field(default_factory=dict)
    lists: dict[str, list["Leaves"]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)

    def told(self, kind: Any) -> Told | None:
        """Return the record of that kind; its `id` field becomes the platform's id. None if nothing of it was told."""
        return as_told(kind, self.one[kind]) if kind in self.one else None

    def told_list(self, kind: Any) -> tuple[Told, ...]:
        """Return a list's items as records; empty too if there was no list (`told_at_all` tells the two apart)."""
        return tuple(told for item in self.lists.get(kind, ()) if (told := item.told(kind)))

    def told_at_all(self, kind: Any) -> bool:
        """Whether a list of that kind stood in the body."""
        return kind in self.lists


def as_told(kind: Any, fields: Mapping[str, Any]) -> Told:
    """Return a record: the platform's `id` apart from its canonical fields, an affiliate's `name` in its two parts."""
    own = fields.get("id")
    shown = {name: fields[name] for name in fields if name != "id"}
    if kind == "affiliate":
        shown = _as_person(shown)
    return Told(kind=kind, id=None if own is None else str(own), fields=shown)


def document(body: bytes) -> dict[str, Any]:
    """Return a body as the JSON object it is. Raises Undecodable for anything that two readers could read differently.

    That is: bytes that are no UTF-8, no JSON or no object, a key that stands there twice, a NUL or half a surrogate pair in
    a text, a number without an end, and nesting that no platform uses.
    """
    try:
        parsed = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_once,
            parse_int=_whole,
            parse_float=_finite,
            parse_constant=_finite,
        )
    except UnicodeDecodeError as error:
        raise Undecodable("not_utf8", "The body is not UTF-8.") from error
    except RecursionError as error:
        raise Undecodable("too_deep", "The body is nested too deeply.") from error
    except ValueError as error:
        raise Undecodable("not_json", "The body is not JSON.") from error
    if not isinstance(parsed, dict):
        raise Undecodable("not_an_object", "The body is JSON, but no object.")
    _refuse_unsound(parsed)
    return parsed


def leaves(card: Card, body: Mapping[str, Any]) -> Leaves:
    """Sort a body's leaves by the card's `reads`."""
    found = Leaves()
    _members(card.reads, body, "", found)
    found.unread[:] = dict.fromkeys(found.unread)  # in place: the items of lists share it
    return found


def envelope(body: bytes, form: type[Form]) -> Form:
    """Return the few fields of an envelope that `identify` needs, fast. Raises Undecodable if they are not there."""
    try:
        return msgspec.json.decode(body, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable("not_this_dialect", "The body has not the form of this dialect's messages.") from error


def key(*parts: str | int | None) -> str | None:
    """Return a dedupe key of these parts; None if one is missing. Raises Undecodable for one that cannot be kept."""
    if any(part is None or part == "" for part in parts):
        return None
    joined = "|".join(map(str, parts))
    if len(joined) > KEY_MAX or "\0" in joined:
        raise Undecodable("bad_id", "What tells this message from others is too long, or holds a NUL.")
    return joined


def word(text_of_word: str) -> str:
    """Return the word of an envelope. Raises Undecodable for one that no list could show."""
    if not text_of_word or len(text_of_word) > KEY_MAX or "\0" in text_of_word:
        raise Undecodable("bad_word", "What the message calls itself is empty, too long, or holds a NUL.")
    return text_of_word


def moment(value: Any, path: str) -> int:
    """Return a time in ms: RFC 3339 text with an offset, or unix seconds. Raises Undecodable naming the path."""
    try:
        at = parse(value) if isinstance(value, str) else _seconds(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise Undecodable("bad_time", f"{path} holds no time.", path=path) from error
    if not _EARLIEST <= at <= _LATEST:
        raise Undecodable("bad_time", f"{path} holds a time beyond all calendars.", path=path)
    return at


def text(value: Any, path: str) -> str:
    """Return a text that must be there. Raises Undecodable naming the path."""
    if not isinstance(value, str) or not value:
        raise Undecodable("missing", f"{path} is missing.", path=path)
    return value


def with_id(told: Told | None, path: str) -> Told:
    """Return a record that must be there with the platform's id. Raises Undecodable naming the id's path."""
    if told is None or not told.id:
        raise Undecodable("missing", f"{path} is missing.", path=path)
    return told


def _members(reads: Mapping[str, str], node: Mapping[str, Any], path: str, found: Leaves) -> None:
    for name, value in node.items():
        inner = f"{path}.{name}" if path else name
        if not name or "." in name or "[" in name:
            found.unread.append(inner)  # it would look like another path
        else:
            _sort(reads, value, inner, found)


def _sort(reads: Mapping[str, str], node: Any, path: str, found: Leaves) -> None:
    target = _target(reads, path)
    if target == ENVELOPE:
        return
    if target is not None:
        _put(target, node, path, found)
    elif isinstance(node, dict) and node:
        _members(reads, node, path, found)
    elif isinstance(node, list) and _leads_to(reads, f"{path}[]"):
        _items(reads, node, f"{path}[]", found)
    elif node not in (None, {}) or not (_leads_to(reads, f"{path}.") or _leads_to(reads, f"{path}[]")):
        found.unread.append(path)


def _put(target: str, value: Any, path: str, found: Leaves) -> None:
    """Put a value where it belongs; a time that is none is as unfit as any other value that no record can hold."""
    kind, _, name = target.partition(".")
    found.paths[target] = path
    try:
        fitting = moment(value, path) if name.endswith("_at") and value is not None else value
    except Undecodable:
        found.unread.append(path)
    else:
        found.one.setdefault(kind, {})[name] = fitting


def _items(reads: Mapping[str, str], nodes: list[Any], path: str, found: Leaves) -> None:
    kind = next(target for one, target in reads.items() if one.startswith(path)).partition(".")[0]
    items = found.lists.setdefault(kind, [])
    for node in nodes:
        items.append(Leaves(unread=found.unread))
        _sort(reads, node, path, items[-1])


def _target(reads: Mapping[str, str], path: str) -> str | None:
    """Return the canonical field a path stands for; `object.* = affiliate.*` stands for all fields of the same names."""
    parent, _, name = path.rpartition(".")
    family = reads.get(f"{parent}.*") if parent else None
    if path in reads or family is None or family == ENVELOPE:
        return reads.get(path, family)
    kind = family.partition(".")[0]
    return f"{kind}.{name}" if name in _MODELS[kind].__struct_fields__ else None


def _leads_to(reads: Mapping[str, str], start: str) -> bool:
    return any(path.startswith(start) for path in reads)


def _as_person(fields: dict[str, Any]) -> dict[str, Any]:
    """Return an affiliate's fields: an empty address is none, and the whole name goes into first and last name."""
    if fields.get("email") == "":
        fields["email"] = None
    if "name" not in fields:
        return fields
    whole = fields.pop("name")
    parts = _NAME.fullmatch(whole) if whole else None
    first, last = cast("tuple[str, str]", parts.groups()) if parts else (whole or None, None)
    return {"first_name": first, "last_name": last, **fields}


def _seconds(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("not a number of seconds")
    return int(value) * 1000


def _refuse_unsound(value: Any, depth: int = 1) -> None:
    if depth > DEPTH_MAX:
        raise Undecodable("too_deep", "The body is nested too deeply.")
    if isinstance(value, str):
        _refuse_unsound_text(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            _refuse_unsound_text(name)
            _refuse_unsound(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _refuse_unsound(inner, depth + 1)


def _refuse_unsound_text(value: str) -> None:
    if "\0" in value or (not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value)):
        raise Undecodable("bad_text", "A text holds a NUL or half a surrogate pair.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Undecodable("duplicate_key", "A key stands twice in one object: two readers would read it differently.")
    return members


def _whole(digits: str) -> int:
    number = int(digits)
    if abs(number) > INTEGER_MAX:
        raise Undecodable("too_large", "A number is larger than every JSON reader can keep exactly.")
    return number


def _finite(digits: str) -> float:
    """NaN and Infinity are no JSON, and 1e999 is infinite to everybody who reads it."""
    number = float(digits)
    if not isfinite(number):
        raise ValueError("not a finite number")
    return number
