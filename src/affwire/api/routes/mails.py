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
from affwire.model.mail import MailKind, MailStatus
from affwire.services import mail, views
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
            views.mail,
        )

    return await call.show(work)


@router.get("/{mail_id}", summary="Show a mail", responses=answers("MailInFull", "The mail in full."))
async def get_mail(call: Writer, mail_id: str) -> Response:
    """Show a mail with its words, its tries and its link, which does what the mail asks for: hand it to nobody else."""
    public_url = call.desk.public_url or ""
    return await call.show(lambda tx: views.mail_in_full(mail.in_full(tx, call.organization_id, mail_id, public_url)))


@router.post(
    "/{mail_id}/resend",
    status_code=201,
    summary="Send a mail once more",
    responses=answers("Mail", "The mail, in line again.", status=201),
)
async def resend_mail(call: Writer, mail_id: str, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- refuses what it does not know
    """Send a mail once more, with links that run from now. 409 while it is being sent."""

    def work(tx: Tx) -> Answer:
        return done(views.mail(mail.resend(tx, call.organization_id, mail_id)))

    return await call.write(work)
