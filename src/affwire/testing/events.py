"""Records and events built by hand, for tests: sensible defaults, any field may be named otherwise.

The same arguments make the same values: an id comes from its kind and `nth` alone, and every time is NOW unless given.
A record's parents are those of the same kind with nth 1, a membership's program the one of its own nth.
"""

from typing import Any, Final

from affwire.model import ids
from affwire.model.events import Actor, Cause, Event, MembershipView, Snapshot
from affwire.model.registry import (
    NUMBER_FIRST,
    Affiliate,
    Group,
    Link,
    Membership,
    Organization,
    Program,
    PromoCode,
)
from affwire.rules import lifecycle

NOW: Final = 1_772_235_192_345
"""2026-02-27T23:33:12.345Z: when every event happens unless told otherwise."""
SINCE: Final = NOW - 86_400_000
"""One day before: when the records were created unless told otherwise."""

_OTHER_LEADER: Final = 9_999
"""The nth of the leading event of a request in which the event at hand does not lead."""

_STATUSES: Final[dict[str, tuple[str | None, str]]] = {
    "membership.requested": (None, "pending"),
    "membership.activated": (None, "active"),
    "membership.rejected": ("pending", "rejected"),
    "membership.removed": ("active", "removed"),
    "membership.left": ("active", "left"),
    "membership.changed": ("active", "paused"),
    "membership.updated": ("active", "active"),
}
"""What `event` takes the membership's status to be before and after, if it is given no snapshot."""


def id_of(kind: str, nth: int = 1) -> str:
    """Return the id that the nth record of a kind has in this kit."""
    return ids.make(kind, SINCE, nth)


def organization(nth: int = 1, **fields: Any) -> Organization:
    """Return the nth organization, in New York's time zone."""
    default = {"slug": f"org-{nth}", "name": f"Organization {nth}", "timezone": "America/New_York"}
    return Organization(**(_born("organization", nth) | default | fields))


def program(nth: int = 1, **fields: Any) -> Program:
    """Return the nth program, named "Program {nth}"."""
    return Program(**(_owned("program", nth) | {"name": f"Program {nth}"} | fields))


def affiliate(nth: int = 1, **fields: Any) -> Affiliate:
    """Return the nth affiliate, Kim{nth}@Example.org: active, not confirmed."""
    default = {"email": f"Kim{nth}@Example.org", "first_name": "Kim", "last_name": "Berg", "country": "SE"}
    return Affiliate(**(_owned("affiliate", nth) | default | fields))


def membership(nth: int = 1, **fields: Any) -> Membership:
    """Return the nth membership: active, of affiliate 1, in the nth program."""
    default = {"affiliate_id": id_of("affiliate"), "program_id": id_of("program", nth), "status": "active"}
    return Membership(**(_owned("membership", nth) | default | {"updated_at": NOW} | fields))


def group(nth: int = 1, **fields: Any) -> Group:
    """Return the nth group."""
    return Group(**(_owned("group", nth) | {"name": f"Group {nth}"} | fields))


def promo_code(nth: int = 1, **fields: Any) -> PromoCode:
    """Return the nth promo code, of membership 1; what may be missing is missing."""
    return PromoCode(**(_owned("promo_code", nth) | _on_membership() | {"code": f"CODE{nth}"} | fields))


def link(nth: int = 1, **fields: Any) -> Link:
    """Return the nth link, of membership 1."""
    default = {"url": f"https://example.com/?via=kim{nth}", "token": f"kim{nth}"}
    return Link(**(_owned("link", nth) | _on_membership() | default | fields))


def view(nth: int = 1, *, before: str | None = "active", **fields: Any) -> MembershipView:
    """Return a view of the nth membership; `before`: its status before the request.

    `program`, `group` and `promo_codes` are the view's own fields, all others the membership's.
    """
    hung = {name: fields.pop(name) for name in ("group", "promo_codes") if name in fields}
    around = fields.pop("program", None) or program(nth)
    default = {"program_id": around.id, "group_id": hung["group"].id if hung.get("group") else None}
    return MembershipView(
        membership=membership(nth, **(default | fields)), program=around, status_before=before, **hung
    )


