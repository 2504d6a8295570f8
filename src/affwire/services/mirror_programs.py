"""The mirror's programs: found by the platform's id, else by their name, and brought to what was told.

A program that a message only mentions is a placeholder: it has no name, and nothing is said of it until it gets one.
"""

from affwire.model.reading import Told
from affwire.model.registry import Membership, Program
from affwire.rules import lifecycle
from affwire.rules.reconciling import NOTHING, telling
from affwire.services import memberships, programs
from affwire.services.mirroring import NOBODY, Found, Intake


def find(intake: Intake, told: Told) -> Found:
    """Return what a program's id leads to, else its name."""
    registry, owner = intake.tx.registry, intake.organization_id
    known = intake.known("program", told.id)
    record = registry.get(Program, owner, known.record_id) if known else None
    named = registry.external_ids.find(Program, owner, intake.namespace, told.id) if told.id and not record else None
    record = registry.get(Program, owner, named) if named else record
    record = record or _namesake(intake, told)
    return Found(known, record, gone_at=None if record else intake.gone_at(Program, known))


def bring(intake: Intake, told: Told) -> Program | None:
    """Create or change a program as it was told; None if it has ended, or nothing says which one it is."""
    if not told.id and not told.fields.get("name"):
        return None
    found = find(intake, told)
    deed = intake.deed(found, "state", noted=False)
    if deed in NOTHING:
        record: Program | None = found.record
        return record
    return _create(intake, told) if found.record is None else _apply(intake, found.record, told)


def bring_message(intake: Intake, told: Told) -> None:
    """Carry out a message about a program itself."""
    found = find(intake, told)
    deed = intake.deed(found, telling(intake.reading, "program"))
    if deed in {"end", "bury"}:
        if found.record is not None:
            _end(intake, found.record, told)
        intake.remember("program", told.id, found.record.id if found.record else NOBODY, ended=True)
    elif deed not in NOTHING:
        bring(intake, told)


def _namesake(intake: Intake, told: Told) -> Program | None:
    """Return the one program of that name that has no id on this platform yet, unless the source goes by ids alone."""
    name = told.fields.get("name")
    if intake.source.match == "id" or not name:
        return None
    found = intake.tx.registry.find(Program, intake.organization_id, name=name)
    strangers = [one for one in found if intake.namespace not in one.external_ids and not _named(intake, one.id)]
    return strangers[0] if len(strangers) == 1 else None


def _named(intake: Intake, record_id: str) -> bool:
    known = intake.tx.identities.of_record(intake.organization_id, record_id)
    return any(one.namespace == intake.namespace and not one.ended for one in known)


def _create(intake: Intake, told: Told) -> Program:
    fields = {"name": "", **intake.fields(Program, told), "external_ids": intake.first_names(Program, told)}
    program = intake.act(told, programs.create, fields)
    intake.remember("program", told.id, program.id)
    return program


def _apply(intake: Intake, program: Program, told: Told) -> Program:
    fields = intake.differing("program", program, intake.fields(Program, told))
    if not fields.get("name"):
        fields.pop("name", None)
    fields |= intake.adopted(program, told)
    if fields:
        program = intake.act(told, programs.update, program.id, fields)
    intake.remember("program", told.id, program.id)
    return program


def _end(intake: Intake, program: Program, told: Told) -> None:
    """Delete a program with its members; one that others hold too loses only the members whom this platform told of."""
    members = intake.tx.registry.find(Membership, intake.organization_id, program_id=program.id)
    live = [member for member in members if lifecycle.is_live(member.status)]
    known = intake.tx.identities.of_record(intake.organization_id, program.id)
    if any(one.namespace != intake.namespace and not one.ended for one in known) or any(
        not _named(intake, member.id) for member in live
    ):
        intake.note("the program stays: others hold it too")
        live = [member for member in live if _named(intake, member.id)]
        for member in live:
            intake.act(told, memberships.command, member.id, "remove")
    else:
        intake.act(told, programs.delete, program.id, force=True)
