"""Passes: signed links with which affiliates confirm, join and leave without an account. Each works once, until its end.

Rule: looking changes nothing, since mail scanners open every link; only `use` does what a link is for.
"""

from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Final, Literal

from msgspec import Struct, structs

from affwire.dialects.base import Dialect
from affwire.errors import Conflict, NotFound
from affwire.model.events import Actor
from affwire.model.mail import Pass, Purpose
from affwire.model.registry import Affiliate, Membership, Organization, Program
from affwire.rules import passes
from affwire.rules.lifecycle import is_live
from affwire.services import affiliates, memberships, organizations
from affwire.services.actions import Action, Caller, found
from affwire.services.events import acting
from affwire.store.registry import email_key
from affwire.store.tx import Tx

State = Literal["open", "used", "expired", "void"]

DAY_MS: Final = 86_400_000
LIFE_MS: Final[dict[Purpose, int]] = {"confirm": 7 * DAY_MS, "join": 7 * DAY_MS, "leave": 365 * DAY_MS}
"""How long a link works: a week for what was just asked for; a year for leaving, which is found in an old mail."""
PATHS: Final[dict[Purpose, str]] = {"confirm": "/confirm/", "join": "/join/", "leave": "/leave/"}
"""Where the links lead, before the pass."""
SOURCE: Final = "application"
"""The `source` of a membership that somebody applied for."""
CLOSED: Final = frozenset({"disabled", "suspicious", "rejected"})
"""Accounts that cannot ask to join anything by themselves."""
_FAULTS: Final[dict[State, tuple[str, str]]] = {
    "used": ("pass_used", "This link was used before, or what it is for has happened."),
    "expired": ("pass_expired", "This link has expired: apply again to get a new one."),
    "void": ("pass_void", "This link is about something that is not there any more."),
}


class View(Struct, frozen=True, kw_only=True):
    """What a link is about and whether it still works: all that a page needs. `membership`: as it is now."""

    purpose: Purpose
    state: State
    organization: Organization
    program: Program
    expires_at: int
    affiliate: Affiliate | None = None
    membership: Membership | None = None

    @property
    def is_member(self) -> bool:
        """Whether there is a live membership, a request too."""
        return self.membership is not None and is_live(self.membership.status)


def key(tx: Tx) -> bytes:
    """Return the key that signs this installation's links; made when it is first needed."""
    return tx.applications.key() or tx.applications.keep_key(tx.world.secret_bytes(passes.KEY_BYTES))


def made(tx: Tx, purpose: Purpose, affiliate: Affiliate, program_id: str, *, since: int) -> tuple[str, int]:
    """Return the path of a link that counts `since` a time (ms), and its end. The same arguments make the same link."""
    signing, expires_at = key(tx), since + LIFE_MS[purpose]
    one = Pass(
        affiliate_id=affiliate.id,
        program_id=program_id,
        address=passes.address_stamp(signing, email_key(affiliate.email)),
        expires_at=expires_at,
    )
    return PATHS[purpose] + passes.signed(signing, purpose, one), expires_at


def leaving(tx: Tx, organization_id: str, membership_id: str) -> tuple[str, int]:
    """Return the path of a link with which a member can leave, for the manager to hand on, and its end (ms).

    Raises NotFound, Conflict("not_a_member") where there is nothing to leave.
    """
    membership = found(tx, Membership, organization_id, membership_id)
    if not is_live(membership.status):
        raise Conflict("not_a_member", f"{membership.id} is {membership.status}: there is nothing to leave.")
    affiliate = found(tx, Affiliate, organization_id, membership.affiliate_id)
    return made(tx, "leave", affiliate, membership.program_id, since=tx.now)


def view(tx: Tx, purpose: Purpose, text: str) -> View:
    """Return what a link is about; nothing changes. Raises NotFound("pass_not_found") for what we never made."""
    one, program = _opened(tx, purpose, text)
    seen = _seen(tx, purpose, one, program)
    return structs.replace(seen, state=_state(tx, text, one, seen))