def snapshot(*views: MembershipView, **fields: Any) -> Snapshot:
    """Return a snapshot of affiliate 1 with these memberships."""
    default: dict[str, Any] = {"organization": organization(), "affiliate": affiliate(), "memberships": views}
    return Snapshot(**(default | fields))


def event(type: str, after: Snapshot | None = None, *, nth: int = 1, leads: bool = True, **fields: Any) -> Event:  # noqa: A002 -- the field's own name
    """Return the nth event, of that type, about the first membership of its snapshot (or its affiliate, or program).

    `after`: the snapshot; without one, one that suits the type. Not leading, its cause is another event,
    an affiliate.created unless `cause` says otherwise. `membership_id` picks another membership.
    """
    after = after or _suitable(type)
    own_id = id_of("event", nth)
    cause = Cause(
        id_of("request"), own_id if leads else id_of("event", _OTHER_LEADER), type if leads else "affiliate.created"
    )
    default: dict[str, Any] = {
        "id": own_id,
        "type": type,
        "occurred_at": NOW,
        "organization_id": after.organization.id,
        "actor": Actor("key", id_of("key")),
        "cause": cause,
        "sequence": nth,
        "snapshot": after,
        "affiliate_id": after.affiliate.id if after.affiliate else None,
    }
    return Event(**(default | _subject(type, after, fields) | fields))


def transition(before: str | None, after: str, *, nth: int = 1, leads: bool = True, **fields: Any) -> Event:
    """Return the membership event of a legal change of status; raises Conflict for an illegal one.

    `others` are further views, `affiliate` the affiliate; other fields are the event's.
    """
    step = lifecycle.step_to(before, after)
    if step is None:
        raise ValueError(f"{before} to {after} changes nothing: use event('membership.updated')")
    own = fields.pop("own", None) or view(before=before, status=after)
    views = sorted((own, *fields.pop("others", ())), key=lambda view: view.membership.number)
    around = snapshot(*views, affiliate=fields.pop("affiliate", None) or affiliate())
    fields.setdefault("membership_id", own.membership.id)
    return event(step.event, around, nth=nth, leads=leads, **fields)


def _suitable(type: str) -> Snapshot:  # noqa: A002 -- as in `event`
    if type.startswith("program."):
        return snapshot(affiliate=None, program=program(deleted_at=NOW if type == "program.deleted" else None))
    if type.startswith("affiliate."):
        return snapshot(affiliate=affiliate(deleted_at=NOW if type == "affiliate.deleted" else None))
    before, status = _STATUSES[type]
    return snapshot(view(before=before, status=status))


def _subject(type: str, after: Snapshot, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 -- as in `event`
    """Return what the event is about, and what changed of it."""
    if type.startswith("program."):
        return {"program_id": after.program.id, "subject_id": after.program.id} if after.program else {}
    if type.startswith("affiliate."):
        return {"subject_id": after.affiliate.id} if after.affiliate else {}
    wanted = fields.get("membership_id") or after.memberships[0].membership.id
    own = next(view for view in after.memberships if view.membership.id == wanted)
    previous = {} if type == "membership.updated" else {"status": own.status_before}
    return {
        "membership_id": wanted,
        "subject_id": own.membership.affiliate_id,
        "program_id": own.program.id,
        "previous": previous,
    }


def _born(kind: str, nth: int) -> dict[str, Any]:
    return {"id": id_of(kind, nth), "number": NUMBER_FIRST + nth - 1, "created_at": SINCE, "updated_at": SINCE}


def _owned(kind: str, nth: int) -> dict[str, Any]:
    return _born(kind, nth) | {"organization_id": id_of("organization")}


def _on_membership() -> dict[str, Any]:
    return {"membership_id": id_of("membership"), "affiliate_id": id_of("affiliate")}
