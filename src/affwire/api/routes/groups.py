"""Groups: memberships that are treated alike."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from affwire.api.bodies import Body, Patch
from affwire.api.calls import Reader, Writer
from affwire.api.fields import Name
from affwire.api.pages import Page
from affwire.api.paths import Route
from affwire.api.reading import Rendering, listed, one
from affwire.api.schemas import answers, nothing, pages
from affwire.api.writing import Answer, created, gone, shown
from affwire.model import canonical
from affwire.model.registry import Group
from affwire.services import perks
from affwire.services.actions import Action

router: Final = APIRouter(prefix="/groups", tags=["groups"], route_class=Route)


class NewGroup(Body):
    """A new group."""

    name: Name


class GroupPatch(Patch):
    """Changes of a group."""

    name: Name = ""


@router.post("", status_code=201, summary="Create a group", responses=answers("Group", "The group.", status=201))
async def create_group(call: Writer, body: NewGroup) -> Response:
    """Create a group."""
    return await call.act(lambda action: created(canonical.record(perks.create_group(action, body.sent()))))


@router.get("", summary="List groups", responses=pages("Group", "A page of groups."))
async def list_groups(call: Reader, page: Annotated[Page, Query()]) -> Response:
    """List groups, in order of number."""
    return await listed(call, Group, page)


@router.get("/{group_id}", summary="Show a group", responses=answers("Group", "The group."))
async def get_group(call: Reader, group_id: str, rendering: Annotated[Rendering, Query()]) -> Response:
    """Show a group."""
    return await one(call, Group, group_id, rendering)


@router.patch("/{group_id}", summary="Rename a group", responses=answers("Group", "The group."))
async def update_group(call: Writer, group_id: str, body: GroupPatch) -> Response:
    """Rename a group."""
    return await call.act(lambda action: shown(canonical.record(perks.update_group(action, group_id, body.sent()))))


@router.delete("/{group_id}", status_code=204, summary="Delete a group", responses=nothing("Deleted."))
async def delete_group(call: Writer, group_id: str) -> Response:
    """Delete a group; 409 while memberships are in it."""

    def work(action: Action) -> Answer:
        perks.delete_group(action, group_id)
        return gone()

    return await call.act(work)
