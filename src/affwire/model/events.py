"""Events: what happened, immutable, with everything any dialect needs to put it into words.

The snapshot is taken after the whole request; `previous` holds the old values of what changed;
`standing_before/after` and each membership's `status_before` let pure dialects decide without asking back.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from affwire.model.registry import Affiliate, Group, Link, Membership, Organization, Program, PromoCode

EVENT_TYPES: Final[dict[str, str]] = {
    "program.created": "A program was created.",
    "program.updated": "A program's fields changed.",
    "program.deleted": "A program was deleted.",
    "affiliate.created": "An affiliate was created.",
    "affiliate.confirmed": "The affiliate confirmed the e-mail address.",
    "affiliate.updated": "An affiliate's details or account status changed.",
    "affiliate.deleted": "An affiliate was deleted.",
    "membership.requested": "An affiliate asks to join a program.",
    "membership.activated": "A membership became active.",
    "membership.rejected": "A request to join was declined.",
    "membership.removed": "The program removed a member.",
    "membership.left": "A member left the program.",
    "membership.changed": "A membership took another status.",
    "membership.updated": "A membership's fields changed, not its status.",
}
"""Every canonical event type and what it means. Docs, OpenAPI and filters are made from this table."""
OPERATIONAL: Final[dict[str, str]] = {
    "endpoint.failing": "An endpoint has failed for 50, 75 or 90 % of the time after which it is disabled.",
    "endpoint.disabled": "An endpoint was disabled because of what its far side did.",
    "endpoint.recovered": "An endpoint that was said to fail took a delivery again.",
    "delivery.exhausted": "A delivery used up its tries.",
    "source.silent": "A source has been silent for much longer than its own rhythm.",
}
"""Events about the sending itself, recorded where an endpoint asks for them by name, and never about each other."""

_LEADING: Final = ("affiliate.created", "affiliate.deleted", "affiliate.confirmed", "affiliate.updated")


def leader(types: Sequence[str]) -> int:
    """Return which event of a request leads: the first one of the affiliate's own, else the first of all (contracts A1)."""
    return next((index for index, one in enumerate(types) if one in _LEADING), 0)


class Actor(Struct, frozen=True):
    """Who did it; `affiliate`: the affiliate, by a link or on a program's page."""

    kind: str
    """key, user, source, operator, system or affiliate; not a closed list: a newer version, beside this one, may know more."""
    id: str | None = None


class Origin(Struct, frozen=True):
    """The message an event was passed on from: in its own dialect it is said again with the body it came in."""

    dialect: str
    word: str
    body: dict[str, Any]


class Cause(Struct, frozen=True):
    """The request an event belongs to, and that request's leading event for this affiliate (contracts A1)."""

    request_id: str
    event_id: str
    event_type: str


class MembershipView(Struct, frozen=True, kw_only=True):
    """A membership with what hangs on it. `status_before`: its status before this request, None if it did not exist."""

    membership: Membership
    program: Program
    group: Group | None = None
    promo_codes: tuple[PromoCode, ...] = ()
    status_before: str | None = None


class Snapshot(Struct, frozen=True, kw_only=True):
    """The world around an event's subject after the whole request. `memberships` are in order of number.

    `program` is set on program events only; `program_affiliates` is its count of live members.
    Links are all of the affiliate's, in order of number.
    """

    organization: Organization
    program: Program | None = None
    program_affiliates: int = 0
    program_sales: int = 0
    affiliate: Affiliate | None = None
    memberships: tuple[MembershipView, ...] = ()
    links: tuple[Link, ...] = ()


class Event(Struct, frozen=True, kw_only=True):
    """One entry of the log.

    `sequence` counts per affiliate (program events: per program), from 1, without gaps. `occurred_at` (ms) strictly
    grows from request to request of one affiliate. `previous` maps a changed field to its old value; for a membership's
    first event it is {"status": None}. `position` is the entry's place in the log, given by the store.
    """

    id: str
    type: str
    occurred_at: int
    organization_id: str
    actor: Actor
    cause: Cause
    subject_id: str
    sequence: int
    snapshot: Snapshot
    program_id: str | None = None
    affiliate_id: str | None = None
    membership_id: str | None = None
    previous: dict[str, Any] = {}
    standing_before: bool = False
    standing_after: bool = False
    notice: dict[str, Any] | UnsetType = UNSET
    """What an operational event tells; others have none."""
    origin: Origin | UnsetType = UNSET
    """The message it was passed on from; only relayed events have one."""
    hops: int = 0
    """How many installations of affwire its news went through before this one."""
    position: int | UnsetType = UNSET

    @property
    def leads(self) -> bool:
        """Whether this is the leading event of its request for its affiliate."""
        return self.cause.event_id == self.id

    @property
    def own(self) -> MembershipView | None:
        """The membership this event is about, if it is about one."""
        return self.view(self.membership_id) if self.membership_id else None

    def view(self, membership_id: str) -> MembershipView | None:
        """Return a membership of the snapshot by its id."""
        return next((view for view in self.snapshot.memberships if view.membership.id == membership_id), None)
