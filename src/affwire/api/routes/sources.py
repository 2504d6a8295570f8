# ruff: noqa: RUF012 -- pydantic gives every instance a default of its own
"""Sources: a platform's secret goes in, an ingest URL comes out, and a badge says what the two are worth."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from starlette.responses import Response

from affwire.api import preconditions
from affwire.api.bodies import Body, Patch
from affwire.api.calls import Call, Owner, OwnerReader
from affwire.api.fields import Line
from affwire.api.pages import Page
from affwire.api.paths import Route
from affwire.api.routes.endpoint_actions import OVERLAP_DEFAULT, OVERLAP_MAX
from affwire.api.schemas import answers, nothing, pages
from affwire.api.writing import Answer, created, gone, rendered, shown
from affwire.model import objects
from affwire.model.inbound import Match, Mode, Source
from affwire.services import organizations, sources, views
from affwire.services.actions import found
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/sources", tags=["sources"], route_class=Route)

Secret = Annotated[str, Field(min_length=1, max_length=sources.BEARER_TOKEN_MAX)]


class SourceFields(Body):
    """What may be set of a source. `match`: whether an affiliate may also be found by e-mail, or only by the platform's id."""

    unverified: bool = False
    mode: Mode = "mirror"
    match: Match = "email"
    name: Line | None = None
    enabled: bool = True


class NewSource(SourceFields):
    """A new source. `secret`: what the platform signs with, or sends as bearer token; it is never shown again."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"dialect": "rewardful", "secret": "the-platforms-signing-secret", "mode": "mirror"},
                {"dialect": "growi", "mode": "relay", "name": "Our Growi campaigns"},
            ]
        }
    )

    dialect: Line
    secret: Secret | None = None
    options: dict[str, Line] = {}


class SourcePatch(SourceFields, Patch):
    """Changes of a source; options are merged, null takes one away. A new secret replaces all others at once."""

    secret: Secret = ""
    options: dict[str, Line | None] = {}


class SourceRotation(Body):
    """A rotation: the platform's new secret, beside which the old ones verify for a while, and a new ingest URL on wish."""

    secret: Secret | None = None
    overlap_seconds: Annotated[int, Field(ge=0, le=OVERLAP_MAX)] = OVERLAP_DEFAULT
    new_url: bool = False


@router.post(
    "",
    status_code=201,
    summary="Create a source",
    responses=answers("Source", "The source: its ingest URL, where to paste it, its badge.", status=201),
)
async def create_source(call: Owner, body: NewSource) -> Response:
    """Create a source. A dialect that authenticates needs its secret, or `unverified: true`."""

    def work(tx: Tx) -> Answer:
        organization = organizations.get(tx, call.organization_id)
        source = sources.create(tx, organization, call.desk.dialects, body.dialect, body.sent("dialect"))
        return created(_shown(tx, call, source), "ingest_url")

    return await call.write(work)


@router.get("", summary="List sources", responses=pages("Source", "A page of sources."))
async def list_sources(call: OwnerReader, page: Annotated[Page, Query()]) -> Response:
    """List sources, in order of number."""
    return await call.show(
        lambda tx: page.filled(
            lambda limit: tx.registry.page(Source, call.organization_id, after=page.position, limit=limit),
            lambda source: source.number,
            lambda source: _shown(tx, call, source),
        )
    )


@router.get("/{source_id}", summary="Show a source", responses=answers("Source", "The source."))
async def get_source(call: OwnerReader, source_id: str) -> Response:
    """Show a source; of secrets the last 4 characters. Its tag is that of its settings, whatever messages come."""
    seen = await call.read(lambda tx: _shown(tx, call, found(tx, Source, call.organization_id, source_id)))
    response = rendered(Answer(200, seen))
    response.headers["ETag"] = preconditions.tag(msgspec.json.encode(views.settings(seen)))
    return response


@router.patch("/{source_id}", summary="Change a source", responses=answers("Source", "The source."))
async def update_source(call: Owner, source_id: str, body: SourcePatch) -> Response:
    """Change a source. Disabled, it answers 403 and keeps nothing. `unverified: true` forgets its secrets."""

    def work(tx: Tx) -> Answer:
        organization = organizations.get(tx, call.organization_id)
        source = sources.update(tx, organization, call.desk.dialects, source_id, body.sent())
        return shown(_shown(tx, call, source), *views.MOVING)

    return await call.write(work, of=lambda tx: _tagged(tx, call, source_id))


@router.delete("/{source_id}", status_code=204, summary="Delete a source", responses=nothing("Deleted."))
async def delete_source(call: Owner, source_id: str) -> Response:
    """Delete a source: its URL is unknown at once. What it brought stays, and what waits is still worked off."""

    def work(tx: Tx) -> Answer:
        sources.delete(tx, organizations.get(tx, call.organization_id), source_id)
        return gone()

    return await call.write(work, of=lambda tx: _tagged(tx, call, source_id))


@router.post(
    "/{source_id}/rotate",
    status_code=201,
    summary="Give a source a new secret or URL",
    responses=answers("Source", "The source; with new_url, its new ingest URL.", status=201),
)
async def rotate_source(call: Owner, source_id: str, body: SourceRotation | None = None) -> Response:
    """Give a source the platform's new secret, beside which the old ones verify for a while. `new_url` ends the old one."""
    wish = body or SourceRotation()

    def work(tx: Tx) -> Answer:
        source = sources.rotate(
            tx,
            organizations.get(tx, call.organization_id),
            call.desk.dialects,
            source_id,
            secret=wish.secret,
            overlap_ms=wish.overlap_seconds * 1000,
            token=wish.new_url,
        )
        return created(_shown(tx, call, source), "ingest_url")

    return await call.write(work, of=lambda tx: _tagged(tx, call, source_id))


def _shown(tx: Tx, call: Call, source: Source) -> objects.Source:
    """Return a source as a JSON object; its URL lets in whoever knows it, so only admins see it."""
    base = call.desk.public_url or "" if call.identity.scope == "admin" else None
    return views.source(tx, call.desk.dialects, source, base=base)


def _tagged(tx: Tx, call: Call, source_id: str) -> dict[str, Any]:
    return views.settings(_shown(tx, call, found(tx, Source, call.organization_id, source_id)))
