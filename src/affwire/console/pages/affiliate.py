"""One affiliate: who it is, which programs and which moves are legal there, what happened, what was told and what came in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.responses import Response

from affwire.console import editing, forms, previews, states
from affwire.console.forms import Field, Form
from affwire.console.listing import Badge
from affwire.console.pages.affiliates import PATH, badge, program_choices
from affwire.console.pages.deliveries import status_badge
from affwire.console.previews import Preview
from affwire.console.routes import Action, Page, Route
from affwire.console.visit import Visit
from affwire.console.words import apart
from affwire.errors import Conflict, Refused
from affwire.model import canonical
from affwire.model.registry import Affiliate, Membership, Program, PromoCode
from affwire.rules import lifecycle
from affwire.services import affiliates, timeline
from affwire.services.actions import found
from affwire.store.tx import Tx

_ONE: Final = f"{PATH}/{{affiliate_id}}"
EVENTS: Final = 15
"""Events on one page of the timeline: with their deliveries they stay below 60 KB."""
TURNS_MAX: Final = 50
"""Changes of status that the page looks back over, of all memberships of the affiliate."""
_TURNS: Final = frozenset(step.event for moves in lifecycle.MEMBERSHIP.values() for step in moves.values())
TITLES: Final[Mapping[str, str]] = {
    "approve": "Approve",
    "reactivate": "Reactivate",
    "reject": "Reject",
    "remove": "Remove",
    "leave": "Let leave",
}
_ERASING: Final = (
    "Erasing also takes name, address and all else that is personal out of the registry, the log, attempts and "
    "messages; what happened stays, to whom does not."
)


@dataclass(frozen=True, slots=True)
class Move:
    """A move of a membership; `why_not`: why it is not legal just now, None if it is."""

    command: str
    title: str
    why_not: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A membership as the page shows it: its program, its promo codes, and every move.

    `since`: when its status began (ms), None where the log does not say.
    """

    membership: Membership
    since: int | None
    program: Program | None
    codes: Sequence[PromoCode]
    moves: Sequence[Move]


FIELDS: Final = (
    Field("email", "E-mail address", "email", required=True, part="Who"),
    Field("first_name", "First name", part="Who"),
    Field("last_name", "Last name", part="Who"),
    Field("company", "Company", part="Who"),
    Field(
        "status",
        "Account",
        "choice",
        "Disabled, suspicious and rejected accounts cannot apply to anything.",
        empty="active",
        part="Who",
        choices=lambda: [(one, one) for one in lifecycle.ACCOUNT_STATUSES],
    ),
    Field("address", "Street", part="Where"),
    Field("postcode", "Postcode", part="Where"),
    Field("city", "City", part="Where"),
    Field("state", "State or region", part="Where"),
    Field("country", "Country", "choice", part="Where", choices=forms.country_choices),
    Field("telephone", "Telephone", part="Where"),
    Field("paypal_email", "PayPal address", "email", part="Payment"),
    Field("wise_email", "Wise address", "email", part="Payment"),
    Field("vat", "VAT number", part="Payment"),
)


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return an affiliate with everything that there is about it. Raises NotFound."""
    affiliate = found_in(visit, tx)
    before = visit.parameters.number("before")
    page = timeline.of(tx, visit.organization_id, affiliate.id, before=before, limit=EVENTS)
    its = tx.registry.find(Membership, visit.organization_id, affiliate_id=affiliate.id)
    told = {one.endpoint_id for entry in page.entries for one in entry.deliveries}
    joined = {one.program_id for one in its}
    return {
        "title": called(affiliate),
        "affiliate": affiliate,
        "path": f"{PATH}/{affiliate.id}",
        "account": _account(affiliate, its),
        "places": _places(tx, visit.organization_id, its),
        "badge": badge,
        "status_badge": status_badge,
        "message_badge": lambda status: states.badge(states.MESSAGES, status),
        "timeline": page,
        "endpoints": tx.registry.endpoints(sorted(told)),
        "offers": [one for one in program_choices(visit, tx) if one[0] not in joined],
        "raw": _raw(affiliate),
    }


def _account(affiliate: Affiliate, its: Sequence[Membership]) -> Badge:
    """Return how the account is shown. Nobody decides about one whose requests have all ended: then the last end is its state."""
    if affiliate.status == "pending" and its and not any(lifecycle.is_live(one.status) for one in its):
        return badge(max(its, key=lambda one: one.updated_at).status)
    return states.badge(states.ACCOUNTS, affiliate.status)


def new(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return an empty form for an affiliate, and the programs it may join at once."""
    form = Form.of(
        _new_fields(program_choices(visit, tx)),
        status="active",
        membership_status="active",
        program_id=visit.asked("program") or "",
    )
    return editing.page("New affiliate", form, PATH, PATH)


