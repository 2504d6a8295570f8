"""Mails to affiliates: what was written, how far it is, the link to hand on where no mail leaves, and once more."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from affwire.api.bodies import NoFields
from affwire.api.calls import Reader, Writer
from affwire.api.pages import FilterText, Page
from affwire.api.paths import Route
from affwire.api.schemas import answers, pages
from affwire.api.writing import Answer, done
from affwire.model import canonical, mailed
from affwire.model.mail import Mail, MailAttempt, MailKind, MailStatus
from affwire.model.times import rfc3339
from affwire.services import mail
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/mails", tags=["mails"], route_class=Route)


class MailPage(Page):
    """The query of a list of mails."""

    status: MailStatus | None = None
    kind: MailKind | None = None
    affiliate_id: FilterText | None = None
    program_id: FilterText | None = None


@router.get("", summary="List mails to affiliates", responses=pages("Mail", "A page of mails."))
async def list_mails(call: Reader, page: Annotated[MailPage, Query()]) -> Response:
    """List mails, the newest first, without their words and links."""
    filters = page.model_dump(exclude={"limit", "cursor"})

    def work(tx: Tx) -> Any:
        return page.filled(
            lambda limit: tx.mails.page(call.organization_id, before=page.place, limit=limit, **filters),
            lambda one: one.id,
            mail_shown,
        )

    return await call.show(work)


@router.get("/{mail_id}", summary="Show a mail", responses=answers("MailInFull", "The mail in full."))
async def get_mail(call: Writer, mail_id: str) -> Response:
    """Show a mail with its words, its tries and its link, which does what the mail asks for: hand it to nobody else."""
    public_url = call.desk.public_url or ""
    return await call.show(lambda tx: mail_in_full(mail.in_full(tx, call.organization_id, mail_id, public_url)))


@router.post(
    "/{mail_id}/resend",
    status_code=201,
    summary="Send a mail once more",
    responses=answers("Mail", "The mail, in line again.", status=201),
)
async def resend_mail(call: Writer, mail_id: str, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- refuses what it does not know
    """Send a mail once more, with links that run from now. 409 while it is being sent."""

    def work(tx: Tx) -> Answer:
        return done(mail_shown(mail.resend(tx, call.organization_id, mail_id)))

    return await call.write(work)


def mail_shown(one: Mail) -> mailed.Mail:
    """Return a mail as a JSON object, without its words."""
    return {
        "id": one.id,
        "kind": one.kind,
        "status": one.status,
        "reason": one.reason,
        "affiliate_id": one.affiliate_id,
        "program_id": one.program_id,
        "address": one.address,
        "attempts_made": one.attempts,
        "due_at": rfc3339(one.due_at) if one.status == "unsent" else None,
        "created_at": rfc3339(one.created_at),
        "written_at": rfc3339(one.written_at),
        "settled_at": canonical.timed("settled_at", one.settled_at),
    }


def mail_in_full(shown: mail.Shown) -> mailed.MailInFull:
    """Return a mail as a JSON object with its words, its tries and its link."""
    letter = shown.letter
    return {
        **mail_shown(shown.mail),
        "subject": letter.subject if letter else None,
        "text": letter.text if letter else None,
        "link": shown.link,
        "link_expires_at": canonical.timed("link_expires_at", shown.link_expires_at),
        "attempts": [_attempt(one) for one in shown.attempts],
    }


def _attempt(one: MailAttempt) -> mailed.MailAttempt:
    return {
        "number": one.number,
        "started_at": rfc3339(one.started_at),
        "ended_at": rfc3339(one.ended_at),
        "outcome": one.outcome,
        "status_code": one.status_code,
        "error": one.error,
        "detail": one.detail,
    }
