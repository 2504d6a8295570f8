"""Programs: what affiliates join. The list, and one of them: how many are where, what it pays, its page for strangers."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response

from affwire.console import editing, forms, previews, states
from affwire.console.forms import Field, Form
from affwire.console.listing import Badge, Column, Listing, Loaded, Query, cut
from affwire.console.previews import Preview
from affwire.console.routes import Action, Nav, Page, Route
from affwire.console.visit import Visit
from affwire.console.words import apart
from affwire.errors import Refused
from affwire.model import canonical
from affwire.model.registry import Program
from affwire.rules import lifecycle
from affwire.services import applications, programs
from affwire.services.actions import Action as Acting
from affwire.services.actions import found
from affwire.store import members
from affwire.store.tx import Tx

PATH: Final = "/programs"
_ONE: Final = f"{PATH}/{{program_id}}"

FIELDS: Final = (
    Field("name", "Name", required=True, part="What it is"),
    Field("domain", "Domain", hint="The site that affiliates send people to.", part="What it is"),
    Field("description", "Description", "text", part="What it is"),
    Field("products", "Products", "lines", "One a line.", part="What it is"),
    Field(
        "currency",
        "Currency",
        "choice",
        required=True,
        part="What it pays",
        choices=forms.currency_choices,
    ),
    Field("commission_percent", "Commission in percent", "percent", part="What it pays"),
    Field(
        "commission_amount",
        "Commission as an amount",
        "whole",
        "In the currency's smallest unit: 500 is 5.00 EUR.",
        part="What it pays",
    ),
    Field(
        "subscription_commission_type",
        "Of subscriptions, pays",
        hint="“once”, or as your platform calls it.",
        empty="once",
        part="What it pays",
    ),
    Field("payment_count", "For how many payments", "whole", part="What it pays"),
    Field("payout_delay", "Payout after days", "days", empty=0, part="What it pays"),
    Field("payments", "Payment methods", "lines", "One a line.", part="What it pays"),
    Field(
        "is_public",
        "Takes applications",
        "check",
        "Whoever has the link to its page can apply.",
        part="Who joins",
    ),
    Field("auto_approve", "Approves applications at once", "check", part="Who joins"),
    Field("is_listed", "Listed in the platform's marketplace", "check", part="Who joins"),
    Field("affiliate_notifications", "Tells affiliates of their commissions", "check", part="Who joins"),
    Field("signup_url", "Where affiliates sign up", "url", "Its own page here, or one of yours.", part="Who joins"),
    Field("destinations", "Countries or regions", "lines", "One a line.", part="Who joins"),
)


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return a page of programs, each with how many memberships have which status."""
    page = members.programs_page(
        tx.connection, visit.organization_id, place=query.place, limit=query.limit + 1, oldest=query.oldest
    )
    counts = members.statuses(tx.connection, visit.organization_id, [one.id for one in page])
    return cut([(one, counts[one.id]) for one in page], query.limit, lambda row: row[0].number)


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return a program with its counts and where affiliates apply. Raises NotFound."""
    program = _found(visit, tx)
    counts = members.statuses(tx.connection, visit.organization_id, [program.id])[program.id]
    return {
        "title": program.name or program.id,
        "program": program,
        "path": f"{PATH}/{program.id}",
        "live": _live(counts),
        "counts": [(status, counts.get(status, 0)) for status in _shown(counts)],
        "apply_url": visit.public_url + applications.path(program),
        "raw": msgspec.json.format(msgspec.json.encode(canonical.record(program)), indent=2).decode(),
    }


def new(visit: Visit, tx: Tx) -> Mapping[str, Any]:  # noqa: ARG001 -- a view
    """Return an empty form for a program."""
    form = Form.of(FIELDS, currency="USD", subscription_commission_type="once", destinations="worldwide")
    return editing.page("New program", form, PATH, PATH)


async def create(visit: Visit) -> Response:
    """Create a program; the form again, if something is not right."""
    form = Form.sent(FIELDS, visit.sent)
    if not form.faults:
        try:
            made = await visit.act(lambda action: programs.create(action, dict(form.values)))
        except Refused as error:
            form = form.refused(error.facts.get("field"), error.sentence)
        else:
            return visit.go(f"{PATH}/{made.id}", f"{_called(made)} is created.")
    return visit.show("edit.html", editing.page("New program", form, PATH, PATH), 422)


async def publish(visit: Visit) -> Response:
    """Have a program take applications on its page, which becomes its sign-up URL, or take none any more."""
    program = await visit.read(lambda tx: _found(visit, tx))
    own = visit.public_url + applications.path(program)
    opened = visit.sent("public") == "1"
    fields: dict[str, Any] = {"is_public": opened}
    if opened:
        fields["signup_url"] = own
    elif program.signup_url == own:
        fields["signup_url"] = None
    await visit.act(lambda action: programs.update(action, program.id, fields))
    said = "takes applications now" if opened else "takes no applications any more"
    return visit.go(f"{PATH}/{program.id}", f"{_called(program)} {said}.")


async def before_deleting(visit: Visit) -> Preview:
    """Show what deleting a program says to whom. Raises NotFound, Conflict."""
    program = await visit.read(lambda tx: _found(visit, tx))
    live = await visit.read(lambda tx: _members(visit, tx))
    extent = await previews.rehearse_action(visit, lambda action: _deleted(action, program))
    members_go = (
        f"{live:,} {'live member is' if live == 1 else 'live members are'} removed first."
        if live
        else "It has no live members."
    )
    return Preview(
        title=f"Delete {_called(program)}?",
        facts=["The program ends for good, and its page for applications. This cannot be undone.", members_go],
        extent=extent,
        button="Delete the program" if not live else f"Delete it with {live:,} {'member' if live == 1 else 'members'}",
        back=f"{PATH}/{program.id}",
        count=live,
        danger=True,
    )


async def delete(visit: Visit) -> Response:
    """Delete a program with its members. Raises NotFound, Conflict."""
    program = await visit.read(lambda tx: _found(visit, tx))
    await previews.act(visit, lambda action: _deleted(action, program), lambda tx: _members(visit, tx))
    return visit.go(PATH, f"{_called(program)} is deleted, and its live members were removed.")


def _deleted(action: Acting, program: Program) -> None:
    programs.delete(action, program.id, force=True, members_max=programs.FORCED_MAX)


def _members(visit: Visit, tx: Tx) -> int:
    return tx.registry.live_members(visit.organization_id, visit.path["program_id"])


def _found(visit: Visit, tx: Tx) -> Program:
    return found(tx, Program, visit.organization_id, visit.path["program_id"])


def _shown(counts: Mapping[str, int]) -> list[str]:
    return [*states.MEMBERSHIPS, *sorted(counts.keys() - set(states.MEMBERSHIPS))]


def _live(counts: Mapping[str, int]) -> int:
    return sum(count for status, count in counts.items() if lifecycle.is_member(status))


def _pays(program: Program) -> str | None:
    if program.commission_percent is not None:
        return f"{program.commission_percent:g} %"
    return f"{program.commission_amount:,} {program.currency} minor" if program.commission_amount is not None else None


def _called(program: Program) -> str:
    return apart(program.name or program.id)


LISTING: Final = Listing(
    path=PATH,
    title="Programs",
    one="program",
    columns=(
        Column("name", "Program", lambda row: row[0].name or row[0].id, href=lambda row: f"{PATH}/{row[0].id}"),
        Column(
            "public",
            "Applications",
            lambda row: Badge("open", "good") if row[0].is_public else Badge("closed"),
            "badge",
        ),
        Column("members", "Members", lambda row: _live(row[1]), "number"),
        Column("pending", "Pending", lambda row: row[1].get("pending", 0), "number"),
        Column("ended", "Ended", lambda row: row[1].get("left", 0) + row[1].get("removed", 0), "number", first=False),
        Column("pays", "Pays", lambda row: _pays(row[0]), first=False),
        Column("currency", "Currency", lambda row: row[0].currency, first=False),
        Column("created_at", "Made", lambda row: row[0].created_at, "time", first=False),
        Column("updated_at", "Changed", lambda row: row[0].updated_at, "time", first=False, chosen=False),
        Column("id", "Id", lambda row: row[0].id, "id", first=False, chosen=False),
    ),
    load=load,
    row_id=lambda row: row[0].id,
    row_path=lambda row: f"{PATH}/{row[0].id}",
    empty=(
        "No program yet: affiliates join programs, so this is where everything begins.",
        "affwire programs create --name Spring --currency EUR",
    ),
    template="programs/list.html",
)

NAV: Final = (Nav("Program", "Programs", PATH),)
ROUTES: Final[tuple[Route, ...]] = (
    *LISTING.routes(),
    Page(f"{PATH}/new", "edit.html", new, scope="registry"),
    Action(PATH, create),
    Page(_ONE, "programs/page.html", view),
    *editing.routes(_ONE, _found, FIELDS, called=_called, change=programs.update),
    Action(f"{_ONE}/publish", publish),
    *previews.asked(f"{_ONE}/delete", before_deleting, delete),
)
