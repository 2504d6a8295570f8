"""External ids as the rules see them: create or update by the caller's own id, and what stays as it was given.

A dialect names a record by the id in its own namespace. That id must not change between the first thing said and the
last, so it is set when the record is created and at no later time (contracts A1).
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from affwire.errors import Conflict, Refused
from affwire.model.registry import Affiliate, Membership, Program
from affwire.services import affiliates, memberships, programs
from affwire.services.actions import EXTERNAL, Action, merged, resolved

_CONFIRMED: Final = "confirmed_at"
"""What only a new affiliate takes: later, confirming is an action with an event of its own."""


class OwnId(Struct, frozen=True):
    """An id of the caller's own: what `ext:<namespace>:<id>` names."""

    namespace: str
    value: str

    @classmethod
    def parse(cls, text: str) -> "OwnId":
        """Return the parts of `ext:<namespace>:<id>`."""
        namespace, _, value = text.removeprefix(EXTERNAL).partition(":")
        return cls(namespace, value)

    def known(self, action: Action, kind: type[Struct]) -> str | None:
        """Return the id of the record that it names, None if there is none yet."""
        return action.tx.registry.external_ids.find(kind, action.organization.id, self.namespace, self.value)

    def beginning(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """As `beside`, for a new record: there is nothing yet that a null could take away."""
        named = self.beside(fields)
        return {**named, "external_ids": {name: own for name, own in named["external_ids"].items() if own is not None}}

    def beside(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields with this id among the external ids. Raises Refused("external_id_differs")."""
        given = fields.get("external_ids") or {}
        if given.get(self.namespace, self.value) != self.value:
            raise Refused(
                "external_id_differs",
                f"The body names another {self.namespace} id than the path.",
                field=f"external_ids/{self.namespace}",
            )
        return {**fields, "external_ids": {**given, self.namespace: self.value}}


def put_program(action: Action, own: OwnId, fields: dict[str, Any]) -> tuple[Program, bool]:
    """Create or change the program of that id; tell whether it was created. Events as for either."""
    known = own.known(action, Program)
    if known is not None:
        return programs.update(action, known, own.beside(fields)), False
    if "name" not in fields:
        raise _required("name", "A new program needs a name.")
    return programs.create(action, own.beginning(fields)), True


def put_affiliate(
    action: Action,
    own: OwnId,
    fields: dict[str, Any],
    *,
    program_id: str | None = None,
    membership: dict[str, Any] | None = None,
) -> tuple[Affiliate, Membership | None, bool]:
    """Create or change the affiliate of that id; tell whether it was created. With the membership that was named.

    The first membership and `confirmed_at` are for a new affiliate: of one that is there they have to be as they are.
    Raises Refused("only_at_creation") naming what is not.
    """
    known = own.known(action, Affiliate)
    if known is not None:
        kept = _refuse_changed(action, action.affiliate(known), fields, program_id, membership or {})
        later = {name: value for name, value in fields.items() if name != _CONFIRMED}
        return affiliates.update(action, known, own.beside(later)), kept, False
    if "email" not in fields:
        raise _required("email", "A new affiliate needs an e-mail address.")
    made, joined = affiliates.create(action, own.beginning(fields), program_id=program_id, membership=membership)
    return made, joined, True


def put_membership(
    action: Action, own: OwnId, fields: dict[str, Any], **between: str | None
) -> tuple[Membership, bool]:
    """Create or change the membership of that id; tell whether it was created. `between`: affiliate_id and program_id.

    Raises Conflict("membership_elsewhere") if the id names a membership of another affiliate or in another program.
    """
    known = own.known(action, Membership)
    if known is not None:
        membership = action.membership(known)[1]
        for name, kind in (("affiliate_id", Affiliate), ("program_id", Program)):
            _refuse_elsewhere(action, membership, name, kind, between[name])
        return memberships.update(action, known, own.beside(fields)), False
    affiliate_id, program_id = (between[name] or _raise_required(name) for name in ("affiliate_id", "program_id"))
    return memberships.create(action, affiliate_id, program_id, own.beginning(fields)), True


def _refuse_changed(
    action: Action, affiliate: Affiliate, fields: Mapping[str, Any], program_id: str | None, wished: Mapping[str, Any]
) -> Membership | None:
    """Return the membership in that program. Refuse what a PUT would have to change of the affiliate's beginning."""
    if fields.get(_CONFIRMED, affiliate.confirmed_at) != affiliate.confirmed_at:
        raise _only_at_creation(_CONFIRMED, f"POST /v1/affiliates/{affiliate.id}/confirm confirms an address later.")
    if program_id is None:
        return None
    program = action.program(program_id)
    between = {"affiliate_id": affiliate.id, "program_id": program.id}
    there = action.tx.registry.find(Membership, action.organization.id, **between)
    if not there:
        raise _only_at_creation(
            "program_id", f"{affiliate.id} is there; POST /v1/memberships has it join {program.id}."
        )
    _refuse_other(program, there[0], wished)
    return there[0]


def _refuse_other(program: Program, membership: Membership, wished: Mapping[str, Any]) -> None:
    for name, value in wished.items():
        now = getattr(membership, name)
        same = now == (merged(now, value) if isinstance(value, Mapping) else value)
        let_in = name == "status" and program.auto_approve and (value, now) == ("pending", "active")
        if not (same or let_in):
            raise _only_at_creation(
                f"membership/{name}", f"{membership.id} is there with another; PATCH /v1/memberships/{membership.id}."
            )


def _only_at_creation(field: str, sentence: str) -> Refused:
    return Refused("only_at_creation", f"{field.replace('/', '.')} is for a new affiliate: {sentence}", field=field)


def _refuse_elsewhere(
    action: Action, membership: Membership, name: str, kind: type[Struct], wished: str | None
) -> None:
    if wished is None:
        return
    if resolved(action.tx, kind, action.organization.id, wished) != getattr(membership, name):
        raise Conflict(
            "membership_elsewhere",
            f"This id names {membership.id}, whose {name} is {getattr(membership, name)}; a membership does not move.",
            field=name,
            existing_id=membership.id,
        )


def _raise_required(name: str) -> str:
    raise _required(name, f"A new membership needs {name}.")


def _required(name: str, sentence: str) -> Refused:
    return Refused("required_at_creation", sentence, field=name)
