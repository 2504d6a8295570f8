"""Memberships: asking, joining, leaving, and everything that hangs on a membership."""

from typing import Any, Final

from affwire.errors import Conflict, Refused
from affwire.model.registry import Affiliate, Group, Membership, Program
from affwire.rules import lifecycle, standing
from affwire.services.actions import Action, later_changes, old_values, replaced

MEMBERSHIPS_MAX: Final = 500
"""Memberships of one affiliate, ended ones too: the snapshot of every event carries them all."""


def create(action: Action, affiliate_id: str, program_id: str, fields: dict[str, Any]) -> Membership:
    """Make an affiliate a member of a program, or let them ask (`status` pending; default active).

    For one that left, was removed or declined this is the transition back. Events: membership.requested or .activated.
    Raises NotFound, and Conflict("already_member") with the membership's id if there is a live one.
    """
    affiliate = action.affiliate(affiliate_id)
    program = action.program(program_id)
    existing = action.tx.registry.find(
        Membership, action.organization.id, affiliate_id=affiliate.id, program_id=program.id
    )
    if not existing:
        return join(action, affiliate, program, fields)[1]
    membership = existing[0]
    if lifecycle.is_live(membership.status):
        raise Conflict(
            "already_member",
            f"Affiliate {affiliate.id} already is a member of {program.id}: {membership.id} ({membership.status}).",
            existing_id=membership.id,
            status_now=membership.status,
        )
    action.note(membership)
    step = _joining(action, program, membership.status, fields)
    return _apply(action, affiliate, membership, step, _without_status(fields))[1]


def join(
    action: Action, affiliate: Affiliate, program: Program, fields: dict[str, Any]
) -> tuple[Affiliate, Membership]:
    """Create the first membership of an affiliate in a program; the affiliate is returned as it then is."""
    step = _joining(action, program, None, fields)
    _refuse_beyond_limit(action, affiliate)
    checked = _without_status(fields)
    _check_group(action, checked.get("group_id"))
    at = action.at(affiliate)
    membership = Membership(
        id=action.new_id("membership"),
        organization_id=action.organization.id,
        number=action.next_number("membership"),
        affiliate_id=affiliate.id,
        program_id=program.id,
        status=step.status,
        **{"created_at": at, "updated_at": at, **checked},
    )
    action.status_before[membership.id] = None
    action.tx.registry.insert(membership)
    affiliate, moved = _account_after(action, affiliate, membership, None)
    _say(action, step.event, membership, {"status": None, **moved})
    return affiliate, membership


def update(action: Action, membership_id: str, fields: dict[str, Any]) -> Membership:
    """Change a membership's fields, its status too (which then is the action that leads there).

    Events: the status's event alone, or membership.updated; none if nothing changed. Raises NotFound,
    Conflict("illegal_transition") naming the legal ones, Refused("unknown_group").
    """
    affiliate, membership = action.membership(membership_id)
    step = None
    if "status" in fields and fields["status"] != membership.status:
        program = _living_program(action, membership)
        step = _step_to(action, program, membership.status, fields["status"])
    return _apply(action, affiliate, membership, step, _without_status(fields))[1]


def command(action: Action, membership_id: str, name: str) -> Membership:
    """Approve, reject, remove, let leave or reactivate. Raises NotFound, Conflict("illegal_transition")."""
    affiliate, membership = action.membership(membership_id)
    step = lifecycle.command(membership.status, name)
    _living_program(action, membership)
    return _apply(action, affiliate, membership, step, {})[1]


def end(action: Action, affiliate: Affiliate, membership: Membership, how: str) -> Affiliate:
    """End a live membership (`how`: remove or leave); the affiliate is returned as it then is."""
    return _apply(action, affiliate, membership, lifecycle.step(membership.status, how), {})[0]


def touch(action: Action, affiliate: Affiliate, membership: Membership, previous: dict[str, Any]) -> None:
    """Say that something that hangs on a membership changed. Event: membership.updated."""
    action.tx.registry.update(replaced(membership, updated_at=_later(action, affiliate, membership)))
    _say(action, "membership.updated", membership, previous)


