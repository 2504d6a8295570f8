"""Promo codes: discount codes of memberships. Each change of one is a membership.updated."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from affwire.api.bodies import Body, Patch
from affwire.api.calls import Reader, Writer
from affwire.api.fields import Decimal, Id, Line, Name
from affwire.api.pages import FilterText, Page
from affwire.api.paths import Route
from affwire.api.reading import Rendering, listed, one
from affwire.api.schemas import answers, nothing, pages
from affwire.api.writing import Answer, created, gone, shown
from affwire.model import canonical
from affwire.model.registry import PromoCode
from affwire.services import perks
from affwire.services.actions import Action

router: Final = APIRouter(prefix="/promo-codes", tags=["promo codes"], route_class=Route)


class PromoCodeFields(Body):
    """What may be set of a promo code. `discount_value` is a decimal as text ("10.00"), so that no reader rounds it."""

    coupon_id: Line | None = None
    discount_type: Line | None = None
    duration: Line | None = None
    discount_value: Decimal | None = None


class NewPromoCode(PromoCodeFields):
    """A new promo code."""

    membership_id: Id
    code: Name


class PromoCodePatch(PromoCodeFields, Patch):
    """Changes of a promo code."""

    code: Name = ""


class PromoCodePage(Page):
    """The query of a list of promo codes."""

    membership_id: FilterText | None = None
    affiliate_id: FilterText | None = None
    code: FilterText | None = None


@router.post(
    "", status_code=201, summary="Add a promo code", responses=answers("PromoCode", "The promo code.", status=201)
)
async def create_promo_code(call: Writer, body: NewPromoCode) -> Response:
    """Add a promo code to a membership; 409 with `existing_id` if it has that code."""
    return await call.act(
        lambda action: created(
            canonical.record(perks.create_promo_code(action, body.membership_id, body.sent("membership_id")))
        )
    )


@router.get("", summary="List promo codes", responses=pages("PromoCode", "A page of promo codes."))
async def list_promo_codes(call: Reader, page: Annotated[PromoCodePage, Query()]) -> Response:
    """List promo codes, in order of number."""
    return await listed(
        call, PromoCode, page, membership_id=page.membership_id, affiliate_id=page.affiliate_id, code=page.code
    )


@router.get("/{promo_code_id}", summary="Show a promo code", responses=answers("PromoCode", "The promo code."))
async def get_promo_code(call: Reader, promo_code_id: str, rendering: Annotated[Rendering, Query()]) -> Response:
    """Show a promo code."""
    return await one(call, PromoCode, promo_code_id, rendering)


@router.patch("/{promo_code_id}", summary="Change a promo code", responses=answers("PromoCode", "The promo code."))
async def update_promo_code(call: Writer, promo_code_id: str, body: PromoCodePatch) -> Response:
    """Change a promo code."""
    return await call.act(
        lambda action: shown(canonical.record(perks.update_promo_code(action, promo_code_id, body.sent())))
    )


@router.delete("/{promo_code_id}", status_code=204, summary="Take a promo code away", responses=nothing("Deleted."))
async def delete_promo_code(call: Writer, promo_code_id: str) -> Response:
    """Take a promo code away."""

    def work(action: Action) -> Answer:
        perks.delete_promo_code(action, promo_code_id)
        return gone()

    return await call.act(work)
