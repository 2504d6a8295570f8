"""Who may become what: the lifecycles as tables. Whatever decides on a membership's or an account's status reads it here.

The diagrams in docs/lifecycle.md are drawn from these tables by a test. Source: contracts.md A2 (docs/dialects.md).
"""

import re
from typing import Final

from msgspec import Struct

from affwire.errors import Conflict, Refused

ENDED: Final = frozenset({"removed", "left"})
KNOWN: Final = frozenset({"pending", "active", "rejected", "removed", "left"})
_OTHER: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""Any other status X of a live, not pending membership, `paused` say (Growi's open-ended fallback)."""

ACCOUNT_STATUSES: Final = ("pending", "active", "disabled", "suspicious", "rejected")
"""An affiliate's account: each may follow each; `pending` becomes active with the first activation of a membership."""


class Step(Struct, frozen=True):
    """The decision: the new status, and the event that says so."""

    status: str
    event: str


_REQUEST: Final = Step("pending", "membership.requested")
_ACTIVATE: Final = Step("active", "membership.activated")
_REJECT: Final = Step("rejected", "membership.rejected")
_REMOVE: Final = Step("removed", "membership.removed")
_LEAVE: Final = Step("left", "membership.left")
_CHANGE: Final = Step("X", "membership.changed")

MEMBERSHIP: Final[dict[str | None, dict[str, Step]]] = {
    None: {"request": _REQUEST, "activate": _ACTIVATE},
    "pending": {"activate": _ACTIVATE, "reject": _REJECT, "remove": _REMOVE, "leave": _LEAVE},
    "active": {"change": _CHANGE, "remove": _REMOVE, "leave": _LEAVE},
    "X": {"change": _CHANGE, "activate": _ACTIVATE, "remove": _REMOVE, "leave": _LEAVE},
    "rejected": {"request": _REQUEST, "activate": _ACTIVATE},
    "removed": {"request": _REQUEST, "activate": _ACTIVATE},
    "left": {"request": _REQUEST, "activate": _ACTIVATE},
}
"""Status -> action -> step. None: there is no membership yet; X: any status that is not named here."""

_ACTION_OF_STATUS: Final = {
    "pending": "request",
    "active": "activate",
    "rejected": "reject",
    "removed": "remove",
    "left": "leave",
}

COMMANDS: Final[dict[str, tuple[str, frozenset[str]]]] = {
    "approve": ("activate", frozenset({"pending", "rejected"})),
    "reactivate": ("activate", frozenset({"X", "rejected", "removed", "left"})),
    "reject": ("reject", frozenset({"pending"})),
    "remove": ("remove", frozenset({"pending", "active", "X"})),
    "leave": ("leave", frozenset({"pending", "active", "X"})),
}
"""What the API calls an action: its row in MEMBERSHIP and the statuses it makes sense from."""

DELIVERY: Final[dict[str, dict[str, str]]] = {
    "pending": {"claim": "leased", "hold": "held", "cancel": "cancelled"},
    "held": {"release": "pending", "cancel": "cancelled"},
    "leased": {
        "success": "delivered",
        "retry": "pending",
        "unknown": "pending",
        "hold": "held",
        "exhaust": "exhausted",
        "cancel": "cancelled",
    },
    "delivered": {"replay": "pending"},
    "exhausted": {"replay": "pending"},
    "cancelled": {"replay": "pending"},
}
"""A delivery's status -> what happens -> its next status; the store's statements carry it out, the docs draw it from here.

The last three end it; only an explicit replay reopens it."""

UNFINISHED: Final = ("pending", "held", "leased")


def is_live(status: str | None) -> bool:
    """Return whether a membership of this status counts as a member: neither ended, nor declined, nor none."""
    return status is not None and status not in ENDED and status != "rejected"


def is_member(status: str | None) -> bool:
    """Return whether it is live and not pending: an accepted member, active or in any status X."""
    return is_live(status) and status != "pending"


def event_of(status: str) -> str:
    """Return the event that says a membership took this status, as far as the status alone tells."""
    return next(
        (one.event for row in MEMBERSHIP.values() for one in row.values() if one.status == status), _CHANGE.event
    )


def is_status(text: str) -> bool:
    """Return whether a membership can have this status."""
    return _OTHER.fullmatch(text) is not None


def step(status: str | None, action: str, to: str | None = None) -> Step:
    """Return what `action` makes of a membership; `to` is the new status of a `change`.

    Raises Conflict("illegal_transition") naming the legal statuses.
    """
    found = MEMBERSHIP[_row(status)].get(action)
    if found is None:
        raise illegal(status, _ACTION_OF_STATUS.get(action, action))
    if found is not _CHANGE:
        return found
    return found if to is None else Step(to, found.event)


def step_to(status: str | None, to: str) -> Step | None:
    """Return the step that leads to a status, None if it is that status already.

    Raises Conflict as `step` does, and Refused("invalid_status") if `to` can be no status at all.
    """
    if to == status:
        return None
    if to in KNOWN:
        return _named(status, _ACTION_OF_STATUS[to], to)
    if not _OTHER.fullmatch(to):
        raise Refused(
            "invalid_status",
            f"{to!r} is no status: use {', '.join(sorted(KNOWN))} or a word of a-z, 0-9 and _ up to 32 characters.",
            field="status",
        )
    if "change" not in MEMBERSHIP[_row(status)]:
        raise illegal(status, to)
    return step(status, "change", to)


def command(status: str, name: str) -> Step:
    """Return the step of an API action (approve, reject, remove, leave, reactivate); raises Conflict as `step` does."""
    action, sources = COMMANDS[name]
    if _row(status) not in sources:
        raise illegal(status, name)
    return step(status, action)


def illegal(status: str | None, wanted: str) -> Conflict:
    """Return the refusal of a transition, naming the legal statuses."""
    legal = sorted({step.status for step in MEMBERSHIP[_row(status)].values()})
    return Conflict(
        "illegal_transition",
        f"A membership that is {status or 'not there'} cannot go to {wanted!r}; it can become: {_spoken(legal)}.",
        status_now=status,
        legal=legal,
    )


def _named(status: str | None, action: str, wanted: str) -> Step:
    if action not in MEMBERSHIP[_row(status)]:
        raise illegal(status, wanted)
    return step(status, action)


def _row(status: str | None) -> str | None:
    return status if status is None or status in KNOWN else "X"


def _spoken(statuses: list[str]) -> str:
    return ", ".join("any other word" if status == "X" else status for status in statuses)
