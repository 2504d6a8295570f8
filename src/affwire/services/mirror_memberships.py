"""The mirror's memberships: found by the platform's id, else by affiliate and program, and brought to the told status."""

from typing import Any

from affwire.model.reading import ToldMembership
from affwire.model.registry import Affiliate, Membership, Program
from affwire.rules.lifecycle import ENDED
from affwire.rules.naming import key_of_membership
from affwire.rules.reconciling import agrees, telling_of_membership, way
from affwire.services import memberships, mirror_perks, mirror_programs
from affwire.services.mirroring import NOBODY, Found, Intake

UNTOLD = "active"
"""The status of a membership of which none was told: it was told of as one."""


def find(intake: Intake, member: ToldMembership, affiliate: Affiliate | None) -> Found:
    """Return what a membership's name leads to; with an affiliate, to one of theirs alone."""
    registry, owner = intake.tx.registry, intake.organization_id
    known = intake.known("membership", key(intake, member))
    record_id = known.record_id if known else None
    if record_id is None and member.told.id:
        record_id = registry.external_ids.find(Membership, owner, intake.namespace, member.told.id)
    record = registry.get(Membership, owner, record_id) if record_id else None
    if record is not None and _stands(intake, record, affiliate):
        return Found(known, record)
    program = mirror_programs.find(intake, member.program).record if member.program else None
    return Found(known, _of(intake, affiliate, program) if affiliate and program else None)


def key(intake: Intake, member: ToldMembership) -> str | None:
    """Return what the platform calls a membership."""
    told = intake.reading.affiliate
    return key_of_membership(member, told.id if told else None)


def bring(intake: Intake, affiliate: Affiliate, index: int) -> None:
    """Bring one of the told memberships of an affiliate to what was told."""
    member = intake.reading.memberships[index]
    found = find(intake, member, affiliate)
    deed = intake.deed(found, telling_of_membership(intake.reading, index))
    if deed in {"end", "bury"}:
        _end(intake, index, found)
    elif deed in {"create", "apply", "revive"}:
        _reach(intake, affiliate, member, found)


def joins(intake: Intake, index: int) -> bool:
    """Whether one of the told memberships of a new affiliate begins with this message: it has a program, and has not ended."""
    member = intake.reading.memberships[index]
    known = intake.known("membership", key(intake, member))
    deed = intake.deed(Found(known), telling_of_membership(intake.reading, index), noted=False)
    return member.program is not None and deed in {"create", "revive"}


def bury(intake: Intake, index: int, member: ToldMembership) -> None:
    """Remember that a membership has ended, so that older news does not create it; one that is there is let alone."""
    known = intake.known("membership", key(intake, member))
    record_id = known.record_id if known else NOBODY
    intake.remember("membership", key(intake, member), record_id, ended=True, status=_end_of(intake, index))


def first_wish(intake: Intake, member: ToldMembership) -> dict[str, Any]:
    """Return the fields with which a told membership begins; its status is the first on the way to the told one."""
    status = member.told.fields.get("status") or UNTOLD
    return {
        **_fields(intake, member),
        "status": way(None, status)[0],
        "external_ids": intake.first_names(Membership, member.told),
    }


def settle(intake: Intake, member: ToldMembership, membership: Membership) -> None:
    """Bring a membership to the told status and fields, with what hangs on it, and remember that it was told of."""
    status = member.told.fields.get("status") or membership.status
    fields = intake.differing("membership", membership, _fields(intake, member))
    fields.pop("status", None)
    fields |= intake.adopted(membership, member.told)
    _go(intake, membership, member, status, fields)
    mirror_perks.bring_codes(intake, membership.id, member.promo_codes)
    intake.remember("membership", key(intake, member), membership.id, status=status)


def _end(intake: Intake, index: int, found: Found) -> None:
    member, status = intake.reading.memberships[index], _end_of(intake, index)
    if found.record is not None:
        _go(intake, found.record, member, status, {})
    record_id = found.record.id if found.record else NOBODY
    intake.remember("membership", key(intake, member), record_id, ended=True, status=status)


def _reach(intake: Intake, affiliate: Affiliate, member: ToldMembership, found: Found) -> None:
    program = mirror_programs.bring(intake, member.program) if member.program else None
    membership = found.record or (_of(intake, affiliate, program) if program else None)
    if membership is None and program is None:
        intake.note("a membership in a program that is not here")
    elif membership is None and program is not None:
        wish = first_wish(intake, member)
        settle(intake, member, intake.act(member.told, memberships.create, affiliate.id, program.id, wish))
    elif membership is not None:
        settle(intake, member, membership)


def _go(intake: Intake, membership: Membership, member: ToldMembership, status: str, fields: dict[str, Any]) -> None:
    """Go the legal way to a status; the last step, or a request of its own, takes the fields along."""
    stays = agrees(intake.coarse.get("membership.status", {}), membership.status, status)
    steps: list[dict[str, Any]] = [] if stays else [{"status": one} for one in way(membership.status, status)]
    if fields:
        steps[-1:] = [{**(steps[-1] if steps else {}), **fields}]
    for step in steps:
        intake.act(member.told, memberships.update, membership.id, step)


def _fields(intake: Intake, member: ToldMembership) -> dict[str, Any]:
    fields = intake.fields(Membership, member.told)
    if member.group is not None:
        fields["group_id"] = mirror_perks.group(intake, member.group)
    return fields


def _end_of(intake: Intake, index: int) -> str:
    status = intake.reading.memberships[index].told.fields.get("status")
    if status in ENDED:
        return str(status)
    return "left" if "membership.left" in intake.reading.events else "removed"


def _stands(intake: Intake, record: Membership, affiliate: Affiliate | None) -> bool:
    """Whether a membership is still one: its program and its affiliate are there, and it is of this affiliate."""
    registry, owner = intake.tx.registry, intake.organization_id
    if (
        record.affiliate_id != affiliate.id
        if affiliate
        else registry.get(Affiliate, owner, record.affiliate_id) is None
    ):
        return False
    return registry.get(Program, owner, record.program_id) is not None


def _of(intake: Intake, affiliate: Affiliate, program: Program) -> Membership | None:
    found = intake.tx.registry.find(
        Membership, intake.organization_id, affiliate_id=affiliate.id, program_id=program.id
    )
    return found[0] if found else None
