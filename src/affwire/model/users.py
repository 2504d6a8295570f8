"""Users: people who sign in to the console. Secrets are kept as digests only, a password as its scrypt hash."""

from typing import Annotated, Final, Literal, TypedDict

from msgspec import Meta, Struct

Role = Literal["admin", "editor", "viewer"]

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339, UTC, milliseconds."""

SCOPES: Final[dict[Role, str]] = {"admin": "admin", "editor": "registry", "viewer": "read"}
"""What a role may do, as the scope of an API key that may do the same."""


class User(Struct, frozen=True, kw_only=True):
    """A person. `organization_id` None: the operator, who sees every organization. Times in ms."""

    id: str
    organization_id: str | None = None
    email: str
    name: str = ""
    role: Role
    password_hash: str | None = None
    created_at: int
    last_seen_at: int | None = None
    disabled_at: int | None = None

    def may(self, scope: str) -> bool:
        """Return whether the user's role covers what a key with that scope may do: admin, registry or read."""
        covered = {"admin": {"admin", "registry", "read"}, "editor": {"registry", "read"}, "viewer": {"read"}}
        return scope in covered[self.role]


class Session(Struct, frozen=True, kw_only=True):
    """A browser that is signed in: known by the digest of its token, until it has been idle too long or has ended."""

    digest: str
    user_id: str
    created_at: int
    last_used_at: int
    expires_at: int


class SignInLink(Struct, frozen=True, kw_only=True):
    """A link that signs a user in once, within minutes."""

    digest: str
    user_id: str
    expires_at: int


class Invitation(Struct, frozen=True, kw_only=True):
    """What is told of a new sign-in link, this once: its token, and until when (ms) it works."""

    token: str
    expires_at: int

    @property
    def path(self) -> str:
        """Where the link leads, below the console's address."""
        return f"/?token={self.token}"


class UserDetails(TypedDict):
    """A user as the API shows one. `organization_id` null: an operator."""

    id: str
    organization_id: str | None
    email: str
    name: str
    role: Role
    has_password: bool
    created_at: Time
    last_seen_at: Time | None
    disabled_at: Time | None


class SignInPath(TypedDict):
    """Where a link leads, below the console's address; shown once."""

    path: str
    expires_at: Time
