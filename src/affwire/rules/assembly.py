"""From what a platform told to events that any dialect can put into words, without a registry.

The relay and `convert` stand on this. What was not told has the model's default; ids come from `Names`, so that the same
record has the same id in every message.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from msgspec import Struct, structs

from affwire.model.events import Actor, Cause, Event, MembershipView, Snapshot, leader
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.registry import Affiliate, Group, Link, Membership, Organization, Program, PromoCode
from affwire.rules import standing
from affwire.rules.lifecycle import ENDED, event_of, is_member
from affwire.rules.naming import Names, fields_of, key_of_affiliate, key_of_membership, number_of

_BEFORE: Final[dict[str, str | None]] = {
    "membership.requested": None,
    "membership.activated": None,
    "membership.rejected": "pending",
    "membership.removed": "active",
    "membership.left": "active",
    "membership.changed": "active",
}
"""The status before, where nobody told or remembers it."""

Record = TypeVar("Record", bound=Struct)


class Scene(Struct, frozen=True, kw_only=True):
    """What a message does not tell: its dialect, for whom it is read, when and by whom it came.

    `remembered`: the status that this membership was last told to have; `sequence`: the subject's number before;
    `seen`: records as they were last told, by our id, for what a later message leaves out.
    """

    dialect: str
    organization: Organization
    at: int
    request_id: str
    actor: Actor = Actor("system")
    remembered: str | None = None
    sequence: int = 0
    hops: int = 0
    seen: Mapping[str, Struct] = {}


def assemble(reading: Reading, scene: Scene, names: Names) -> tuple[Event, ...]:
    """Return the events a message stands for, in order, with the snapshot it tells. Empty: it means nothing to us."""
    types = happened(reading, scene.remembered)
    snapshot = (
        _Assembly(reading, scene, names, types).snapshot() if types else Snapshot(organization=scene.organization)
    )
    subject = snapshot.affiliate or snapshot.program
    if subject is None:
        return ()
    own = snapshot.memberships[reading.own] if reading.own is not None else None
    event_ids = [names.event(one) for one in types]
    leads = leader(types)
    return tuple(
        Event(
            id=event_id,
            type=one,
            occurred_at=scene.at if reading.occurred_at is None else reading.occurred_at,
            organization_id=scene.organization.id,
            actor=scene.actor,
            cause=Cause(scene.request_id, event_ids[leads], types[leads]),
            subject_id=subject.id,
            sequence=scene.sequence + place,
            snapshot=snapshot,
            program_id=_program_id(one, own, snapshot),
            affiliate_id=snapshot.affiliate.id if snapshot.affiliate else None,
            membership_id=own.membership.id if own and one.startswith("membership.") else None,
            previous=_previous(one, own, reading),
            standing_before=_stood(types, snapshot),
            standing_after=bool(snapshot.affiliate and snapshot.affiliate.standing),
            hops=scene.hops,
        )
        for place, (event_id, one) in enumerate(zip(event_ids, types, strict=True), start=1)
    )


def happened(reading: Reading, remembered: str | None) -> tuple[str, ...]:
    """Return the message's canonical events; what a platform calls an update is the change of status that it shows.

    Affonso says affiliate.updated when a partnership is approved: only who remembers the status before can tell.
    """
    member = reading.membership
    status = member.told.fields.get("status") if member else None
    if reading.events != ("affiliate.updated",) or None in {status, remembered} or status == remembered:
        return reading.events
    return (event_of(str(status)),)


class _Assembly(Struct, frozen=True):
    """One message on its way to a snapshot."""

    reading: Reading
    scene: Scene
    names: Names
    types: tuple[str, ...]

    def snapshot(self) -> Snapshot:
        reading, affiliate = self.reading, self._affiliate()
        owner_id = affiliate.id if affiliate else ""
        places = [at for at, member in enumerate(reading.memberships) if member.told.id or member.program]
        views = tuple(self._view(index, owner_id) for index in places)  # without either, it is nobody's: an invention
        if affiliate is not None:
            affiliate = structs.replace(
                affiliate,
                standing=_stands(self.types, affiliate, views),
                deleted_at=self.scene.at if "affiliate.deleted" in self.types else None,
            )
        return Snapshot(
            organization=self.scene.organization,
            program=self._record(Program, reading.program, reading.program.id, name="") if reading.program else None,
            affiliate=affiliate,
            memberships=views,
            links=self._links(views, owner_id),
        )

    def _affiliate(self) -> Affiliate | None:
        key = key_of_affiliate(self.reading)
        if key is None:
            return None
        return self._record(Affiliate, self.reading.affiliate or Told(kind="affiliate"), key, email=None)

    def _view(self, index: int, owner_id: str) -> MembershipView:
        member = self.reading.memberships[index]
        told = member.program or Told(kind="program")
        program = self._record(Program, told, told.id, name="")
        group = self._record(Group, member.group, member.group.id, name="") if member.group else None
        key = key_of_membership(member, key_of_affiliate(self.reading))
        membership = self._record(
            Membership,
            member.told,
            key,
            affiliate_id=owner_id,
            program_id=program.id,
            group_id=group.id if group else None,
            status="active",
        )
        return MembershipView(
            membership=membership,
            program=program,
            group=group,
            promo_codes=tuple(self._code(code, membership) for code in member.promo_codes or ()),
            status_before=self._before(index, member),
        )

    def _code(self, told: Told, membership: Membership) -> PromoCode:
        key = told.id or str(told.fields.get("code"))
        of = {"membership_id": membership.id, "affiliate_id": membership.affiliate_id}
        return self._record(PromoCode, told, key, **of, code="")

    def _links(self, views: tuple[MembershipView, ...], owner_id: str) -> tuple[Link, ...]:
        placed = (member for member in self.reading.memberships if member.told.id or member.program)
        by_key = {member.told.id: view.membership.id for member, view in zip(placed, views, strict=True)}
        first = views[0].membership.id if views else ""
        return tuple(
            self._record(
                Link,
                told,
                told.id or str(told.fields.get("url")),
                membership_id=by_key.get(told.fields.get("membership_id"), first),
                affiliate_id=owner_id,
                url="",
                token="",
            )
            for told in self.reading.links or ()
        )

    def _record(self, kind: type[Record], told: Told, key: str | None, **must: Any) -> Record:
        """Return a record of ours with what was told; `must`: what it has to have, in case it was not told."""
        record_id = self.names.of(told.kind, key or "", told)
        fields = fields_of(kind, told)
        if "external_ids" in kind.__struct_fields__:
            fields["external_ids"] = _outside(told, self.scene.dialect)
        before = self.scene.seen.get(record_id)
        if isinstance(before, kind):
            return _updated(before, fields)
        fields = {**must, **fields}
        times = (fields.pop("created_at", None), told.fields.get("updated_at"), self.scene.at)
        created_at = next(at for at in times if at is not None)
        return kind(
            id=record_id,
            organization_id=self.scene.organization.id,
            number=number_of(record_id),
            created_at=created_at,
            updated_at=fields.pop("updated_at", created_at),
            **fields,
        )

    def _before(self, index: int, member: ToldMembership) -> str | None:
        status = str(member.told.fields.get("status", "active"))
        if index != self.reading.own:
            return status
        if "status" in self.reading.previous:
            return self.reading.previous["status"]  # type: ignore[no-any-return]
        about = next((one for one in self.types if one.startswith("membership.")), "membership.updated")
        if about == "membership.updated":
            return status
        remembered = self.scene.remembered
        return remembered if remembered not in {None, status} else _BEFORE[about]


def _updated(before: Record, fields: dict[str, Any]) -> Record:
    """Return a record with what was told anew; what other platforms call it stays."""
    if "external_ids" in fields:
        fields["external_ids"] = {**getattr(before, "external_ids", {}), **fields["external_ids"]}
    return structs.replace(before, **fields)


def _outside(told: Told, dialect: str) -> Mapping[str, str]:
    outside: dict[str, str] = told.fields.get("external_ids") or {}
    return {**outside, dialect: told.id} if told.id else outside


def _previous(event_type: str, own: MembershipView | None, reading: Reading) -> dict[str, Any]:
    if event_type == "affiliate.confirmed":
        return {"confirmed_at": None, **reading.previous}
    if own and event_type.startswith("membership.") and event_type != "membership.updated":
        return {**reading.previous, "status": own.status_before}
    return reading.previous


def _program_id(event_type: str, own: MembershipView | None, snapshot: Snapshot) -> str | None:
    if own and event_type.startswith("membership."):
        return own.program.id
    return snapshot.program.id if snapshot.program else None


def _stood(types: tuple[str, ...], snapshot: Snapshot) -> bool:
    if "affiliate.created" in types:
        return False
    if any(is_member(view.status_before) for view in snapshot.memberships):
        return True
    return not any(one.startswith("membership.") for one in types)


def _stands(types: tuple[str, ...], affiliate: Affiliate, views: tuple[MembershipView, ...]) -> bool:
    if "affiliate.deleted" in types or affiliate.status in {"disabled", "rejected"}:
        return False
    if any(is_member(view.membership.status) for view in views):
        return True
    if any(view.membership.status in ENDED for view in views) or "membership.rejected" in types:
        return False
    asks = any(view.membership.status == "pending" for view in views)
    return standing.at_creation(affiliate.status, pending_request=asks)
