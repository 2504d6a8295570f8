# ruff: noqa: RUF012 -- pydantic gives every instance a default of its own
"""Memberships: an affiliate in a program, and the actions that change its status."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict
from starlette.responses import Response

from affwire.api.bodies import Body, NoFields, Patch
from affwire.api.calls import Reader, Writer
from affwire.api.fields import AppUrl, ExternalIds, ExternalIdsPatch, FreeObject, Id, Line, OwnId, Status
from affwire.api.pages import FilterText, Page
from affwire.api.paths import Route
from affwire.api.reading import Rendering, listed, one
from affwire.api.schemas import answers, pages
from affwire.api.writing import Answer, created, done, put, shown
from affwire.model import canonical, mailed
from affwire.model.registry import Membership
from affwire.model.times import rfc3339
from affwire.services import externals, memberships, passes
from affwire.services.actions import Action
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/memberships", tags=["memberships"], route_class=Route)

Command = Literal["approve", "reject", "remove", "leave", "reactivate"]


class MembershipFields(Body):
    """What may be set of a membership. `status` pending asks to join, active joins; `deep_link` may use an app's scheme."""

    status: Status = "active"
    tag: Line | None = None
    source: Line | None = None
    group_id: Id | None = None
    deep_link: AppUrl | None = None
    metadata: FreeObject = {}


class FirstMembership(MembershipFields):
    """The membership that a new affiliate begins with."""

    external_ids: ExternalIds = {}


class NewMembership(FirstMembership):
    """A new membership."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"affiliate_id": "aff_...", "program_id": "prg_...", "status": "pending"}]}
    )

    affiliate_id: Id
    program_id: Id


class MembershipPut(MembershipFields, Patch):
    """A membership under an id of your own. A new one needs `affiliate_id` and `program_id`, ours or `ext:` ids."""

    external_ids: ExternalIdsPatch = {}
    affiliate_id: Id | None = None
    program_id: Id | None = None


class MembershipPatch(MembershipFields, Patch):
    """Changes of a membership; a new `status` is the action that leads there."""

    external_ids: ExternalIdsPatch = {}


class MembershipPage(Page):
    """The query of a list of memberships. `q`: a part of tag or id, or the whole of a number or of an id elsewhere."""

    q: FilterText | None = None
    affiliate_id: FilterText | None = None
    program_id: FilterText | None = None
    group_id: FilterText | None = None
    status: Status | None = None


@router.post(
    "",
    status_code=201,
    summary="Add an affiliate to a program",
    responses=answers("Membership", "The membership.", status=201),
)
async def create_membership(call: Writer, body: NewMembership) -> Response:
    """Add an affiliate to a program, or let them ask. One that ended is taken up again; a live one is 409."""
    fields = body.sent("affiliate_id", "program_id")
    return await call.act(
        lambda action: created(canonical.record(memberships.create(action, body.affiliate_id, body.program_id, fields)))
    )


@router.get("", summary="List memberships", responses=pages("Membership", "A page of memberships."))
async def list_memberships(call: Reader, page: Annotated[MembershipPage, Query()]) -> Response:
    """List memberships, in order of number."""
    return await listed(
        call,
        Membership,
        page,
        matching=page.q,
        affiliate_id=page.affiliate_id,
        program_id=page.program_id,
        group_id=page.group_id,
        status=page.status,
    )


@router.get("/{membership_id}", summary="Show a membership", responses=answers("Membership", "The membership."))
async def get_membership(call: Reader, membership_id: str, rendering: Annotated[Rendering, Query()]) -> Response:
    """Show a membership, as a dialect's object if wished."""
    return await one(call, Membership, membership_id, rendering)


@router.put(
    "/{membership_id}",
    summary="Create or change a membership by your own id",
    responses={**answers("Membership", "Changed."), **answers("Membership", "Created.", status=201)},
)
async def put_membership(call: Writer, membership_id: OwnId, body: MembershipPut) -> Response:
    """Create the membership of `ext:<namespace>:<id>` (201), or merge into it what is sent (200)."""
    fields = body.sent("affiliate_id", "program_id")

    def work(action: Action) -> Answer:
        own = externals.OwnId.parse(membership_id)
        membership, new = externals.put_membership(
            action, own, fields, affiliate_id=body.affiliate_id, program_id=body.program_id
        )
        return put(canonical.record(membership), new=new)

    return await call.act(work)


@router.patch("/{membership_id}", summary="Change a membership", responses=answers("Membership", "The membership."))
async def update_membership(call: Writer, membership_id: str, body: MembershipPatch) -> Response:
    """Change a membership's fields or status."""
    return await call.act(
        lambda action: shown(canonical.record(memberships.update(action, membership_id, body.sent())))
    )


@router.post(
    "/{membership_id}/leave-link",
    status_code=201,
    summary="Make a link for leaving",
    responses=answers("LeaveLink", "The link.", status=201),
)
async def make_leave_link(call: Writer, membership_id: str, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- refuses what it does not know
    """Make a signed link with which the member can leave, for you to hand on; 409 where there is nothing to leave."""

    def work(tx: Tx) -> Answer:
        path, ends_at = passes.leaving(tx, call.organization_id, membership_id)
        link: mailed.LeaveLink = {
            "membership_id": membership_id,
            "url": (call.desk.public_url or "") + path,
            "expires_at": rfc3339(ends_at),
        }
        return created(link, "url")

    return await call.write(work)


@router.post(
    "/{membership_id}/{command}",
    status_code=201,
    summary="Approve, reject, remove, let leave or reactivate",
    responses=answers("Membership", "The membership.", status=201),
)
async def command_membership(
    call: Writer,
    membership_id: str,
    command: Command,
    body: NoFields | None = None,  # noqa: ARG001 -- refuses what it does not know
) -> Response:
    """Carry out an action on a membership; 409 with the legal ones if its status does not allow it."""
    return await call.act(lambda action: done(canonical.record(memberships.command(action, membership_id, command))))
