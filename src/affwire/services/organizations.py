"""Organizations and their API keys. A key is shown once, when it is made; afterwards only its digest is known."""

import hmac
from hashlib import sha256
from typing import Any, Final

from msgspec import Struct, structs

from affwire.errors import Conflict, NotFound, Unauthorized
from affwire.model.events import Actor
from affwire.model.registry import Organization
from affwire.services.actions import Caller, changes
from affwire.store.keys import ApiKey
from affwire.store.tx import Tx

KEY_PREFIX: Final = "awk_"
KEY_BYTES: Final = 32
OPERATOR: Final = "operator"
"""Stands for the whole installation where an organization's id is expected."""


class Identity(Struct, frozen=True):
    """Who a request comes from: the operator, or a key of an organization with its scope."""

    organization_id: str
    scope: str
    key_id: str | None = None
    expires_at: int | None = None

    @property
    def caller(self) -> Caller:
        """The identity as the actor of its actions."""
        actor = Actor("operator") if self.scope == OPERATOR else Actor("key", self.key_id)
        return Caller(self.organization_id, actor)


def create(tx: Tx, fields: dict[str, Any]) -> tuple[Organization, str]:
    """Create an organization and its first key (scope admin), which is returned and never shown again.

    Raises Conflict("slug_taken") with the existing id.
    """
    _refuse_taken(tx, fields["slug"])
    organization = Organization(
        id=tx.world.new_id("organization"),
        number=tx.registry.next_number(OPERATOR, "organization"),
        created_at=tx.now,
        updated_at=tx.now,
        **fields,
    )
    tx.registry.insert(organization)
    _, secret = create_key(tx, organization.id, name="first key", scope="admin", expires_at=None)
    return organization, secret


def update(tx: Tx, organization_id: str, fields: dict[str, Any]) -> Organization:
    """Change an organization's fields. Raises NotFound and Conflict("slug_taken")."""
    organization = get(tx, organization_id)
    changed = changes(organization, fields)
    if "slug" in changed:
        _refuse_taken(tx, changed["slug"])
    if not changed:
        return organization
    organization = structs.replace(organization, updated_at=max(tx.now, organization.updated_at + 1), **changed)
    tx.registry.update(organization)
    return organization


def get(tx: Tx, organization_id: str) -> Organization:
    """Return an organization; raises NotFound."""
    organization = tx.registry.organization(organization_id)
    if organization is None:
        raise NotFound("organization_not_found", f"There is no organization {organization_id}.")
    return organization


def create_key(tx: Tx, organization_id: str, *, name: str, scope: str, expires_at: int | None) -> tuple[ApiKey, str]:
    """Create an API key of 256 random bits; return its record and, this once, the key itself."""
    secret = KEY_PREFIX + tx.world.secret_bytes(KEY_BYTES).hex()
    key = ApiKey(
        id=tx.world.new_id("key"),
        organization_id=organization_id,
        name=name,
        scope=scope,
        digest=digest(secret),
        last4=secret[-4:],
        created_at=tx.now,
        expires_at=expires_at,
    )
    tx.keys.insert(key)
    tx.tell("key.created", id=key.id, organization_id=organization_id, scope=scope)
    return key, secret


def revoke_key(tx: Tx, organization_id: str, key_id: str) -> None:
    """End a key's use at once. Raises NotFound, Conflict("last_admin_key")."""
    key = tx.keys.get(organization_id, key_id)
    if key is None:
        raise NotFound("key_not_found", f"There is no key {key_id} in this organization.")
    if key.scope == "admin" and tx.keys.admins(organization_id, tx.now) == 1:
        raise Conflict(
            "last_admin_key", f"{key_id} is the organization's last admin key; make another one first, or nobody can."
        )
    tx.keys.revoke(key_id, tx.now)
    tx.tell("key.revoked", id=key_id, organization_id=organization_id, scope=key.scope)


def authenticate(tx: Tx, secret: str, operator_digest: str) -> Identity:
    """Return whose key this is. Raises Unauthorized for an unknown, revoked or expired one, alike."""
    presented = digest(secret)
    if hmac.compare_digest(presented, operator_digest):
        return Identity(OPERATOR, OPERATOR)
    key = tx.keys.by_digest(presented)
    if key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= tx.now):
        raise Unauthorized("invalid_key", "This API key is not known, or no longer valid.")
    return Identity(key.organization_id, key.scope, key.id, key.expires_at)


def digest(secret: str) -> str:
    """Return what is stored of a key."""
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _refuse_taken(tx: Tx, slug: str) -> None:
    existing = tx.registry.organization_by_slug(slug)
    if existing is not None:
        raise Conflict(
            "slug_taken", f"The slug {slug!r} belongs to {existing.id}.", field="slug", existing_id=existing.id
        )
