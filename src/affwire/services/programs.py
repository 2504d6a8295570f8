"""Programs: create, change, delete (with their members, if forced)."""

from typing import Any, Final

from affwire.errors import Conflict
from affwire.model.registry import Membership, Program
from affwire.rules import lifecycle
from affwire.services import memberships
from affwire.services.actions import Action, later_changes, old_values, replaced

FORCED_MAX: Final = 2_000
"""Live members whom one request may remove with their program: a second or two of the one writer's time."""


def create(action: Action, fields: dict[str, Any]) -> Program:
    """Create a program. Event: program.created; of one without a name, when it gets one (contracts A1: placeholders)."""
    program = Program(
        id=action.new_id("program"),
        organization_id=action.organization.id,
        number=action.next_number("program"),
        **{"created_at": action.tx.now, "updated_at": action.tx.now, **fields},
    )
    action.tx.registry.insert(program)
    if program.name:
        action.say("program.created", {}, program_id=program.id)
    return program


def update(action: Action, program_id: str, fields: dict[str, Any]) -> Program:
    """Change a program's fields. Event: program.updated, unless nothing changed; program.created with its first name.

    Raises NotFound, Conflict("external_id_taken"), Conflict("external_id_frozen").
    """
    program = action.program(program_id)
    changed = later_changes(action, program, fields)
    if not changed:
        return program
    if program.name:
        action.say("program.updated", old_values(program, changed), program_id=program.id)
    elif changed.get("name"):
        action.say("program.created", {}, program_id=program.id)
    program = replaced(program, updated_at=_later(action, program), **changed)
    action.tx.registry.update(program)
    return program


def delete(action: Action, program_id: str, *, force: bool, members_max: int | None = None) -> None:
    """Delete a program. Events: membership.removed for each live member (forced only), then program.deleted.

    A placeholder goes without a word. Raises NotFound, Conflict("program_has_members") if there are live members and
    it is not forced, and Conflict("too_many_members") if more than `members_max` would go in this one commit.
    """
    program = action.tx.registry.get(Program, action.organization.id, program_id) or action.program(program_id)
    members = action.tx.registry.find(Membership, action.organization.id, program_id=program.id)
    live = [member for member in members if lifecycle.is_live(member.status)]
    if live and not force:
        raise Conflict(
            "program_has_members",
            f"Program {program.id} has {len(live)} live members; remove them, or delete it with ?force=true.",
            live_members=len(live),
        )
    if members_max is not None and len(live) > members_max:
        raise Conflict(
            "too_many_members",
            f"Program {program.id} has {len(live)} live members; {members_max} go with it in one commit: "
            "remove others first, up to 1,000 in a batch.",
            live_members=len(live),
        )
    for member in live:
        affiliate, membership = action.membership(member.id)
        memberships.end(action, affiliate, membership, "remove")
    for member in members:
        action.tx.registry.external_ids.release(member.id)
    program = action.program(program.id)
    at = _later(action, program)
    action.tx.registry.update(replaced(program, deleted_at=at, updated_at=at))
    if program.name:
        action.say("program.deleted", {}, program_id=program.id)


def _later(action: Action, program: Program) -> int:
    return max(action.dated(action.tx.now, program.updated_at), program.updated_at + 1)
