"""The JSON objects about mail to affiliates; as in `model.objects`, a name here is the name of a schema in the description."""

from typing import TypedDict

from affwire.model.mail import MailKind, MailStatus
from affwire.model.sent import Time
from affwire.model.wire import ErrorClass, OutcomeKind


class Mail(TypedDict):
    """A mail to an affiliate, without its words. `written_at`: when its links began to run."""

    id: str
    kind: MailKind
    status: MailStatus
    reason: str | None
    affiliate_id: str
    program_id: str
    address: str
    attempts_made: int
    due_at: Time | None
    created_at: Time
    written_at: Time
    settled_at: Time | None


class MailAttempt(TypedDict):
    """One try to hand a mail to the relay; the code is SMTP's."""

    number: int
    started_at: Time
    ended_at: Time
    outcome: OutcomeKind
    status_code: int | None
    error: ErrorClass | None
    detail: str | None


class MailInFull(Mail):
    """A mail with its words, its tries and its link; null where there is nothing to say any more."""

    subject: str | None
    text: str | None
    link: str | None
    link_expires_at: Time | None
    attempts: list[MailAttempt]


class LeaveLink(TypedDict):
    """A link with which a member can leave, once, until its end."""

    membership_id: str
    url: str
    expires_at: Time
