"""Fitting: whether what a platform told can stand in a record of ours.

A value of another type than the model's is left out of the record and listed as unread: the message keeps it. A time,
a count or a text beyond what any record can hold is no different. Ids are texts or integers, never empty, and bounded.
A card's `reads` may call a path `other.<name>`: no record has it. 0 and null tell nothing there, all else is unread.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct, structs

from affwire.dialects.reading import Leaves
from affwire.model.registry import Affiliate, Group, Link, Membership, Organization, Program, PromoCode

TIME_MAX: Final = 253_402_300_799_999
"""The last millisecond that RFC 3339 can write (year 9999)."""
COUNT_MAX: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

OTHER: Final = "other."
"""In a card's `reads`: what the platform tells of a record beyond our model."""

Key = Annotated[str, Meta(pattern=r"\A[!-~]{1,255}\Z")]
"""An id or a word in an envelope: printable ASCII without blanks; no platform's has more than 64 characters."""

ID_MAX: Final = 255
"""Characters of an id: several times what any platform uses, and short enough for every index."""
ExternalIds = dict[Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9_.-]{0,63}\Z")], Annotated[str, Meta(max_length=ID_MAX)]]
"""Ids that others call a record by, in the bounds that the API has too: namespace -> id."""

_KINDS: Final[dict[str, type[Struct]]] = {
    "organization": Organization,
    "program": Program,
    "affiliate": Affiliate,
    "membership": Membership,
    "group": Group,
    "link": Link,
    "promo_code": PromoCode,
}
_FORMS: Final[dict[str, Any]] = {
    f"{kind}.{one.name}": ExternalIds if one.name == "external_ids" else one.type
    for kind, form in _KINDS.items()
    for one in structs.fields(form)
} | {"affiliate.name": str}


EVENT_FIELDS: Final = frozenset({"event.occurred_at", "event.previous"})
"""What a card's `reads` may name beside the fields of records: the event's time, and the old values of what changed."""


def is_field(target: str) -> bool:
    """Whether a card's `reads` may name this: a record's field, `kind.*` for all of them, the event's, or `other.<name>`."""
    kind, _, name = target.partition(".")
    return target in _FORMS or target in EVENT_FIELDS or (kind in _KINDS and name == "*") or target.startswith(OTHER)


def fit(found: Leaves) -> None:
    """Leave out of what was found whatever no record can hold, and list its path as unread."""
    for kind, fields in found.one.items():
        found.one[kind] = _kept(kind, fields, found)
    for items in found.lists.values():
        for item in items:
            fit(item)


def _kept(kind: str, fields: Mapping[str, Any], found: Leaves) -> dict[str, Any]:
    kept = {name: value for name, value in fields.items() if _fits(f"{kind}.{name}", value)}
    found.unread.extend(found.paths.get(f"{kind}.{name}", name) for name in fields if name not in kept)
    return kept


def _fits(target: str, value: Any) -> bool:
    if value is None or target.startswith(OTHER):
        return not value
    if isinstance(value, int) and not 0 <= value <= (TIME_MAX if target.endswith("_at") else COUNT_MAX):
        return False
    try:
        shown = msgspec.convert(value, str | int if target.endswith(".id") else _FORMS.get(target, Any))
    except msgspec.ValidationError:
        return False
    return not target.endswith(".id") or 0 < len(str(shown)) <= ID_MAX
