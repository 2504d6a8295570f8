"""The states that things are shown in: each by one word, in one colour, with one meaning, on every page.

Rule: no page has a word for a state of its own. The words are the API's; docs/glossary.md says what each means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from affwire.console.listing import Badge, Tone
from affwire.model import inbound


@dataclass(frozen=True, slots=True)
class State:
    """The colour of a state, which never says more than its word, and what the word means."""

    tone: Tone
    meaning: str


Kind = Mapping[str, State]

RETRYING: Final = "retrying"
"""Not a status of the API: a pending delivery that was tried before."""
DELIVERIES: Final[Kind] = {
    "delivered": State("good", "The receiver took it."),
    RETRYING: State("warn", "Pending, after a try that failed."),
    "pending": State("info", "It goes out when its time has come."),
    "held": State("warn", "Its endpoint is paused, disabled or tripped; it goes out when the endpoint goes on."),
    "leased": State("info", "It is being sent at this moment."),
    "exhausted": State("bad", "Every try of its schedule failed; it is not tried again by itself."),
    "cancelled": State("calm", "It was ended before it arrived."),
}
ENDPOINTS: Final[Kind] = {
    "healthy": State("good", "Its latest try succeeded, or it was not tried yet."),
    "failing": State("warn", "Its latest tries failed; it is still tried as its policy says."),
    "tripped": State("bad", "It keeps failing: one delivery at a time is tried, the others are held."),
    "paused": State("warn", "Its owner wants nothing sent just now; deliveries are made and held."),
    "disabled": State("bad", "Nothing is sent to it until somebody enables it."),
}
SOURCES: Final[Kind] = {
    "heard": State("good", "Messages come in, in its usual rhythm."),
    "unheard": State("info", "No message has come in yet."),
    "silent": State("bad", "No message for much longer than its rhythm."),
    "disabled": State("warn", "What is sent to it is refused and not kept."),
}
_MESSAGE_TONES: Final[Mapping[str, Tone]] = {
    "received": "info",
    "applied": "good",
    "parked": "warn",
    "rejected": "bad",
    "quarantined": "warn",
}
MESSAGES: Final[Kind] = {
    name: State(_MESSAGE_TONES.get(name, "calm"), meaning) for name, meaning in inbound.STATUSES.items()
}
MAILS: Final[Kind] = {
    "unsent": State("warn", "It goes with the relay; without one, hand its link on."),
    "leased": State("info", "It is being handed to the relay at this moment."),
    "sent": State("good", "The relay took it."),
    "failed": State("bad", "The relay refused it, or could not be reached in time."),
}
JOBS: Final[Kind] = {
    "running": State("info", "It goes on by itself."),
    "done": State("good", "It has come to its end."),
    "cancelled": State("calm", "Somebody stopped it."),
    "failed": State("bad", "It could not go on."),
}
MEMBERSHIPS: Final[Kind] = {
    "pending": State("warn", "They asked to join, and somebody decides."),
    "active": State("good", "They are a member."),
    "rejected": State("bad", "Their request was declined."),
    "removed": State("calm", "The program ended the membership."),
    "left": State("calm", "The member ended the membership."),
}
ACCOUNTS: Final[Kind] = {
    "pending": State("warn", "No membership of theirs has become active so far."),
    "active": State("good", "They may apply to programs."),
    "suspicious": State("bad", "They cannot apply to anything."),
    "disabled": State("bad", "They cannot apply to anything."),
    "rejected": State("bad", "They cannot apply to anything."),
}


def badge(kind: Kind, status: str) -> Badge:
    """Return how a status is shown; one of an organization's own, which a membership may have, is calm."""
    known = kind.get(status)
    return Badge(status, known.tone if known else "calm")
