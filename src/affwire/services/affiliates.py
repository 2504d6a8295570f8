"""Affiliates: create (with a first membership, if wished), change, confirm, delete, erase."""

from typing import Any, Final

from affwire.errors import Conflict, Refused
from affwire.model.registry import Affiliate, Membership
from affwire.rules import lifecycle, standing
from affwire.services import erasure, memberships
from affwire.services.actions import Action, changes, later_changes, old_values, replaced
from affwire.store.registry import email_key
from affwire.store.tx import Tx

_OF_THE_ADDRESS: Final = "insert_affiliate"
"""Whose id of an affiliate belongs to the e-mail address: it is derived from it (contracts A2)."""


def create(
    action: Action, fields: dict[str, Any], *, program_id: str | None = None, membership: dict[str, Any] | None = None
) -> tuple[Affiliate, Membership | None]:
    """Create an affiliate, and in the same commit the first membership if a program is named.

    Events: affiliate.created, then membership.requested or .activated. Raises Conflict("email_taken") with the
    existing id, NotFound for the program, Refused for a group that is not there.
    """
    program = action.program(program_id) if program_id else None
    _refuse_taken(action.tx, action.organization.id, fields.get("email"))
    asks = (
        program is not None and not action.approves(program) and (membership or {}).get("status", "active") == "pending"
    )
    status = fields.get("status") or ("pending" if asks else "active")
    affiliate = Affiliate(
        id=action.new_id("affiliate"),
        organization_id=action.organization.id,
        number=action.next_number("affiliate"),
        standing=standing.at_creation(status, pending_request=asks),
        **{"created_at": action.tx.now, "updated_at": action.tx.now, **fields, "status": status},
    )
    action.standing_before[affiliate.id] = False
    action.tx.registry.insert(affiliate)
    action.say("affiliate.created", {}, affiliate_id=affiliate.id)
    if program is None:
        return affiliate, None
    return memberships.join(action, affiliate, program, membership or {})


def update(action: Action, affiliate_id: str, fields: dict[str, Any]) -> Affiliate:
    """Change an affiliate's fields. Event: affiliate.updated, unless nothing changed.

    Raises NotFound, Conflict("email_taken") with the existing id, Refused("email_required") if the address would go,
    Conflict("external_id_taken"), Conflict("external_id_frozen").
    """
    affiliate = action.affiliate(affiliate_id)
    changed = _changed(action, affiliate, fields)
    if "email" in changed:
        _check_new_email(action, affiliate, changed["email"])
    if not changed:
        return affiliate
    action.say("affiliate.updated", old_values(affiliate, changed), affiliate_id=affiliate.id)
    stands = standing.after_account(affiliate.standing, affiliate.status, changed.get("status", affiliate.status))
    moved_at = action.dated(action.at(affiliate), affiliate.updated_at)
    affiliate = replaced(affiliate, standing=stands, updated_at=moved_at, **changed)
    action.tx.registry.update(affiliate)
    return affiliate


def confirm(action: Action, affiliate_id: str, *, confirmed_at: int | None = None) -> Affiliate:
    """Note that the affiliate confirmed the e-mail address, just now unless told when (ms).

    Event: affiliate.confirmed, the first time only.
    """
    affiliate = action.affiliate(affiliate_id)
    if affiliate.confirmed_at is not None:
        return affiliate
    action.say("affiliate.confirmed", {"confirmed_at": None}, affiliate_id=affiliate.id)
    at = action.dated(action.at(affiliate), affiliate.updated_at)
    affiliate = replaced(affiliate, confirmed_at=at if confirmed_at is None else confirmed_at, updated_at=at)
    action.tx.registry.update(affiliate)
    return affiliate


def delete(action: Action, affiliate_id: str, *, erase: bool = False) -> None:
    """Delete an affiliate. Events: membership.removed for each live membership, then affiliate.deleted.

    `erase` also takes the personal data out of registry, log and attempts, as soon as no delivery needs them any more
    (services/erasure.py; the engine's janitor asks for it), also of one that was deleted before, and of one of whom only
    relays told. Raises NotFound, Conflict("deliveries_unfinished") for the last.
    """
    if erase and _erase_former(action, affiliate_id):
        return
    affiliate = action.affiliate(affiliate_id)
    for membership in action.tx.registry.find(Membership, action.organization.id, affiliate_id=affiliate.id):
        action.note(membership)
        if lifecycle.is_live(membership.status):
            affiliate = memberships.end(action, affiliate, membership, "remove")
        action.tx.registry.external_ids.release(membership.id)
    at = action.dated(action.at(affiliate), affiliate.updated_at)
    affiliate = replaced(
        affiliate, standing=False, deleted_at=at, updated_at=at, erased_at=at if erase else affiliate.erased_at
    )
    action.tx.registry.update(affiliate)
    action.say("affiliate.deleted", {}, affiliate_id=affiliate.id)


def _erase_former(action: Action, affiliate_id: str) -> bool:
    """Erase one who is not (any more) in the registry: nothing is said again. False if there is none."""
    former = action.tx.registry.get_even_deleted(Affiliate, action.organization.id, affiliate_id)
    if former is None:
        return erasure.erase_relayed(action.tx, action.organization.id, affiliate_id)
    if former.deleted_at is None:
        return False
    action.tx.registry.update(replaced(former, erased_at=action.tx.now))
    return True


def _changed(action: Action, affiliate: Affiliate, fields: dict[str, Any]) -> dict[str, Any]:
    """Return what changes; with another address the id that belongs to the old one goes."""
    if not affiliate.email or email_key(fields.get("email", affiliate.email)) == email_key(affiliate.email):
        return later_changes(action, affiliate, fields)
    left = {name: value for name, value in affiliate.external_ids.items() if name != _OF_THE_ADDRESS}
    changed = later_changes(action, replaced(affiliate, external_ids=left), fields)
    return changes(affiliate, {"external_ids": left, **changed})


def _check_new_email(action: Action, affiliate: Affiliate, email: str | None) -> None:
    if email is None:
        raise Refused("email_required", "An affiliate's e-mail address can be changed, not taken away.", field="email")
    if email_key(email) != email_key(affiliate.email):
        _refuse_taken(action.tx, action.organization.id, email)


def _refuse_taken(tx: Tx, organization_id: str, email: str | None) -> None:
    taken = tx.registry.find(Affiliate, organization_id, email_key=email_key(email)) if email else []
    if taken:
        raise Conflict(
            "email_taken",
            f"The e-mail address belongs to affiliate {taken[0].id} already.",
            field="email",
            existing_id=taken[0].id,
        )
