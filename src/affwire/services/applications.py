"""Applying: what a stranger can do on a program's public page, and what a known affiliate's address leads to instead.

Rule: the page answers everybody alike. Who is a member already is told by mail, to the address itself, and to nobody else.
"""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Final, Literal

from msgspec import Struct

from affwire.dialects.base import Dialect
from affwire.errors import NotFound, TooMany
from affwire.model.events import Actor
from affwire.model.mail import Application, MailKind, Purpose
from affwire.model.registry import Affiliate, Membership, Organization, Program
from affwire.rules.lifecycle import is_live
from affwire.rules.passes import stamp
from affwire.services import affiliates, letters, mail, organizations, passes
from affwire.services.actions import Caller
from affwire.services.application_form import Form
from affwire.services.events import acting
from affwire.services.passes import View
from affwire.store.registry import email_key
from affwire.store.tx import Tx

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
PERSON_MAX: Final = 5
"""Applications with one e-mail address in a day, and so mails that strangers can have sent to it. More change nothing."""
ORIGIN_MAX: Final = 20
"""Applications from one place (an IPv4 address, an IPv6 /64) in an hour: an office or a class behind one address."""
PROGRAM_MAX: Final = 200
"""Applications to one program in an hour: what a manager can still look through after a flood."""
PATH: Final = letters.APPLY
_STAMP: Final = 16
_SITE: Final = 64
"""The network that one IPv6 site has (RFC 6177)."""


class Page(Struct, frozen=True):
    """What the public page of a program shows."""

    program: Program
    organization: Organization


def path(program: Program) -> str:
    """Return the path of a program's page, for its `signup_url`."""
    return PATH + program.id


def page(tx: Tx, program_id: str) -> Page:
    """Return what a program's page shows. Raises NotFound("program_not_found") unless it is there and public."""
    program = _public(tx, program_id)
    return Page(program, organizations.get(tx, program.organization_id))


def apply(
    tx: Tx,
    dialects: Mapping[str, Dialect],
    program_id: str,
    form: Form,
    *,
    origin: str,
    request_id: str | None = None,
) -> None:
    """Take an application; whatever came of it, whoever applied is answered alike.

    A new address becomes an affiliate with a request to join, and is asked by mail to confirm. A known one changes
    nothing: it gets a mail. `origin`: the caller's network address, kept as a digest only. Raises NotFound,
    TooMany("too_many_applications") for the place or the program, never for the address.
    """
    tx.hold(_public(tx, program_id).organization_id)
    program = _public(tx, program_id)  # anew: nobody else changes it any more
    if form.trapped:
        return
    person, place = _stamped(tx, "person", email_key(form.email) or ""), _stamped(tx, "origin", _site(origin))
    _refuse_floods(tx, program, place)
    if tx.applications.count(tx.now - DAY_MS, organization_id=program.organization_id, person=person) >= PERSON_MAX:
        return
    known = tx.registry.find(Affiliate, program.organization_id, email_key=email_key(form.email))
    affiliate = known[0] if known else _newcomer(tx, dialects, program, form, request_id)
    application = Application(
        id=tx.world.new_id("application"),
        organization_id=program.organization_id,
        program_id=program.id,
        affiliate_id=affiliate.id,
        person=person,
        origin=place,
        outcome=_tell(tx, affiliate, program) if known else "new",
        created_at=tx.now,
    )
    tx.applications.insert(application)
    tx.tell("application.taken", id=application.id, program_id=program.id, outcome=application.outcome)


def use_link(
    tx: Tx, dialects: Mapping[str, Dialect], purpose: Purpose, text: str, request_id: str | None = None, *, mails: bool
) -> View:
    """Do what a link is for, as `passes.use`; where `mails` leave, whoever has left gets one that says so. Raises as it does."""
    view = passes.use(tx, dialects, purpose, text, request_id)
    if mails and purpose == "leave" and view.affiliate is not None:
        mail.write(tx, "left", view.affiliate, view.program)
    return view


def _public(tx: Tx, program_id: str) -> Program:
    program = tx.registry.programs([program_id]).get(program_id)
    if program is None or program.deleted_at is not None or not program.is_public or not program.name:
        raise NotFound("program_not_found", "There is no program here that takes applications.")
    return program


def _refuse_floods(tx: Tx, program: Program, place: str) -> None:
    since = tx.now - HOUR_MS
    many = tx.applications.count(since, origin=place) >= ORIGIN_MAX
    if (
        many
        or tx.applications.count(since, organization_id=program.organization_id, program_id=program.id) >= PROGRAM_MAX
    ):
        raise TooMany("too_many_applications", "There were too many applications within an hour: try again later.")


def _newcomer(
    tx: Tx, dialects: Mapping[str, Dialect], program: Program, form: Form, request_id: str | None
) -> Affiliate:
    wish = {"status": "pending", "source": passes.SOURCE, **form.membership}
    with acting(tx, Caller(program.organization_id, Actor("affiliate")), dialects, request_id) as action:
        affiliate, _ = affiliates.create(action, form.affiliate, program_id=program.id, membership=wish)
        action.actor = Actor("affiliate", affiliate.id)
    mail.write(tx, "confirm", affiliate, program)
    return affiliate


def _tell(tx: Tx, affiliate: Affiliate, program: Program) -> Literal["known", "closed"]:
    """Write to an affiliate that somebody applied with their address."""
    if affiliate.status in passes.CLOSED:
        return "closed"
    mail.write(tx, _kind(tx, affiliate, program), affiliate, program)
    return "known"


def _kind(tx: Tx, affiliate: Affiliate, program: Program) -> MailKind:
    its = tx.registry.find(Membership, program.organization_id, affiliate_id=affiliate.id, program_id=program.id)
    if not any(is_live(membership.status) for membership in its):
        return "join"
    return "confirm" if affiliate.confirmed_at is None else "member"


def _stamped(tx: Tx, what: str, text: str) -> str:
    return stamp(passes.key(tx), what, text)[:_STAMP].hex()


def _site(origin: str) -> str:
    """Return the place that an address belongs to: whoever has an IPv6 network has all its addresses."""
    try:
        address = ip_address(origin.partition("%")[0])
    except ValueError:
        return origin
    return str(address) if address.version == 4 else str(ip_network((address, _SITE), strict=False))  # noqa: PLR2004 -- the IP version
