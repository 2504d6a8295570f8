"""Mail to affiliates: written in the commit of what causes it, claimed and settled under a lease with a fence.

Rule: without a mail relay mails wait as `unsent`, and the manager hands their links on.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, structs

from affwire.errors import Conflict, NotFound
from affwire.model.mail import Letter, Mail, MailAttempt, MailKind, MailStatus
from affwire.model.registry import Affiliate, Program
from affwire.model.wire import Outcome
from affwire.rules import mailing
from affwire.rules.delivery import Delivered, Retry
from affwire.rules.forms import one_line
from affwire.services import letters, passes
from affwire.store.tx import Tx

CLAIMS_MAX: Final = 20
"""Mails that one round takes: what a relay takes within a lease, a few at a time."""
DETAIL_MAX: Final = 500
"""Characters of a relay's answer that are kept."""
MOOT: Final = "the affiliate or the program is gone, or the address has changed"
CUT: Final = "our own process ended while the mail was under way"


class Claim(Struct, frozen=True):
    """A mail that is ours to send until its lease ends, in words."""

    mail: Mail
    letter: Letter


class Shown(Struct, frozen=True):
    """A mail with its tries, and the link that it is about; None once there is nothing to say any more."""

    mail: Mail
    attempts: Sequence[MailAttempt]
    letter: Letter | None
    link: str | None
    link_expires_at: int | None


def write(tx: Tx, kind: MailKind, affiliate: Affiliate, program: Program) -> Mail | None:
    """Have a mail sent to an affiliate; None for one without an address."""
    if affiliate.email is None:
        return None
    passes.key(tx)  # so that whoever only reads finds it
    mail = Mail(
        id=tx.world.new_id("mail"),
        organization_id=affiliate.organization_id,
        kind=kind,
        affiliate_id=affiliate.id,
        program_id=program.id,
        address=affiliate.email,
        due_at=tx.now,
        written_at=tx.now,
        created_at=tx.now,
    )
    tx.mails.insert(mail)
    return mail


def get(tx: Tx, organization_id: str, mail_id: str) -> Mail:
    """Return a mail; raises NotFound."""
    mail = tx.mails.get(organization_id, mail_id)
    if mail is None:
        raise NotFound("mail_not_found", f"There is no mail {mail_id} in this organization.")
    return mail


def in_full(tx: Tx, organization_id: str, mail_id: str, public_url: str) -> Shown:
    """Return a mail with its tries, its words and its link, which is good for what it says: for managers only."""
    mail = get(tx, organization_id, mail_id)
    link, ends_at = letters.main_link(tx, mail, public_url) or (None, None)
    return Shown(mail, tx.mails.attempts(mail.id), letters.composed(tx, mail, public_url), link, ends_at)


def resend(tx: Tx, organization_id: str, mail_id: str) -> Mail:
    """Send a mail once more, with links that run from now. Raises NotFound, Conflict("mail_under_way")."""
    tx.hold(organization_id)
    mail = get(tx, organization_id, mail_id)
    again = structs.replace(
        mail, status="unsent", reason=None, due_at=tx.now, steps=0, written_at=tx.now, settled_at=None
    )
    if mail.status == "leased" or not tx.mails.update(again, fence=mail.fence):
        raise Conflict("mail_under_way", f"{mail.id} is being sent just now; see what becomes of it.")
    tx.tell("mail.resent", id=mail.id)
    return again


def claim(tx: Tx, public_url: str, *, limit: int = CLAIMS_MAX) -> list[Claim]:
    """Claim mails that are due, and settle those whose lease has ended without a word (kill -9) as unknown."""
    claims = []
    for mail in tx.mails.due(tx.now, limit):
        if mail.status == "leased":
            _settle(tx, mail, Outcome(error="cut", detail=CUT), mail.leased_at or mail.due_at, mail.due_at)
            continue
        letter = letters.composed(tx, mail, public_url)
        if letter is None:
            tx.mails.update(_ended(mail, "failed", MOOT, tx.now), fence=mail.fence)
            continue
        claims.append(Claim(_leased(tx, mail), letter))
    return claims


def settle(tx: Tx, claim: Claim, outcome: Outcome, *, started_at: int, ended_at: int) -> bool:
    """Record what became of a try; False and nothing at all where the claim is stale."""
    return _settle(tx, claim.mail, outcome, started_at, ended_at)


def _leased(tx: Tx, mail: Mail) -> Mail:
    leased = structs.replace(
        mail,
        status="leased",
        leased_at=tx.now,
        due_at=tx.now + mailing.LEASE_MS,
        attempts=mail.attempts + 1,
        fence=mail.fence + 1,
    )
    tx.mails.update(leased, fence=mail.fence)
    return leased


def _settle(tx: Tx, mail: Mail, outcome: Outcome, started_at: int, ended_at: int) -> bool:
    after = _after(tx, mail, outcome)
    if not tx.mails.update(after, fence=mail.fence):
        return False
    tx.mails.record(_attempt(mail, outcome, started_at, ended_at))
    if after.status == "failed":
        tx.tell("mail.failed", warns=True, id=mail.id, error=outcome.error)
    return True


def _after(tx: Tx, mail: Mail, outcome: Outcome) -> Mail:
    """Return the mail after a try. Its fence moves, so that whoever still holds the claim changes nothing."""
    moved = structs.replace(mail, steps=mail.steps + 1, fence=mail.fence + 1)
    decided = mailing.verdict(outcome, mail.steps, now=tx.now, roll=tx.world.roll())
    match decided:
        case Delivered():
            return _ended(moved, "sent", None, tx.now)
        case Retry():
            return structs.replace(moved, status="unsent", reason=_told(outcome), due_at=decided.at)
    return _ended(moved, "failed", _told(outcome), tx.now)


def _ended(mail: Mail, status: MailStatus, reason: str | None, at: int) -> Mail:
    return structs.replace(mail, status=status, reason=reason, settled_at=at)


def _attempt(mail: Mail, outcome: Outcome, started_at: int, ended_at: int) -> MailAttempt:
    ok = outcome.error is None
    return MailAttempt(
        mail_id=mail.id,
        number=mail.attempts,
        started_at=started_at,
        ended_at=ended_at,
        outcome="ok" if ok else "unknown" if outcome.error == "cut" else "failed",
        status_code=outcome.response.status if outcome.response else None,
        error=outcome.error,
        detail=_told(outcome),
    )


def _told(outcome: Outcome) -> str:
    return one_line(outcome.detail)[:DETAIL_MAX]
