"""Mails to affiliates: which were sent, which were not, and the links of those that the manager has to hand on."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from affwire.console import starting, states
from affwire.console.facets import Facet, among
from affwire.console.listing import Column, Listing, Loaded, Query
from affwire.console.routes import Action, Nav, Page, Route
from affwire.console.visit import Visit
from affwire.model import ids
from affwire.model.mail import MAIL_KINDS, Mail
from affwire.services import mail
from affwire.store.tx import Tx

PATH: Final = "/settings/mails"
_ONE: Final = f"{PATH}/{{mail_id}}"
_TIME_SHIFT: Final = 80
"""An id begins with 48 bits of milliseconds."""
WITHOUT_RELAY: Final = "No mail relay is set (AFFWIRE_SMTP_URL): mails stay unsent, and you hand their links on."


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return a page of mails, the newest first. Its place is a time: mails of one millisecond are on one page."""
    before = None if query.place is None else f"{ids.PREFIXES['mail']}_{ids.text(query.place << _TIME_SHIFT)}"
    found = tx.mails.page(
        visit.organization_id,
        before=before,
        limit=query.limit + 1,
        status=query.get("status"),
        kind=query.get("kind"),
    )
    note = None if visit.desk.mails else WITHOUT_RELAY
    if len(found) <= query.limit:
        return Loaded(found, None, note)
    rows = [one for one in found[:-1] if _made_at(one) > _made_at(found[-1])] or found[:-1]
    return Loaded(rows, _made_at(rows[-1]), note)


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return a mail with its words, its link and its tries. Raises NotFound."""
    shown = mail.in_full(tx, visit.organization_id, visit.path["mail_id"], visit.public_url)
    return {
        "title": shown.letter.subject if shown.letter else MAIL_KINDS[shown.mail.kind],
        "shown": shown,
        "mail": shown.mail,
        "tone": states.MAILS[shown.mail.status].tone,
        "about": MAIL_KINDS[shown.mail.kind],
        "path": f"{PATH}/{shown.mail.id}",
        "mails": visit.desk.mails,
    }


async def resend(visit: Visit) -> Response:
    """Send a mail once more, with links that run from now. Raises NotFound, Conflict("mail_under_way")."""
    again = await visit.run(lambda tx: mail.resend(tx, visit.organization_id, visit.path["mail_id"]))
    said = "goes again" if visit.desk.mails else "has a link that runs from now; hand it on"
    return visit.go(f"{PATH}/{again.id}", f"The mail to {again.address} {said}.")


def _made_at(one: Mail) -> int:
    return ids.number_of(one.id) >> _TIME_SHIFT


LISTING: Final = Listing(
    path=PATH,
    title="Mails",
    one="mail",
    columns=(
        Column("status", "Status", lambda one: states.badge(states.MAILS, one.status), "badge"),
        Column("address", "To", lambda one: one.address, href=lambda one: f"{PATH}/{one.id}"),
        Column("kind", "Kind", lambda one: one.kind),
        Column("attempts", "Tries", lambda one: one.attempts, "number"),
        Column("reason", "Why", lambda one: one.reason),
        Column("written_at", "Written", lambda one: one.written_at, "time"),
        Column("settled_at", "Settled", lambda one: one.settled_at, "time", first=False),
        Column("affiliate_id", "Affiliate", lambda one: one.affiliate_id, "id", first=False, chosen=False),
        Column("id", "Id", lambda one: one.id, "id", first=False, chosen=False),
    ),
    facets=(
        Facet("status", "Status", among(states.MAILS), chips=True),
        Facet("kind", "Kind", among(MAIL_KINDS)),
    ),
    load=load,
    row_id=lambda one: one.id,
    row_path=lambda one: f"{PATH}/{one.id}",
    empty=starting.mails,
    scope="registry",
    ordered=False,
)

NAV: Final = (Nav("Settings", "Mails", PATH, "registry"),)
ROUTES: Final[tuple[Route, ...]] = (
    *LISTING.routes(),
    Page(_ONE, "settings/mail.html", view, scope="registry"),
    Action(f"{_ONE}/resend", resend),
)
