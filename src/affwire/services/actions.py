"""An action: one thing one caller does in one request, from the first look at a record to its events.

It remembers how things stood before, so that the waist can tell every event its cause, its `previous` and its standing.
Locks are taken in one order, the affiliate first and the program after it, so that no two actions wait for each other.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from affwire.dialects.base import Dialect
from affwire.errors import Conflict, NotFound, Refused
from affwire.model.events import Actor, Event
from affwire.model.registry import Affiliate, Group, Link, Membership, Organization, Program, PromoCode
from affwire.store.externals import KINDS
from affwire.store.registry import Record
from affwire.store.tx import Tx

OBJECT_BYTES_MAX: Final = 16_384
"""Bytes of an open object such as `metadata`, as JSON: the snapshot of every event carries it."""
EXTERNAL: Final = "ext:"
"""How an id of the caller's own begins, wherever one of ours may stand: `ext:<namespace>:<id>`."""
_OWN_IDS: Final = "standard"
_OPEN_OBJECTS: Final = ("metadata", "external_ids")


class Draft(Struct, frozen=True, kw_only=True):
    """An event before it has an id, a sequence number and a snapshot. `previous`: the old values of what changed.

    `notice`: what an operational event tells of its endpoint or source.
    """

    type: str
    previous: Mapping[str, Any]
    affiliate_id: str | None = None
    program_id: str | None = None
    membership_id: str | None = None
    endpoint_id: str | None = None
    source_id: str | None = None
    notice: Mapping[str, Any] | None = None

    @property
    def subject_id(self) -> str:
        """The record whose history it belongs to: an affiliate's, a program's, or an endpoint's or a source's own."""
        return self.affiliate_id or self.program_id or self.endpoint_id or self.source_id or ""


class Caller(Struct, frozen=True):
    """Who acts, and in which organization. What a platform told: `hops` of its message, and the time it told (ms)."""

    organization_id: str
    actor: Actor
    hops: int = 0
    told_at: int | None = None


class Action:
    """What one request has done so far. Opened by services/events.py: acting, which writes its events at the end."""

    def __init__(self, tx: Tx, caller: Caller, dialects: Mapping[str, Dialect], request_id: str | None = None) -> None:
        tx.hold(caller.organization_id)
        organization = tx.registry.organization(caller.organization_id)
        if organization is None:
            raise NotFound("organization_not_found", f"There is no organization {caller.organization_id}.")
        self.tx = tx
        self.actor = caller.actor
        self.hops = caller.hops
        self._told_at = caller.told_at
        self.dialects = dialects
        self.organization: Organization = organization
        self.request_id = request_id or tx.world.new_id("request")
        self.drafts: list[Draft] = []
        self.events: list[Event] = []
        self.standing_before: dict[str, bool] = {}
        self.status_before: dict[str, str | None] = {}

    def new_id(self, kind: str) -> str:
        """Return a new id of that kind."""
        return self.tx.world.new_id(kind)

    def next_number(self, kind: str) -> int:
        """Return this organization's next number of that kind."""
        return self.tx.registry.next_number(self.organization.id, kind)

    def affiliate(self, affiliate_id: str) -> Affiliate:
        """Return an affiliate, ours until the commit; raises NotFound."""
        affiliate = found(self.tx, Affiliate, self.organization.id, affiliate_id, lock=True)
        self.standing_before.setdefault(affiliate.id, affiliate.standing)
        return affiliate

    def program(self, program_id: str) -> Program:
        """Return a program, ours until the commit; raises NotFound."""
        return found(self.tx, Program, self.organization.id, program_id, lock=True)

    def membership(self, membership_id: str) -> tuple[Affiliate, Membership]:
        """Return a membership and its affiliate, both ours until the commit; raises NotFound."""
        seen = found(self.tx, Membership, self.organization.id, membership_id)
        affiliate = self.affiliate(seen.affiliate_id)
        membership = found(self.tx, Membership, self.organization.id, membership_id, lock=True)
        self.note(membership)
        return affiliate, membership

    def note(self, membership: Membership) -> None:
        """Remember a membership's status as it was before this action."""
        self.status_before.setdefault(membership.id, membership.status)

    def at(self, affiliate: Affiliate) -> int:
        """Return the time of this action for an affiliate (ms): later than that of its last one, so times tell the order."""
        return max(self.tx.now, affiliate.touched_at + 1)

    def dated(self, at: int, before: int) -> int:
        """Return the `updated_at` of a change made `at` to a record of `before` (ms): what a platform told has its own time."""
        return at if self._told_at is None else max(self._told_at, before + 1)

    def approves(self, program: Program) -> bool:
        """Return whether a request into a program is approved at once; of one that a platform tells, it has decided."""
        return program.auto_approve and self.actor.kind != "source"

    def say(
        self,
        type: str,  # noqa: A002 -- the glossary's word
        previous: Mapping[str, Any],
        *,
        notice: Mapping[str, Any] | None = None,
        **about: str | None,
    ) -> None:
        """Add an event; `about` names its affiliate_id, program_id and membership_id, or its endpoint_id or source_id."""
        self.drafts.append(Draft(type=type, previous=previous, notice=notice, **about))


