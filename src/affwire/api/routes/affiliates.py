# ruff: noqa: RUF012 -- pydantic gives every instance a default of its own
"""Affiliates: who refers customers."""

from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from affwire.api.bodies import Body, NoFields, Patch
from affwire.api.calls import Reader, Writer
from affwire.api.fields import (
    AccountStatus,
    Country,
    Email,
    ExternalIds,
    ExternalIdsPatch,
    FreeObject,
    Id,
    Instant,
    Language,
    Line,
    Lines,
    OwnId,
    Timezone,
    Whole,
)
from affwire.api.pages import FilterText, Page
from affwire.api.paths import Route
from affwire.api.reading import Rendering, listed, one
from affwire.api.routes.memberships import FirstMembership
from affwire.api.schemas import answers, nothing, pages
from affwire.api.writing import Answer, created, done, gone, put, shown
from affwire.model import canonical
from affwire.model.registry import Affiliate
from affwire.services import affiliates, externals
from affwire.services.actions import Action
from affwire.store.registry import email_key

router: Final = APIRouter(prefix="/affiliates", tags=["affiliates"], route_class=Route)


_MEMBERSHIP: Final = {"$ref": "#/components/schemas/Membership"}


class AffiliateFields(Body):
    """What may be set of an affiliate. `country`: ISO 3166-1 alpha-2 in either case; `timezone`: IANA."""

    first_name: Line | None = None
    last_name: Line | None = None
    company: Line | None = None
    country: Country | None = None
    address: Line | None = None
    city: Line | None = None
    state: Line | None = None
    postcode: Line | None = None
    telephone: Line | None = None
    vat: Line | None = None
    language: Language | None = None
    timezone: Timezone | None = None
    unconfirmed_email: Email | None = None
    paypal_email: Email | None = None
    paypal_email_confirmed_at: Instant | None = None
    wise_email: Email | None = None
    wise_email_confirmed_at: Instant | None = None
    stripe_customer_id: Line | None = None
    stripe_account_id: Line | None = None
    payments: Lines | None = None
    receive_new_commission_notifications: bool = True
    sign_in_count: Whole = 0
    status: AccountStatus = "active"
    onboarding_completed: bool = False
    metadata: FreeObject = {}


class NewAffiliate(AffiliateFields):
    """A new affiliate; with `program_id` the first membership is made in the same commit."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"email": "kim@example.com", "first_name": "Kim", "country": "DE"},
                {
                    "email": "lee@example.com",
                    "program_id": "prg_...",
                    "membership": {"status": "pending", "tag": "spring"},
                },
            ]
        }
    )

    email: Email
    confirmed_at: Instant | None = None
    external_ids: ExternalIds = {}
    program_id: Id | None = None
    membership: FirstMembership | None = None

    @model_validator(mode="after")
    def _membership_needs_program(self) -> Self:
        if self.membership is not None and self.program_id is None:
            raise PydanticCustomError("program_required", "A membership needs a program_id beside it")
        return self


class AffiliatePut(NewAffiliate):
    """An affiliate under an id of your own. A new one needs `email`; of one that is there, what is not sent stays."""

    email: Email = ""
    external_ids: ExternalIdsPatch = {}  # type: ignore[assignment] # merged, as in a PATCH


class AffiliatePatch(AffiliateFields, Patch):
    """Changes of an affiliate. The address is confirmed by POST .../confirm."""

    email: Email = ""
    external_ids: ExternalIdsPatch = {}


class AffiliatePage(Page):
    """The query of a list of affiliates. `email` is the whole address.

    `q` is a part of address, name, company or id in any case, or all of a number, an external id or a dialect's id.
    """

    q: FilterText | None = None
    email: FilterText | None = None
    status: AccountStatus | None = None


class Deletion(BaseModel):
    """How an affiliate is deleted. `erase` also takes the personal data out of log and deliveries."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    erase: bool = False


@router.post(
    "",
    status_code=201,
    summary="Create an affiliate",
    responses=answers("Affiliate", "The affiliate.", status=201, membership=_MEMBERSHIP),
)
async def create_affiliate(call: Writer, body: NewAffiliate) -> Response:
    """Create an affiliate, and with `program_id` the first membership; 409 with `existing_id` for a taken address."""

    def work(action: Action) -> Answer:
        affiliate, membership = affiliates.create(
            action,
            body.sent("program_id", "membership"),
            program_id=body.program_id,
            membership=body.membership.sent() if body.membership else None,
        )
        joined: dict[str, Any] = {"membership": canonical.record(membership)} if membership else {}
        return created({**canonical.record(affiliate), **joined})

    return await call.act(work)


@router.get("", summary="List affiliates", responses=pages("Affiliate", "A page of affiliates."))
async def list_affiliates(call: Reader, page: Annotated[AffiliatePage, Query()]) -> Response:
    """List affiliates, in order of number."""
    return await listed(call, Affiliate, page, matching=page.q, email_key=email_key(page.email), status=page.status)


@router.get("/{affiliate_id}", summary="Show an affiliate", responses=answers("Affiliate", "The affiliate."))
async def get_affiliate(call: Reader, affiliate_id: str, rendering: Annotated[Rendering, Query()]) -> Response:
    """Show an affiliate, as a dialect's object if wished."""
    return await one(call, Affiliate, affiliate_id, rendering)


@router.put(
    "/{affiliate_id}",
    summary="Create or change an affiliate by your own id",
    responses={
        **answers("Affiliate", "Changed.", membership=_MEMBERSHIP),
        **answers("Affiliate", "Created.", status=201, membership=_MEMBERSHIP),
    },
)
async def put_affiliate(call: Writer, affiliate_id: OwnId, body: AffiliatePut) -> Response:
    """Create the affiliate of `ext:<namespace>:<id>` (201), or merge into it what is sent (200)."""

    def work(action: Action) -> Answer:
        affiliate, membership, new = externals.put_affiliate(
            action,
            externals.OwnId.parse(affiliate_id),
            body.sent("program_id", "membership"),
            program_id=body.program_id,
            membership=body.membership.sent() if body.membership else None,
        )
        joined: dict[str, Any] = {"membership": canonical.record(membership)} if membership else {}
        return put({**canonical.record(affiliate), **joined}, *joined, new=new)

    return await call.act(work)


@router.patch("/{affiliate_id}", summary="Change an affiliate", responses=answers("Affiliate", "The affiliate."))
async def update_affiliate(call: Writer, affiliate_id: str, body: AffiliatePatch) -> Response:
    """Change an affiliate's fields."""
    return await call.act(lambda action: shown(canonical.record(affiliates.update(action, affiliate_id, body.sent()))))


@router.post(
    "/{affiliate_id}/confirm",
    status_code=201,
    summary="Confirm the e-mail address",
    responses=answers("Affiliate", "The affiliate.", status=201),
)
async def confirm_affiliate(call: Writer, affiliate_id: str, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- refuses what it does not know
    """Note that the affiliate confirmed the e-mail address; nothing happens the second time."""
    return await call.act(lambda action: done(canonical.record(affiliates.confirm(action, affiliate_id))))


@router.delete("/{affiliate_id}", status_code=204, summary="Delete an affiliate", responses=nothing("Deleted."))
async def delete_affiliate(call: Writer, affiliate_id: str, how: Annotated[Deletion, Query()]) -> Response:
    """Delete an affiliate; the memberships end. `?erase=true` also takes the personal data away."""

    def work(action: Action) -> Answer:
        affiliates.delete(action, affiliate_id, erase=how.erase)
        return gone()

    return await call.act(work)
