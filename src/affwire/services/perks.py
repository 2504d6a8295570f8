"""What hangs on memberships: groups, links and promo codes.

Promo codes speak (membership.updated); groups and links say nothing until their own event families exist (contracts A1).
"""

from typing import Any

from affwire.errors import Conflict
from affwire.model import canonical
from affwire.model.registry import Group, Link, Membership, PromoCode
from affwire.services import memberships
from affwire.services.actions import Action, changes, found, replaced
from affwire.store.registry import Record


def create_group(action: Action, fields: dict[str, Any]) -> Group:
    """Create a group."""
    group = Group(**_made(action, "group"), **fields)
    action.tx.registry.insert(group)
    return group


def update_group(action: Action, group_id: str, fields: dict[str, Any]) -> Group:
    """Rename a group. Raises NotFound."""
    return _update(action, found(action.tx, Group, action.organization.id, group_id), fields)


def delete_group(action: Action, group_id: str) -> None:
    """Delete a group. Raises NotFound, Conflict("group_in_use") while memberships are in it."""
    group = found(action.tx, Group, action.organization.id, group_id)
    members = action.tx.registry.find(Membership, action.organization.id, group_id=group.id)
    if members:
        raise Conflict(
            "group_in_use",
            f"{len(members)} memberships are in group {group.id}; move them first (PATCH their group_id).",
            memberships=len(members),
        )
    action.tx.registry.delete(group)


def create_link(action: Action, membership_id: str, fields: dict[str, Any]) -> Link:
    """Create a link of a membership. Raises NotFound."""
    affiliate, membership = action.membership(membership_id)
    link = Link(**_made(action, "link"), membership_id=membership.id, affiliate_id=affiliate.id, **fields)
    action.tx.registry.insert(link)
    return link


def update_link(action: Action, link_id: str, fields: dict[str, Any]) -> Link:
    """Change a link. Raises NotFound."""
    return _update(action, found(action.tx, Link, action.organization.id, link_id), fields)


def delete_link(action: Action, link_id: str) -> None:
    """Delete a link. Raises NotFound."""
    action.tx.registry.delete(found(action.tx, Link, action.organization.id, link_id))


def create_promo_code(action: Action, membership_id: str, fields: dict[str, Any]) -> PromoCode:
    """Add a promo code to a membership. Event: membership.updated. Raises NotFound, Conflict("code_taken")."""
    affiliate, membership = action.membership(membership_id)
    previous = _codes(action, membership)
    _refuse_twice(action, membership, fields["code"])
    code = PromoCode(**_made(action, "promo_code"), membership_id=membership.id, affiliate_id=affiliate.id, **fields)
    action.tx.registry.insert(code)
    memberships.touch(action, affiliate, membership, previous)
    return code


def update_promo_code(action: Action, code_id: str, fields: dict[str, Any]) -> PromoCode:
    """Change a promo code. Event: membership.updated, unless nothing changed. Raises NotFound, Conflict("code_taken")."""
    code = found(action.tx, PromoCode, action.organization.id, code_id)
    affiliate, membership = action.membership(code.membership_id)
    previous, changed = _codes(action, membership), changes(code, fields)
    if not changed:
        return code
    if "code" in changed:
        _refuse_twice(action, membership, changed["code"])
    code = _update(action, code, fields)
    memberships.touch(action, affiliate, membership, previous)
    return code


def delete_promo_code(action: Action, code_id: str) -> None:
    """Take a promo code away. Event: membership.updated. Raises NotFound."""
    code = found(action.tx, PromoCode, action.organization.id, code_id)
    affiliate, membership = action.membership(code.membership_id)
    previous = _codes(action, membership)
    action.tx.registry.delete(code)
    memberships.touch(action, affiliate, membership, previous)


def _made(action: Action, kind: str) -> dict[str, Any]:
    return {
        "id": action.new_id(kind),
        "organization_id": action.organization.id,
        "number": action.next_number(kind),
        "created_at": action.tx.now,
        "updated_at": action.tx.now,
    }


def _update(action: Action, record: Record, fields: dict[str, Any]) -> Record:
    changed = changes(record, fields)
    if changed:
        record = replaced(record, updated_at=max(action.tx.now, record.updated_at), **changed)
        action.tx.registry.update(record)
    return record


def _codes(action: Action, membership: Membership) -> dict[str, Any]:
    codes = action.tx.registry.find(PromoCode, action.organization.id, membership_id=membership.id)
    return {"promo_codes": [canonical.record(code) for code in codes]}


def _refuse_twice(action: Action, membership: Membership, code: str) -> None:
    taken = action.tx.registry.find(PromoCode, action.organization.id, membership_id=membership.id, code=code)
    if taken:
        raise Conflict(
            "code_taken",
            f"Membership {membership.id} has the code {code!r} already.",
            field="code",
            existing_id=taken[0].id,
        )
