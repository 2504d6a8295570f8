"""Mail to affiliates: why it is written, how far it is, and what leaves. Its words are composed when it is sent.

A link in a mail is a Pass: it is good for one purpose, one affiliate, one program, one address, and until its end.
"""

from typing import Final, Literal

from msgspec import Struct

from affwire.model.wire import ErrorClass, OutcomeKind

Purpose = Literal["confirm", "join", "leave"]
"""What a link does: confirm the e-mail address, ask to join a program, leave it."""
MailKind = Literal["confirm", "join", "member", "left"]
MailStatus = Literal["unsent", "leased", "sent", "failed"]

MAIL_KINDS: Final[dict[MailKind, str]] = {
    "confirm": "Asks a new affiliate to confirm the e-mail address.",
    "join": "Asks a known affiliate whether the application is theirs.",
    "member": "Tells a member that somebody applied with their address.",
    "left": "Confirms to somebody who used the link that they have left.",
}


class Pass(Struct, frozen=True, kw_only=True):
    """What a link is good for. `address` stands for the e-mail address (8 bytes), `expires_at` (ms) is its end."""

    affiliate_id: str
    program_id: str
    address: bytes
    expires_at: int


class Letter(Struct, frozen=True, kw_only=True):
    """A mail in words, as a destination takes it. `id` names it for ever: who gets it twice can tell."""

    id: str
    to: str
    subject: str
    text: str
    html: str


class Mail(Struct, frozen=True, kw_only=True):
    """A mail to an affiliate about a program. `written_at`: when its links began to run, again at each resend.

    `attempts` counts all, `steps` those since it was written; `due_at` of a leased one is the lease's end; `fence` grows
    with every claim, so that a stale one fits nowhere.
    """

    id: str
    organization_id: str
    kind: MailKind
    affiliate_id: str
    program_id: str
    address: str
    status: MailStatus = "unsent"
    reason: str | None = None
    due_at: int
    attempts: int = 0
    steps: int = 0
    fence: int = 0
    leased_at: int | None = None
    written_at: int
    created_at: int
    settled_at: int | None = None


class MailAttempt(Struct, frozen=True, kw_only=True):
    """One try to hand a mail to the relay. `status_code` is SMTP's (RFC 5321)."""

    mail_id: str
    number: int
    started_at: int
    ended_at: int
    outcome: OutcomeKind
    status_code: int | None = None
    error: ErrorClass | None = None
    detail: str | None = None


class Application(Struct, frozen=True, kw_only=True):
    """Somebody applied on a program's page. `person` and `origin` are digests, for the limits; `outcome`: what came of it."""

    id: str
    organization_id: str
    program_id: str
    affiliate_id: str
    person: str
    origin: str
    outcome: Literal["new", "known", "closed"]
    created_at: int
