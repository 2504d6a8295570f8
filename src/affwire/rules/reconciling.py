"""Reconciling: what a platform's telling makes of a record, whatever order its messages come in. Tables, not ifs.

Each record (affiliate, membership, program) remembers when the platform last told of it, and whether that was its end.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from affwire.model.reading import Reading
from affwire.rules.lifecycle import ENDED, KNOWN, MEMBERSHIP, is_live, is_member

State = Literal["none", "current", "ended"]
Telling = Literal["begins", "state", "ends"]
Time = Literal["newer", "same", "older", "unknown"]
Deed = Literal["create", "apply", "revive", "end", "bury", "late", "over"]

DEEDS: Final[dict[Deed, str]] = {
    "create": "The record is created.",
    "apply": "The record is brought to what was told; a repeat finds it so and changes nothing.",
    "revive": "The record begins anew.",
    "end": "The record ends.",
    "bury": "Nothing is there to end; that it ended is remembered, so that older news does not create it.",
    "late": "Nothing: something newer was told before.",
    "over": "Nothing: the record has ended, and this does not begin it anew.",
}
"""What a telling leads to."""
TIMES: Final[tuple[Time, ...]] = ("newer", "same", "older", "unknown")

TABLE: Final[dict[State, dict[Telling, tuple[Deed, Deed, Deed, Deed]]]] = {
    "none": {
        "begins": ("create", "create", "create", "create"),
        "state": ("create", "create", "create", "create"),
        "ends": ("bury", "bury", "bury", "bury"),
    },
    "current": {
        "begins": ("apply", "apply", "late", "apply"),
        "state": ("apply", "apply", "late", "apply"),
        "ends": ("end", "end", "late", "end"),
    },
    "ended": {
        "begins": ("revive", "over", "late", "revive"),
        "state": ("revive", "over", "late", "over"),
        "ends": ("bury", "over", "late", "over"),
    },
}
"""Known state -> telling -> the deed for each of TIMES. An end wins over everything that is not newer than it."""

NOTHING: Final = frozenset({"late", "over"})
"""The deeds that leave everything as it is."""
AHEAD_MS: Final = 5 * 60_000
"""How far a platform's clock may be ahead of ours: a time beyond it would make everything that follows look late."""

_BEGINNINGS: Final = {"program": "program.created", "affiliate": "affiliate.created"}
_ENDS: Final = {"program": "program.deleted", "affiliate": "affiliate.deleted"}


def deed(state: State, telling: Telling, time: Time) -> Deed:
    """Return what is to be done."""
    return TABLE[state][telling][TIMES.index(time)]


def time_of(told_at: int | None, known_at: int | None) -> Time:
    """Return how a telling's time (ms) compares with the latest known one; the first that is told is newer."""
    if told_at is None:
        return "unknown"
    if known_at is None or told_at > known_at:
        return "newer"
    return "same" if told_at == known_at else "older"


def credible(told_at: int | None, received_at: int) -> int | None:
    """Return a told time (ms), but none far beyond the time at which it was received."""
    return None if told_at is None else min(told_at, received_at + AHEAD_MS)


def telling(reading: Reading, kind: str) -> Telling:
    """Return what a message says of its affiliate or its program: that it began, that it ended, or just how it is."""
    if _ENDS[kind] in reading.events:
        return "ends"
    return "begins" if _BEGINNINGS[kind] in reading.events else "state"


def telling_of_membership(reading: Reading, index: int) -> Telling:
    """Return what a message says of one of its memberships; of those it is not about, what their status says."""
    status = reading.memberships[index].told.fields.get("status")
    about = index == reading.own
    if status in ENDED or (about and {"membership.removed", "membership.left"} & set(reading.events)):
        return "ends"
    joins = "membership.activated" in reading.events and reading.previous.get("status") != "pending"
    return "begins" if about and (joins or "membership.requested" in reading.events) else "state"


def shows_as(coarse: Mapping[str, str], value: Any) -> Any:
    """Return what a value of ours comes back as from a dialect that cannot tell it from others (a card's `coarse`)."""
    return coarse.get(value, coarse.get("*", value)) if isinstance(value, str) else value


def agrees(coarse: Mapping[str, str], status: str, told: str) -> bool:
    """Whether a membership's status may stay although another was told: the dialect shows them alike, and so are they.

    Alike are accepted members, or those that have ended. Who only asks, or has left, is no member whom it shows as active.
    """
    if status == told:
        return True
    same_class = (is_live(status), is_member(status)) == (is_live(told), is_member(told))
    return same_class and shows_as(coarse, status) == told


def way(before: str | None, to: str) -> Sequence[str]:
    """Return the statuses through which a membership goes from `before` to the told one, by the fewest legal steps.

    Empty if it is there, and where nothing is left to end. Each step is an action with an event of its own.
    """
    if before == to or (to in ENDED and not is_live(before)):
        return ()
    paths: deque[tuple[str, ...]] = deque([()])
    while True:
        path = paths.popleft()
        for status in _next(path[-1] if path else before, to):
            if status == to:
                return (*path, status)
            paths.append((*path, status))


def _next(status: str | None, to: str) -> list[str]:
    row = status if status is None or status in KNOWN else "X"
    reachable = (step.status for step in MEMBERSHIP[row].values())
    return [to if one == "X" else one for one in reachable if one != "X" or to not in KNOWN]