def _apply(
    action: Action, affiliate: Affiliate, membership: Membership, step: lifecycle.Step | None, fields: dict[str, Any]
) -> tuple[Affiliate, Membership]:
    changed = later_changes(action, membership, fields)
    _check_group(action, changed.get("group_id"))
    if step is None and not changed:
        return affiliate, membership
    previous, before = old_values(membership, changed), membership.status
    if step is None:
        membership = replaced(membership, updated_at=_later(action, affiliate, membership), **changed)
        action.tx.registry.update(membership)
        _say(action, "membership.updated", membership, previous)
        return affiliate, membership
    at = action.dated(action.at(affiliate), membership.updated_at)
    updated_at = max(at, _later_second(membership.updated_at))
    membership = replaced(membership, status=step.status, updated_at=updated_at, **changed)
    action.tx.registry.update(membership)
    affiliate, moved = _account_after(action, affiliate, membership, before)
    _say(action, step.event, membership, {"status": before, **previous, **moved})
    return affiliate, membership


def _later(action: Action, affiliate: Affiliate, record: Affiliate | Membership) -> int:
    return max(action.dated(action.at(affiliate), record.updated_at), record.updated_at + 1)


def _later_second(updated_at: int) -> int:
    """Growi's receivers dedupe on updated_at in whole seconds: each change of status gets a second of its own."""
    return (updated_at // 1000 + 1) * 1000


def _refuse_beyond_limit(action: Action, affiliate: Affiliate) -> None:
    mates = action.tx.registry.find(Membership, action.organization.id, affiliate_id=affiliate.id)
    if len(mates) >= MEMBERSHIPS_MAX:
        raise Conflict(
            "too_many_memberships",
            f"Affiliate {affiliate.id} has {len(mates)} memberships; {MEMBERSHIPS_MAX} is the limit.",
        )


def _account_after(
    action: Action, affiliate: Affiliate, membership: Membership, before: str | None
) -> tuple[Affiliate, dict[str, Any]]:
    """Move the account with a membership: its standing, and `pending` to `active` with the first activation.

    Returns the affiliate as it then is and what belongs into the event's `previous`.
    """
    mates = action.tx.registry.find(Membership, action.organization.id, affiliate_id=affiliate.id)
    others = [mate.status for mate in mates if mate.id != membership.id]
    stands = standing.after_membership(affiliate.standing, before, membership.status, others)
    activated = membership.status == "active" and affiliate.status == "pending"
    status = "active" if activated else affiliate.status
    if stands != affiliate.standing or activated:
        affiliate = replaced(
            affiliate,
            standing=stands,
            status=status,
            updated_at=_later(action, affiliate, affiliate) if activated else affiliate.updated_at,
        )
        action.tx.registry.update(affiliate)
    return affiliate, {"affiliate": {"status": "pending"}} if activated else {}


def _joining(action: Action, program: Program, before: str | None, fields: dict[str, Any]) -> lifecycle.Step:
    """Return the step with which somebody who is no live member joins: a request or an activation, nothing else."""
    wished = fields.get("status", "active")
    step = _step_to(action, program, before, wished)
    if step is None:
        raise lifecycle.illegal(before, wished)
    return step


def _step_to(action: Action, program: Program, before: str | None, wished: str) -> lifecycle.Step | None:
    """A request into a program that approves automatically is its activation (contracts A1, row 7b)."""
    step = lifecycle.step_to(before, wished)
    asks = step is not None and step.status == "pending"
    return lifecycle.step(before, "activate") if asks and action.approves(program) else step


def _living_program(action: Action, membership: Membership) -> Program:
    program = action.tx.registry.get(Program, action.organization.id, membership.program_id, lock=True)
    if program is None:
        raise Conflict(
            "program_deleted", f"The program of {membership.id} was deleted; its status cannot change any more."
        )
    return program


def _check_group(action: Action, group_id: str | None) -> None:
    if group_id is not None and action.tx.registry.get(Group, action.organization.id, group_id) is None:
        raise Refused("unknown_group", f"There is no group {group_id} in this organization.", field="group_id")


def _without_status(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "status"}


def _say(action: Action, event_type: str, membership: Membership, previous: dict[str, Any]) -> None:
    action.say(
        event_type,
        previous,
        affiliate_id=membership.affiliate_id,
        program_id=membership.program_id,
        membership_id=membership.id,
    )
