"""Endpoints: where sayings go, and why they may have to wait. Secrets are sealed; only the engine opens them."""

from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct, field

PAUSED: Final = "the endpoint is paused"
DISABLED_BY_OWNER: Final = "the endpoint is disabled by its owner"
TRIPPED: Final = "the endpoint keeps failing: one delivery is tried now and then, the others wait"
DELETED: Final = "the endpoint was deleted"


class SealedSecret(Struct, frozen=True, kw_only=True):
    """A secret as it is stored: encrypted, its last 4 characters in clear, and when a rotation ends its use (ms)."""

    sealed: str
    last4: str
    created_at: int
    expires_at: int | None = None


class Endpoint(Struct, frozen=True, kw_only=True):
    """A receiver's URL, the dialect it speaks, what it wants to hear and how.

    `policy` holds only what the owner overrides; the rest comes from the dialect's card. `headers` is one sealed JSON
    object. Disabled without a `disabled_reason`: by its owner; with one: by the engine, and deliveries wait.
    """

    id: str
    organization_id: str
    number: int
    url: str
    dialect: str
    event_types: list[str] = field(default_factory=list)
    description: str | None = None
    secrets: list[SealedSecret] = field(default_factory=list)
    bearer_token: SealedSecret | None = None
    headers: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    enabled: bool = True
    disabled_reason: str | None = None
    disabled_at: int | None = None
    paused: bool = False
    policy: dict[str, Any] = field(default_factory=dict)
    source_id: str | None = None
    created_at: int
    updated_at: int
    deleted_at: int | None = None

    @property
    def called(self) -> str:
        """What it is called: its owner's description, else its URL without what all have in common."""
        return self.description or self.url.removeprefix("https://").removeprefix("http://")

    @property
    def host(self) -> str:
        """The host of its URL, with the port if it names one."""
        return urlsplit(self.url).netloc

    @property
    def waits_because(self) -> str | None:
        """Why deliveries to it are held just now; None if they may go."""
        if not self.enabled:
            return self.disabled_reason or DISABLED_BY_OWNER
        return PAUSED if self.paused else None

    @property
    def silent_because(self) -> str | None:
        """Why no new deliveries are made for it; None if they are (perhaps to be held)."""
        return DISABLED_BY_OWNER if not self.enabled and self.disabled_reason is None else None
