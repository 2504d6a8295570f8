"""API keys of an organization. A key is shown once, in the answer that makes it."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from affwire.api.bodies import Body
from affwire.api.calls import Owner, OwnerReader
from affwire.api.fields import Instant, Name
from affwire.api.pages import Page
from affwire.api.paths import Route
from affwire.api.schemas import answers, nothing, pages
from affwire.api.writing import Answer, created, gone
from affwire.errors import Refused
from affwire.services import organizations, views
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/keys", tags=["keys"], route_class=Route)


class NewKey(Body):
    """A new key. Scopes: admin (all), registry (all but endpoints and keys), read (nothing is changed)."""

    scope: Literal["admin", "registry", "read"]
    name: Name = ""
    expires_at: Instant | None = None


@router.post(
    "",
    status_code=201,
    summary="Create an API key",
    responses=answers("Key", "The key's record and, this once, the key.", status=201, api_key={"type": "string"}),
)
async def create_key(call: Owner, body: NewKey) -> Response:
    """Create an API key; the answer holds `api_key`, which is never shown again."""

    def work(tx: Tx) -> Answer:
        if body.expires_at is not None and body.expires_at <= tx.now:
            raise Refused("already_expired", "expires_at is in the past.", field="expires_at")
        key, secret = organizations.create_key(
            tx,
            call.organization_id,
            name=body.name or f"{body.scope} key",
            scope=body.scope,
            expires_at=body.expires_at,
        )
        return created({**views.key(key), "api_key": secret}, "api_key")

    return await call.write(work)


@router.get("", summary="List API keys", responses=pages("Key", "A page of keys, without the keys themselves."))
async def list_keys(call: OwnerReader, page: Annotated[Page, Query()]) -> Response:
    """List the keys that are not revoked, the oldest first."""
    return await call.show(
        lambda tx: page.filled(
            lambda limit: tx.keys.page(call.organization_id, after=page.place, limit=limit),
            lambda key: key.id,
            views.key,
        )
    )


@router.delete("/{key_id}", status_code=204, summary="Revoke an API key", responses=nothing("Revoked."))
async def revoke_key(call: Owner, key_id: str) -> Response:
    """Revoke a key; requests with it are refused from this answer on."""

    def work(tx: Tx) -> Answer:
        organizations.revoke_key(tx, call.organization_id, key_id)
        return gone()

    return await call.write(work)
