# ruff: noqa: RUF012 -- pydantic gives every instance a default of its own
"""Programs: what affiliates join."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from affwire.api.bodies import Body, Patch
from affwire.api.calls import Reader, Writer
from affwire.api.fields import (
    Currency,
    Days,
    ExternalIds,
    ExternalIdsPatch,
    FreeList,
    FreeObject,
    Line,
    Lines,
    Name,
    OwnId,
    Percent,
    Text,
    WebUrl,
    Whole,
)
from affwire.api.pages import FilterText, Page
from affwire.api.paths import Route
from affwire.api.reading import Rendering, listed, one
from affwire.api.schemas import answers, nothing, pages
from affwire.api.writing import Answer, created, gone, put, shown
from affwire.model import canonical
from affwire.model.registry import Program
from affwire.services import externals, programs
from affwire.services.actions import Action

router: Final = APIRouter(prefix="/programs", tags=["programs"], route_class=Route)


class ProgramFields(Body):
    """What may be set of a program. `commission_percent` 20 = 20 %; amounts are minor units; `payout_delay` days."""

    description: Text | None = None
    currency: Currency = "USD"
    commission_percent: Percent | None = None
    commission_amount: Whole | None = None
    subscription_commission_type: Line = "once"
    payment_count: Whole | None = None
    payout_delay: Days = 0
    products: Lines = []
    domain: Line | None = None
    destinations: Lines = ["worldwide"]
    payments: Lines = []
    signup_url: WebUrl | None = None
    is_public: bool = False
    is_listed: bool = False
    auto_approve: bool = False
    affiliate_notifications: bool = False
    banners: FreeList | None = None
    metadata: FreeObject = {}


class NewProgram(ProgramFields):
    """A new program."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Spring", "currency": "EUR", "commission_percent": 20}]}
    )

    name: Name
    external_ids: ExternalIds = {}


class ProgramPut(ProgramFields, Patch):
    """A program under an id of your own. A new one needs `name`; of one that is there, what is not sent stays."""

    name: Name = ""
    external_ids: ExternalIdsPatch = {}


class ProgramPage(Page):
    """The query of a list of programs. `q`: a part of name or id, or the whole of a number or of an id elsewhere."""

    q: FilterText | None = None


class ProgramPatch(ProgramFields, Patch):
    """Changes of a program."""

    name: Name = ""
    external_ids: ExternalIdsPatch = {}


class Deletion(BaseModel):
    """How a program is deleted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    force: bool = False


@router.post("", status_code=201, summary="Create a program", responses=answers("Program", "The program.", status=201))
async def create_program(call: Writer, body: NewProgram) -> Response:
    """Create a program."""
    return await call.act(lambda action: created(canonical.record(programs.create(action, body.sent()))))


@router.get("", summary="List programs", responses=pages("Program", "A page of programs."))
async def list_programs(call: Reader, page: Annotated[ProgramPage, Query()]) -> Response:
    """List programs, in order of number."""
    return await listed(call, Program, page, matching=page.q)


@router.get("/{program_id}", summary="Show a program", responses=answers("Program", "The program."))
async def get_program(call: Reader, program_id: str, rendering: Annotated[Rendering, Query()]) -> Response:
    """Show a program, as a dialect's object if wished."""
    return await one(call, Program, program_id, rendering)


@router.put(
    "/{program_id}",
    summary="Create or change a program by your own id",
    responses={**answers("Program", "Changed."), **answers("Program", "Created.", status=201)},
)
async def put_program(call: Writer, program_id: OwnId, body: ProgramPut) -> Response:
    """Create the program of `ext:<namespace>:<id>` (201), or merge into it what is sent (200)."""

    def work(action: Action) -> Answer:
        program, new = externals.put_program(action, externals.OwnId.parse(program_id), body.sent())
        return put(canonical.record(program), new=new)

    return await call.act(work)


@router.patch("/{program_id}", summary="Change a program", responses=answers("Program", "The program."))
async def update_program(call: Writer, program_id: str, body: ProgramPatch) -> Response:
    """Change a program's fields."""
    return await call.act(lambda action: shown(canonical.record(programs.update(action, program_id, body.sent()))))


@router.delete("/{program_id}", status_code=204, summary="Delete a program", responses=nothing("Deleted."))
async def delete_program(call: Writer, program_id: str, how: Annotated[Deletion, Query()]) -> Response:
    """Delete a program. With live members 409, unless forced: then they are removed first."""

    def work(action: Action) -> Answer:
        programs.delete(action, program_id, force=how.force, members_max=programs.FORCED_MAX)
        return gone()

    return await call.act(work)
