"""Users: added, given a role, disabled; what changes what a user may do holds from this commit on, everywhere.

A password is hashed by whoever waits for it anyway: `hashed` and `matches` take a tenth of a second and belong in no transaction.
"""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from typing import Any, Final

from msgspec import structs

from affwire.errors import Conflict, NotFound, Refused
from affwire.model.times import rfc3339
from affwire.model.users import SCOPES, Role, User, UserDetails
from affwire.store.tx import Tx

OPERATOR_EMAIL: Final = "operator@localhost"
"""The address of the user that a server's start makes for its operator."""
PASSWORD_CHARACTERS_MIN: Final = 12
"""As short as a password may be where nothing else limits guessing it: NIST SP 800-63B asks for at least 8."""
PASSWORD_CHARACTERS_MAX: Final = 1_024
_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,255}")
_NAME_MAX: Final = 200
_COST: Final = (15, 8, 3)
"""scrypt's log2(N), r and p: 32 MiB and about a tenth of a second, as OWASP's password storage page recommends."""
_MEMORY: Final = 64 * 1024 * 1024
SALT_BYTES: Final = 16
NOBODYS: Final = f"scrypt$15$8$3${'A' * 22}==${'A' * 43}="
"""A hash that no password has: an unknown address takes as long as a wrong password."""


def add(tx: Tx, *, email: str, role: str, name: str = "", organization_id: str | None = None) -> User:
    """Add a user of an organization, None: an operator. Raises Refused, NotFound, Conflict("user_exists")."""
    email = email.strip()
    if not _EMAIL.fullmatch(email):
        raise Refused("invalid_email", "That is no e-mail address.", field="email")
    if organization_id is not None and tx.registry.organization(organization_id) is None:
        raise NotFound("organization_not_found", f"There is no organization {organization_id}.")
    if tx.people.by_email(email) is not None:
        raise Conflict("user_exists", "A user has that address already.", field="email")
    user = User(
        id=tx.world.new_id("user"),
        organization_id=organization_id,
        email=email,
        name=name.strip()[:_NAME_MAX],
        role=_role(role),
        created_at=tx.now,
    )
    tx.people.insert(user)
    tx.tell("user.added", id=user.id, organization_id=organization_id, role=role)
    return user


def operator(tx: Tx) -> User:
    """Return the operator's own user, which the first start makes."""
    found = tx.people.by_email(OPERATOR_EMAIL)
    return found or add(tx, email=OPERATOR_EMAIL, role="admin", name="Operator")


def get(tx: Tx, organization_id: str | None, user_id: str) -> User:
    """Return a user of an organization, None: of any, by id or address. Raises NotFound."""
    user = tx.people.by_email(user_id) if "@" in user_id else tx.people.get(user_id)
    if user is None or (organization_id is not None and user.organization_id != organization_id):
        raise NotFound("user_not_found", f"There is no user {user_id[:_NAME_MAX]} here.")
    return user


def by_address(tx: Tx, address: str) -> User | None:
    """Return the user with an address that somebody typed, whatever it is; it looks even for one that nobody can have."""
    return tx.people.by_email(address if _EMAIL.fullmatch(address) else "")


def change_role(tx: Tx, user: User, role: str) -> User:
    """Give a user another role. Raises Refused, Conflict("last_admin")."""
    return _changed(tx, user, "user.role_changed", role=_role(role))


def disable(tx: Tx, user: User) -> User:
    """End a user's every session and let nobody sign in as them. Raises Conflict("last_admin")."""
    after = _changed(tx, user, "user.disabled", disabled_at=tx.now)
    tx.people.sign_out(user.id)
    return after


def enable(tx: Tx, user: User) -> User:
    """Let a disabled user sign in again."""
    return _changed(tx, user, "user.enabled", disabled_at=None)


def set_password(tx: Tx, user: User, password_hash: str) -> User:
    """Give a user the password that `hashed` made this of; whoever is signed in as them no longer is."""
    after = _changed(tx, user, "user.password_set", password_hash=password_hash)
    tx.people.sign_out(user.id)
    return after


def hashed(password: str, salt: bytes) -> str:
    """Return what is kept of a password. `salt`: SALT_BYTES random bytes. Raises Refused ("weak_password")."""
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        raise Refused(
            "weak_password",
            f"A password has {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters.",
            field="password",
        )
    n, r, p = _COST
    return f"scrypt${n}${r}${p}${b64encode(salt).decode()}${b64encode(_scrypt(password, salt, n, r, p)).decode()}"


def matches(password: str, password_hash: str | None) -> bool:
    """Return whether it is the password; it takes as long where there is none."""
    _, n, r, p, salted, expected = (password_hash or NOBODYS).split("$")
    found = _scrypt(password[:PASSWORD_CHARACTERS_MAX], b64decode(salted), int(n), int(r), int(p))
    return hmac.compare_digest(found, b64decode(expected)) and password_hash is not None


def shown(user: User) -> UserDetails:
    """Return a user as a JSON object."""
    return {
        "id": user.id,
        "organization_id": user.organization_id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "has_password": user.password_hash is not None,
        "created_at": rfc3339(user.created_at),
        "last_seen_at": None if user.last_seen_at is None else rfc3339(user.last_seen_at),
        "disabled_at": None if user.disabled_at is None else rfc3339(user.disabled_at),
    }


def _changed(tx: Tx, user: User, told: str, **fields: Any) -> User:
    after = structs.replace(user, **fields)
    loses = user.role == "admin" and user.disabled_at is None and (after.role != "admin" or after.disabled_at)
    if loses and tx.people.admins(user.organization_id) == 1:
        raise Conflict("last_admin", f"{user.email} is the last admin here; make another one first.")
    tx.people.update(after)
    tx.tell(told, id=user.id, organization_id=user.organization_id, role=after.role)
    return after


def _role(role: str) -> Role:
    for known in SCOPES:
        if role == known:
            return known
    raise Refused("invalid_role", f"A role is one of: {', '.join(SCOPES)}.", field="role")


def _scrypt(password: str, salted: bytes, n: int, r: int, p: int) -> bytes:
    text = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(text, salt=salted, n=1 << n, r=r, p=p, maxmem=_MEMORY, dklen=32)
