"""Links: tracked URLs of memberships."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from affwire.api.bodies import Body, Patch
from affwire.api.calls import Reader, Writer
from affwire.api.fields import Id, Name, WebUrl
from affwire.api.pages import FilterText, Page
from affwire.api.paths import Route
from affwire.api.reading import Rendering, listed, one
from affwire.api.schemas import answers, nothing, pages
from affwire.api.writing import Answer, created, gone, shown
from affwire.model import canonical
from affwire.model.registry import Link
from affwire.services import perks
from affwire.services.actions import Action

router: Final = APIRouter(prefix="/links", tags=["links"], route_class=Route)


class NewLink(Body):
    """A new link; `token` is the part of it that tells the affiliate."""

    membership_id: Id
    url: WebUrl
    token: Name


class LinkPatch(Patch):
    """Changes of a link."""

    url: WebUrl = ""
    token: Name = ""


class LinkPage(Page):
    """The query of a list of links."""

    membership_id: FilterText | None = None
    affiliate_id: FilterText | None = None


@router.post("", status_code=201, summary="Create a link", responses=answers("Link", "The link.", status=201))
async def create_link(call: Writer, body: NewLink) -> Response:
    """Create a link of a membership."""
    return await call.act(
        lambda action: created(
            canonical.record(perks.create_link(action, body.membership_id, body.sent("membership_id")))
        )
    )


@router.get("", summary="List links", responses=pages("Link", "A page of links."))
async def list_links(call: Reader, page: Annotated[LinkPage, Query()]) -> Response:
    """List links, in order of number."""
    return await listed(call, Link, page, membership_id=page.membership_id, affiliate_id=page.affiliate_id)


@router.get("/{link_id}", summary="Show a link", responses=answers("Link", "The link."))
async def get_link(call: Reader, link_id: str, rendering: Annotated[Rendering, Query()]) -> Response:
    """Show a link, as a dialect's object if wished."""
    return await one(call, Link, link_id, rendering)


@router.patch("/{link_id}", summary="Change a link", responses=answers("Link", "The link."))
async def update_link(call: Writer, link_id: str, body: LinkPatch) -> Response:
    """Change a link."""
    return await call.act(lambda action: shown(canonical.record(perks.update_link(action, link_id, body.sent()))))


@router.delete("/{link_id}", status_code=204, summary="Delete a link", responses=nothing("Deleted."))
async def delete_link(call: Writer, link_id: str) -> Response:
    """Delete a link."""

    def work(action: Action) -> Answer:
        perks.delete_link(action, link_id)
        return gone()

    return await call.act(work)