def use(tx: Tx, dialects: Mapping[str, Dialect], purpose: Purpose, text: str, request_id: str | None = None) -> View:
    """Do what a link is for, and return how things are then. Events as of the affiliate's own action (contracts A1).

    Raises NotFound("pass_not_found"), Conflict: "pass_used", "pass_expired", "pass_void".
    """
    tx.hold(_opened(tx, purpose, text)[1].organization_id)
    seen = view(tx, purpose, text)  # anew: nobody else changes it any more
    if seen.state != "open" or seen.affiliate is None:
        code, sentence = _FAULTS[seen.state]
        raise Conflict(code, sentence)
    affiliate_id = seen.affiliate.id
    caller = Caller(seen.organization.id, Actor("affiliate", affiliate_id))
    # The first thing it does is the page's request, the next is one of its own: dialects speak once in each.
    for request, act in zip_longest((request_id,), _ACTS[purpose]):
        with acting(tx, caller, dialects, request) as action:
            act(action, seen)
    tx.applications.use(text, affiliate_id, seen.expires_at)
    tx.tell(f"pass.{purpose}", affiliate_id=affiliate_id, program_id=seen.program.id)
    return view(tx, purpose, text)


def _opened(tx: Tx, purpose: Purpose, text: str) -> tuple[Pass, Program]:
    signing = tx.applications.key()
    one = passes.opened(signing, purpose, text) if signing else None
    program = tx.registry.programs([one.program_id]).get(one.program_id) if one else None
    if one is None or program is None:
        raise NotFound("pass_not_found", "This is no link of ours: copy it whole, or apply again.")
    return one, program


def _seen(tx: Tx, purpose: Purpose, one: Pass, program: Program) -> View:
    owner = program.organization_id
    its = tx.registry.find(Membership, owner, affiliate_id=one.affiliate_id, program_id=program.id)
    return View(
        purpose=purpose,
        state="open",
        organization=organizations.get(tx, owner),
        program=program,
        expires_at=one.expires_at,
        affiliate=tx.registry.get(Affiliate, owner, one.affiliate_id),
        membership=next(iter(its), None),
    )


def _state(tx: Tx, text: str, one: Pass, seen: View) -> State:
    if tx.applications.used(text):
        return "used"
    if seen.affiliate is None or seen.program.deleted_at is not None or not _fits(tx, one, seen.affiliate):
        return "void"
    if tx.now >= one.expires_at:
        return "expired"
    return _WORTH[seen.purpose](seen, seen.affiliate)


def _worth_confirming(seen: View, affiliate: Affiliate) -> State:
    del seen
    return "open" if affiliate.confirmed_at is None else "used"


def _worth_joining(seen: View, affiliate: Affiliate) -> State:
    if seen.is_member:
        return "used"
    return "open" if seen.program.is_public and affiliate.status not in CLOSED else "void"


def _worth_leaving(seen: View, affiliate: Affiliate) -> State:
    del affiliate
    return "open" if seen.is_member else "used"


_WORTH: Final[dict[Purpose, Callable[[View, Affiliate], State]]] = {
    "confirm": _worth_confirming,
    "join": _worth_joining,
    "leave": _worth_leaving,
}
"""Whether what a link does is still to be done."""


def _fits(tx: Tx, one: Pass, affiliate: Affiliate) -> bool:
    """Whether the address is still the one that the link was sent to: a former one's mailbox decides nothing any more."""
    return one.address == passes.address_stamp(key(tx), email_key(affiliate.email))


def _confirm(action: Action, seen: View) -> None:
    if seen.affiliate is not None:
        affiliates.confirm(action, seen.affiliate.id)


def _join(action: Action, seen: View) -> None:
    if seen.affiliate is not None:
        fields = {"status": "pending", "source": SOURCE}
        memberships.create(action, seen.affiliate.id, seen.program.id, fields)


def _leave(action: Action, seen: View) -> None:
    if seen.membership is not None:
        memberships.command(action, seen.membership.id, "leave")


_ACTS: Final[dict[Purpose, tuple[Callable[[Action, View], None], ...]]] = {
    "confirm": (_confirm,),
    "join": (_confirm, _join),
    "leave": (_leave,),
}
"""What a link does, each a request of its own: whoever could open the mail has confirmed the address, too."""
