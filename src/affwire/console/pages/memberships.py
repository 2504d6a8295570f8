"""What is done with one membership: joining, every legal move, its tag, a link for leaving. What ends it is shown first."""

from typing import Final

from starlette.responses import Response

from affwire.console import forms, previews
from affwire.console.forms import Field
from affwire.console.pages.affiliate import TITLES, called, found_in
from affwire.console.pages.affiliates import PATH
from affwire.console.routes import Action, Route
from affwire.console.visit import Visit
from affwire.errors import NotFound, Refused
from affwire.model.registry import Affiliate, Membership, Program
from affwire.rules import lifecycle
from affwire.services import memberships, passes
from affwire.services.actions import found
from affwire.services.moves import Extent
from affwire.store.tx import Tx

_MEMBERSHIPS: Final = f"{PATH}/{{affiliate_id}}/memberships"
_ONE: Final = f"{_MEMBERSHIPS}/{{membership_id}}"
_UNDOING: Final = frozenset({"reject", "remove", "leave"})
"""Moves that are asked for once more."""


async def join(visit: Visit) -> Response:
    """Make the affiliate a member of a program, or let it ask. Raises NotFound, Conflict."""
    affiliate_id, program_id = visit.path["affiliate_id"], visit.sent("program_id")
    fields = {"status": visit.sent("status") or "active", "tag": visit.sent("tag").strip()[: forms.LINE_MAX] or None}
    made = await visit.act(lambda action: memberships.create(action, affiliate_id, program_id, fields))
    return visit.go(f"{PATH}/{affiliate_id}", f"The membership is {made.status}.")


async def move(visit: Visit) -> Response:
    """Carry out a move; one that ends something is shown first. Raises NotFound, Conflict("illegal_transition")."""
    command, affiliate_id, membership_id = (visit.path[name] for name in ("command", "affiliate_id", "membership_id"))
    if command not in lifecycle.COMMANDS:
        raise Refused("unknown_command", f"A move is one of: {', '.join(lifecycle.COMMANDS)}.")
    await visit.read(lambda tx: _its(visit, tx))
    if command not in _UNDOING or previews.confirmed(visit):
        after = await visit.act(lambda action: memberships.command(action, membership_id, command))
        return visit.go(f"{PATH}/{affiliate_id}", f"The membership is {after.status}.")
    extent = await previews.rehearse_action(visit, lambda action: memberships.command(action, membership_id, command))
    return await _asked_again(visit, command, extent)


async def _asked_again(visit: Visit, command: str, extent: Extent) -> Response:
    affiliate, membership, program = await visit.read(lambda tx: _its(visit, tx))
    where = f"{called(affiliate)} in {program.name if program else membership.program_id}"
    after = lifecycle.command(membership.status, command).status
    title = f"Let {called(affiliate)} leave?" if command == "leave" else f"{TITLES[command]} {where}?"
    return previews.page(
        visit,
        title=title,
        facts=[
            f"{where}: {membership.status} becomes {after}.",
            "Whoever ended can be reactivated.",
        ],
        extent=extent,
        action=f"{PATH}/{affiliate.id}/memberships/{membership.id}/{command}",
        button=TITLES[command],
        back=f"{PATH}/{affiliate.id}",
        danger=True,
    )


async def change(visit: Visit) -> Response:
    """Change a membership's tag. Raises NotFound, Refused."""
    affiliate_id, membership_id = visit.path["affiliate_id"], visit.path["membership_id"]
    await visit.read(lambda tx: _its(visit, tx))
    tag = Field("tag", "Tag")
    try:
        value = tag.read(visit.sent("tag").strip())
    except ValueError as error:
        raise Refused("invalid_tag", str(error), field="tag") from None
    await visit.act(lambda action: memberships.update(action, membership_id, {"tag": value}))
    return visit.go(f"{PATH}/{affiliate_id}", "Saved.")


async def leave_link(visit: Visit) -> Response:
    """Make a link with which the member can leave, and show it. Raises NotFound, Conflict("not_a_member")."""
    affiliate, membership, program = await visit.read(lambda tx: _its(visit, tx))
    path, ends_at = await visit.run(lambda tx: passes.leaving(tx, visit.organization_id, membership.id))
    context = {
        "title": "A link for leaving",
        "called": called(affiliate),
        "program": program,
        "link": visit.public_url + path,
        "ends_at": ends_at,
        "back": f"{PATH}/{affiliate.id}",
    }
    return visit.show("affiliates/leave_link.html", context)


def _its(visit: Visit, tx: Tx) -> tuple[Affiliate, Membership, Program | None]:
    """Return the affiliate, the membership, which is this one's, and its program. Raises NotFound."""
    affiliate = found_in(visit, tx)
    membership = found(tx, Membership, visit.organization_id, visit.path["membership_id"])
    if membership.affiliate_id != affiliate.id:
        raise NotFound("membership_not_found", f"{membership.id} is no membership of {affiliate.id}.")
    return affiliate, membership, tx.registry.programs([membership.program_id]).get(membership.program_id)


ROUTES: Final[tuple[Route, ...]] = (
    Action(_MEMBERSHIPS, join),
    Action(f"{_ONE}/change", change),
    Action(f"{_ONE}/leave-link", leave_link),
    Action(f"{_ONE}/{{command}}", move),
)
