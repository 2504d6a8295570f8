"""What is done with one membership: joining, every legal move, its tag, a link for leaving. What ends it is shown first."""

from itertools import chain
from typing import Final

from starlette.responses import Response

from affwire.console import previews
from affwire.console.forms import Field
from affwire.console.pages.affiliate import TITLES, called, found_in
from affwire.console.pages.affiliates import PATH
from affwire.console.previews import Preview
from affwire.console.routes import Action, Route
from affwire.console.visit import Visit
from affwire.console.words import apart
from affwire.errors import NotFound, Refused
from affwire.model.registry import Affiliate, Membership, Program
from affwire.rules import lifecycle
from affwire.rules.forms import LINE_MAX
from affwire.services import memberships, passes
from affwire.services.actions import Action as Acting
from affwire.services.actions import found
from affwire.store.tx import Tx

_MEMBERSHIPS: Final = f"{PATH}/{{affiliate_id}}/memberships"
_ONE: Final = f"{_MEMBERSHIPS}/{{membership_id}}"
_UNDOING: Final = ("reject", "remove", "leave")
"""Moves that are asked for once more."""


async def join(visit: Visit) -> Response:
    """Make the affiliate a member of a program, or let it ask. Raises NotFound, Conflict."""
    affiliate_id, program_id = visit.path["affiliate_id"], visit.sent("program_id")
    fields = {"status": visit.sent("status") or "active", "tag": visit.sent("tag").strip()[:LINE_MAX] or None}
    made = await visit.act(lambda action: memberships.create(action, affiliate_id, program_id, fields))
    return visit.go(f"{PATH}/{affiliate_id}", await visit.read(lambda tx: _told(visit, tx, made)))


async def move(visit: Visit) -> Response:
    """Carry out a move. Raises NotFound, Conflict("illegal_transition")."""
    command = visit.path["command"]
    if command not in lifecycle.COMMANDS:
        raise Refused("unknown_command", f"A move is one of: {', '.join(lifecycle.COMMANDS)}.")
    return await _moved(visit, command)


def _ending(command: str) -> tuple[Route, ...]:
    """Return the routes of a move that ends something: what it says to whom is shown first."""

    async def look(visit: Visit) -> Preview:
        affiliate, membership, program = await visit.read(lambda tx: _its(visit, tx))
        after = lifecycle.command(membership.status, command).status
        where = f"{called(affiliate)} in {apart(program.name if program else membership.program_id)}"
        return Preview(
            title=f"Let {called(affiliate)} leave?" if command == "leave" else f"{TITLES[command]} {where}?",
            facts=[f"{where}: {membership.status} becomes {after}.", "Whoever ended can be reactivated."],
            extent=await previews.rehearse_action(visit, lambda action: _command(action, visit, command)),
            button=TITLES[command],
            back=f"{PATH}/{affiliate.id}",
            danger=True,
        )

    return previews.asked(f"{_ONE}/{command}", look, lambda visit: _moved(visit, command))


async def _moved(visit: Visit, command: str) -> Response:
    await visit.read(lambda tx: _its(visit, tx))
    carry_out = previews.act if command in _UNDOING else Visit.act
    after = await carry_out(visit, lambda action: _command(action, visit, command))
    return visit.go(f"{PATH}/{visit.path['affiliate_id']}", await visit.read(lambda tx: _told(visit, tx, after)))


def _command(action: Acting, visit: Visit, command: str) -> Membership:
    return memberships.command(action, visit.path["membership_id"], command)


async def change(visit: Visit) -> Response:
    """Change a membership's tag. Raises NotFound, Refused."""
    affiliate_id, membership_id = visit.path["affiliate_id"], visit.path["membership_id"]
    affiliate, _, program = await visit.read(lambda tx: _its(visit, tx))
    tag = Field("tag", "Tag")
    try:
        value = tag.read(visit.sent("tag").strip())
    except ValueError as error:
        raise Refused("invalid_tag", str(error), field="tag") from None
    await visit.act(lambda action: memberships.update(action, membership_id, {"tag": value}))
    of = f"of {called(affiliate)} in {apart(program.name) if program else 'a program'}"
    said = f"The tag {of} is “{value}”." if value else f"The tag {of} is taken away."
    return visit.go(f"{PATH}/{affiliate_id}", said)


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


def _told(visit: Visit, tx: Tx, after: Membership) -> str:
    """Return what a membership has become, by the names of who and where."""
    program = tx.registry.programs([after.program_id]).get(after.program_id)
    return f"{called(found_in(visit, tx))} is {after.status} in {apart(program.name if program else after.program_id)}."


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
    *chain.from_iterable(map(_ending, _UNDOING)),
    Action(f"{_ONE}/{{command}}", move),
)