async def create(visit: Visit) -> Response:
    """Create an affiliate, in a program if one was chosen; the form again, if something is not right."""
    offers = await visit.read(lambda tx: program_choices(visit, tx))
    form = Form.sent(_new_fields(offers), visit.sent)
    values, existing = dict(form.values), None
    program_id, status, tag = (values.pop(name, None) for name in ("program_id", "membership_status", "tag"))
    membership = {"status": status, "tag": tag} if program_id else None
    if not form.faults:
        try:
            made, _ = await visit.act(
                lambda action: affiliates.create(action, values, program_id=program_id, membership=membership)
            )
        except Refused as error:
            form, existing = form.refused(error.facts.get("field"), error.sentence), error.facts.get("existing_id")
        else:
            return visit.go(f"{PATH}/{made.id}", f"{called(made)} is created.")
    return visit.show("edit.html", {**editing.page("New affiliate", form, PATH, PATH), "existing": existing}, 422)


async def confirm(visit: Visit) -> Response:
    """Note that the address was confirmed. Raises NotFound."""
    affiliate_id = visit.path["affiliate_id"]
    after = await visit.act(lambda action: affiliates.confirm(action, affiliate_id))
    return visit.go(f"{PATH}/{affiliate_id}", f"The address {after.email} of {called(after)} is confirmed.")


async def before_deleting(visit: Visit) -> Preview:
    """Show what deleting an affiliate says to whom. Raises NotFound."""
    affiliate = await visit.read(lambda tx: found_in(visit, tx))
    extent = await previews.rehearse_action(visit, lambda action: affiliates.delete(action, affiliate.id))
    return Preview(
        title=f"Delete {called(affiliate)}?",
        facts=["The affiliate and every live membership end. This cannot be undone.", _ERASING],
        extent=extent,
        button="Delete",
        back=f"{PATH}/{affiliate.id}",
        danger=True,
        options=[{"name": "erase", "title": "Erase the personal data, too"}],
    )


async def delete(visit: Visit) -> Response:
    """Delete an affiliate, and erase if that was ticked. Raises NotFound."""
    affiliate = await visit.read(lambda tx: found_in(visit, tx))
    erase = visit.sent("erase") == "1"
    await previews.act(visit, lambda action: affiliates.delete(action, affiliate.id, erase=erase))
    end = " The personal data are erased as soon as no delivery needs them." if erase else ""
    return visit.go(PATH, f"{called(affiliate)} is deleted.{end}")


def found_in(visit: Visit, tx: Tx) -> Affiliate:
    """Return the affiliate of the page's path. Raises NotFound."""
    return found(tx, Affiliate, visit.organization_id, visit.path["affiliate_id"])


def _places(tx: Tx, organization_id: str, its: Sequence[Membership]) -> list[Place]:
    programs = tx.registry.programs(sorted({one.program_id for one in its}))
    codes = {one.id: tx.registry.find(PromoCode, organization_id, membership_id=one.id) for one in its}
    begun = _begun(tx, its[0].affiliate_id) if its else {}
    places = [
        Place(one, begun.get((one.id, one.status)), programs.get(one.program_id), codes[one.id], _moves(one, programs))
        for one in its
    ]
    return sorted(places, key=lambda place: (not lifecycle.is_live(place.membership.status), place.membership.number))


def _begun(tx: Tx, affiliate_id: str) -> dict[tuple[str, str], int]:
    """Return when (ms) each membership took its status, by both, as far as the affiliate's newest TURNS_MAX turns tell."""
    begun: dict[tuple[str, str], int] = {}
    turned: set[str | None] = set()
    for event in tx.log.latest(affiliate_id, _TURNS, limit=TURNS_MAX):
        if event.own and event.membership_id not in turned:
            begun[event.own.membership.id, event.own.membership.status] = event.occurred_at
        turned.add(event.membership_id)
    return begun


def _moves(membership: Membership, programs: Mapping[str, Program]) -> list[Move]:
    program = programs.get(membership.program_id)
    gone = program is None or program.deleted_at is not None
    return [Move(one, TITLES[one], "the program was deleted" if gone else _why_not(membership, one)) for one in TITLES]


def _why_not(membership: Membership, command: str) -> str | None:
    try:
        lifecycle.command(membership.status, command)
    except Conflict:
        fits = lifecycle.COMMANDS[command][1] - {"X"}
        return f"only one that is {' or '.join(sorted(fits))}"
    return None


def called(affiliate: Affiliate) -> str:
    """Return what an affiliate is called: by name, else by address."""
    return apart(affiliate.name or affiliate.company or affiliate.email or affiliate.id)


def _raw(record: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(canonical.record(record)), indent=2).decode()


def _new_fields(offers: Sequence[tuple[str, str]]) -> tuple[Field, ...]:
    return (
        *FIELDS,
        Field("program_id", "Program", "choice", part="First membership", choices=lambda: offers),
        Field(
            "membership_status",
            "Begins as",
            "choice",
            empty="active",
            part="First membership",
            choices=lambda: [("active", "active"), ("pending", "pending: asks to join")],
        ),
        Field("tag", "Tag", part="First membership"),
    )


ROUTES: Final[tuple[Route, ...]] = (
    Page(f"{PATH}/new", "edit.html", new, scope="registry"),
    Action(PATH, create),
    Page(_ONE, "affiliates/page.html", view),
    *editing.routes(_ONE, found_in, FIELDS, called=called, change=affiliates.update),
    Action(f"{_ONE}/confirm", confirm),
    *previews.asked(f"{_ONE}/delete", before_deleting, delete),
)
