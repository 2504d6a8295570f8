"""Organizations: made and changed by the operator, seen by their own keys."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from affwire.api.bodies import Body, Patch
from affwire.api.calls import Anybody, Call, Operator
from affwire.api.fields import Name, Timezone
from affwire.api.pages import Page
from affwire.api.paths import Route
from affwire.api.schemas import answers, pages
from affwire.api.writing import Answer, created, shown
from affwire.errors import NotFound
from affwire.model import canonical
from affwire.services import organizations
from affwire.services.organizations import OPERATOR
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/organizations", tags=["organizations"], route_class=Route)

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", examples=["acme"])]


class OrganizationFields(Body):
    """What may be set of an organization. `timezone`: IANA; Growi's times are written in it."""

    timezone: Timezone = "UTC"
    unlimited_endpoints: bool = False


class NewOrganization(OrganizationFields):
    """A new organization. Without a `name` it is called as its slug."""

    slug: Slug
    name: Name = ""


class OrganizationPatch(OrganizationFields, Patch):
    """Changes of an organization."""

    slug: Slug = ""
    name: Name = ""


@router.post(
    "",
    status_code=201,
    summary="Create an organization",
    responses=answers(
        "Organization", "The organization and, this once, its first key.", status=201, api_key={"type": "string"}
    ),
)
async def create_organization(call: Operator, body: NewOrganization) -> Response:
    """Create an organization; the answer holds its first `api_key` (scope admin), which is never shown again."""

    def work(tx: Tx) -> Answer:
        organization, secret = organizations.create(tx, {"name": body.slug, **body.sent()})
        return created({**canonical.record(organization), "api_key": secret}, "api_key")

    return await call.write(work)


@router.get("", summary="List organizations", responses=pages("Organization", "A page of organizations."))
async def list_organizations(call: Operator, page: Annotated[Page, Query()]) -> Response:
    """List all organizations, in order of number."""

    def work(tx: Tx) -> Any:
        return page.filled(
            lambda limit: tx.registry.organizations(after=page.position, limit=limit),
            lambda organization: organization.number,
            canonical.record,
        )

    return await call.show(work)


@router.get(
    "/{organization_id}", summary="Show an organization", responses=answers("Organization", "The organization.")
)
async def get_organization(call: Anybody, organization_id: str) -> Response:
    """Show an organization: any to the operator, its own to a key."""
    _refuse_others(call, organization_id)
    return await call.show_one(lambda tx: canonical.record(organizations.get(tx, organization_id)))


@router.patch(
    "/{organization_id}", summary="Change an organization", responses=answers("Organization", "The organization.")
)
async def update_organization(call: Operator, organization_id: str, body: OrganizationPatch) -> Response:
    """Change an organization's fields."""
    return await call.write(
        lambda tx: shown(canonical.record(organizations.update(tx, organization_id, body.sent()))),
        of=lambda tx: canonical.record(organizations.get(tx, organization_id)),
    )


def _refuse_others(call: Call, organization_id: str) -> None:
    if call.identity.scope != OPERATOR and call.organization_id != organization_id:
        raise NotFound("organization_not_found", f"There is no organization {organization_id}.")
