"""Records and events as the JSON objects that our own API and the `standard` dialect show.

Times become RFC 3339 texts; what only serves affwire itself is left out. One rendering, so that what a receiver
gets and what `GET` answers are the same object.
"""

from functools import lru_cache
from typing import Any, Final

from msgspec import UNSET, Struct, structs

from affwire.model.events import Event, MembershipView, Snapshot
from affwire.model.registry import Affiliate
from affwire.model.times import rfc3339

OPEN: Final = frozenset({"metadata", "external_ids"})
"""Objects whose members the owner names: an `_at` in there is no time of ours."""
INTERNAL: Final = frozenset({"sequence", "touched_at", "standing"})
"""Fields of records that are shown to nobody."""


def record(value: Struct) -> dict[str, Any]:
    """Return a registry record as a JSON object."""
    shown = {
        name: rfc3339(content) if is_time and isinstance(content, int) else content
        for name, is_time in _fields(type(value))
        for content in (getattr(value, name),)
    }
    if isinstance(value, Affiliate):
        shown["name"] = value.name
    return shown


@lru_cache
def _fields(kind: type[Struct]) -> tuple[tuple[str, bool], ...]:
    """Return the fields of a record that are shown, and for each whether it is a time."""
    return tuple((name, name.endswith("_at")) for name in kind.__struct_fields__ if name not in INTERNAL)


def timed(name: str, content: Any) -> Any:
    """Return `content`, as text if it is the time that its name says it is."""
    return rfc3339(content) if name.endswith("_at") and isinstance(content, int) else content


def previous(values: dict[str, Any]) -> dict[str, Any]:
    """Return an event's old values with their times as texts."""
    return {
        name: previous(content) if isinstance(content, dict) and name not in OPEN else timed(name, content)
        for name, content in values.items()
    }


def member(view: MembershipView) -> dict[str, Any]:
    """Return a membership with its program, group and promo codes."""
    return {
        **record(view.membership),
        "program": record(view.program),
        "group": record(view.group) if view.group else None,
        "promo_codes": [record(code) for code in view.promo_codes],
    }


def snapshot(value: Snapshot) -> dict[str, Any]:
    """Return the world after a request: organization, program, affiliate, memberships, links."""
    return {
        "organization": record(value.organization),
        "program": {**record(value.program), "affiliates": value.program_affiliates} if value.program else None,
        "affiliate": record(value.affiliate) if value.affiliate else None,
        "memberships": [member(view) for view in value.memberships],
        "links": [record(link) for link in value.links],
    }


def event(value: Event) -> dict[str, Any]:
    """Return an event of the log without what became of it."""
    return {
        "id": value.id,
        "type": value.type,
        "occurred_at": rfc3339(value.occurred_at),
        "organization_id": value.organization_id,
        "subject_id": value.subject_id,
        "sequence": value.sequence,
        "program_id": value.program_id,
        "affiliate_id": value.affiliate_id,
        "membership_id": value.membership_id,
        "actor": structs.asdict(value.actor),
        "cause": structs.asdict(value.cause),
        "previous": previous(value.previous),
        "standing_before": value.standing_before,
        "standing_after": value.standing_after,
        "snapshot": snapshot(value.snapshot),
        **({} if value.notice is UNSET else {"notice": value.notice}),
    }