_NAMES: dict[type[Struct], str] = {
    Program: "program",
    Affiliate: "affiliate",
    Membership: "membership",
    Group: "group",
    Link: "link",
    PromoCode: "promo_code",
}


def found(tx: Tx, kind: type[Record], organization_id: str, record_id: str, *, lock: bool = False) -> Record:
    """Return a record of an organization by our id or by `ext:<namespace>:<id>`.

    Raises NotFound, alike for what is not there and what is another's.
    """
    record = tx.registry.get(kind, organization_id, resolved(tx, kind, organization_id, record_id), lock=lock)
    if record is None:
        name = _NAMES.get(kind, kind.__name__.lower())
        raise NotFound(f"{name}_not_found", f"There is no {name.replace('_', ' ')} {record_id} in this organization.")
    return record


def resolved(tx: Tx, kind: type[Struct], organization_id: str, record_id: str) -> str:
    """Return the id of the record that `ext:<namespace>:<id>` names; any other text, and one that names none, as it is.

    A record has one name in each namespace; what else a platform calls it is among its identities.
    """
    if not record_id.startswith(EXTERNAL):
        return record_id
    namespace, _, value = record_id.removeprefix(EXTERNAL).partition(":")
    named = tx.registry.external_ids.find(kind, organization_id, namespace, value)
    if named is not None or kind not in KINDS:
        return named or record_id
    known = tx.identities.get(organization_id, namespace, KINDS[kind], value)
    return record_id if known is None or known.ended else known.record_id


def changes(record: Struct, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the fields that differ from the record's."""
    return {name: value for name, value in fields.items() if getattr(record, name) != value}


def old_values(record: Struct, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a record holds under the fields' names."""
    return {name: getattr(record, name) for name in fields}


def merged(old: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON Merge Patch (RFC 7396) of an object: null takes a member away, objects are merged."""
    result = dict(old)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            inner = result.get(name)
            result[name] = merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def with_merged(record: Struct, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with open objects merged into what the record holds; Refused("too_long") if one grows too large."""
    result = dict(fields)
    for name in _OPEN_OBJECTS:
        if name in fields:
            result[name] = merged(getattr(record, name), fields[name] or {})
            if len(msgspec.json.encode(result[name])) > OBJECT_BYTES_MAX:
                raise Refused("too_long", f"With this, {name} would pass {OBJECT_BYTES_MAX} bytes.", field=name)
    return result


def refuse_frozen(action: Action, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Refuse that a dialect's own name for a record changes: what began under one id must end under it (contracts A1).

    Raises Conflict("external_id_frozen"). Namespaces of no dialect are free; `standard` shows our own ids. A source may
    give a first name: it looks beforehand whether anybody knows the record by another one (services/mirroring.py).
    """
    frozen = (name for name in action.dialects if name != _OWN_IDS)
    adopts = action.actor.kind == "source"
    moved = sorted(
        name for name in frozen if before.get(name) != after.get(name) and not (adopts and name not in before)
    )
    if moved:
        raise Conflict(
            "external_id_frozen",
            f"What {', '.join(moved)} calls this record is set when it is created, and cannot change later.",
            field=f"external_ids/{moved[0]}",
            namespaces=moved,
        )


def later_changes(action: Action, record: Record, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a PATCH of these fields changes of a record. Raises Conflict("external_id_frozen"), Refused("too_long")."""
    merged_fields = with_merged(record, fields)
    if "external_ids" in merged_fields:
        refuse_frozen(action, old_values(record, fields)["external_ids"], merged_fields["external_ids"])
    return changes(record, merged_fields)


def replaced(record: Record, **fields: Any) -> Record:
    """Return the record with other values in these fields."""
    return structs.replace(record, **fields)
