# ruff: noqa: RUF012 -- pydantic gives every instance a default of its own
"""Endpoints: a URL is judged before it is stored; secrets go in, and only their last 4 characters come out."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from starlette.responses import Response

from affwire.api.bodies import Body, Patch
from affwire.api.calls import Call, Owner, OwnerReader
from affwire.api.fields import Line, Text
from affwire.api.pages import Page
from affwire.api.paths import Route
from affwire.api.schemas import answers, nothing, pages
from affwire.api.wishes import PolicyWish, check_event_types, check_headers
from affwire.api.writing import Answer, created, gone, shown
from affwire.errors import Refused
from affwire.model.endpoints import Endpoint
from affwire.model.judged import JudgedUrl
from affwire.rules.signing import SECRET_MAX
from affwire.services import endpoints, organizations, views
from affwire.services.actions import found
from affwire.services.endpoints import Wish
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/endpoints", tags=["endpoints"], route_class=Route)

EVENT_TYPES_MAX: Final = 100
"""Names in a filter: twice as many as any dialect has."""
Secret = Annotated[str, Field(min_length=1, max_length=SECRET_MAX)]
Token = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,1024}$")]
"""A bearer token: printable ASCII without spaces (RFC 6750, 2.1)."""


class EndpointFields(Body):
    """What may be set of an endpoint. `event_types`: canonical names or the dialect's, `*` at the end allowed; none = all.

    `source_id`: the source that the same platform sends from; what came in from there is never sent back.
    """

    event_types: Annotated[list[Line], Field(max_length=EVENT_TYPES_MAX)] = []
    description: Text | None = None
    bearer_token: Token | None = None
    enabled: bool = True
    paused: bool = False
    policy: PolicyWish = PolicyWish()
    source_id: Line | None = None


class NewEndpoint(EndpointFields):
    """A new endpoint. Without a `secret`, a dialect that signs gets a new one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"url": "https://example.com/hooks", "dialect": "standard", "event_types": ["membership.*"]},
                {"url": "https://example.com/growi", "dialect": "growi", "policy": {"retry_schedule": [1, 5, 30]}},
            ]
        }
    )

    url: str
    dialect: Line
    secret: Secret | None = None
    headers: dict[str, str] | None = None
    options: dict[str, Line] = {}


class EndpointPatch(EndpointFields, Patch):
    """Changes of an endpoint; policy, headers and options are merged, null takes a part of them away."""

    url: str = ""
    secret: Secret = ""
    headers: dict[str, str | None] | None = None
    options: dict[str, Line | None] = {}


@router.post(
    "",
    status_code=201,
    summary="Create an endpoint",
    responses=answers(
        "Endpoint",
        "The endpoint and, this once, the secret that signs.",
        status=201,
        secret={"type": "string"},
        warning={"type": "string"},
    ),
)
async def create_endpoint(call: Owner, body: NewEndpoint) -> Response:
    """Create an endpoint. `warning` tells that the URL's name has no address yet."""
    if (before := await call.kept()) is not None:
        return before
    judged = await _judged(call, body.url)

    def work(tx: Tx) -> Answer:
        organization = organizations.get(tx, call.organization_id)
        wish = _wish(body, judged)
        if body.dialect in call.desk.dialects:
            _check(call, body.dialect, wish)
        endpoint, secret = endpoints.create(tx, organization, call.desk.dialects, body.dialect, wish)
        told = {"secret": secret} if secret else {}
        return created({**views.endpoint(tx, call.desk.dialects, endpoint), **told, **_warning(judged)}, *told)

    return await call.write(work)


@router.get("", summary="List endpoints", responses=pages("Endpoint", "A page of endpoints."))
async def list_endpoints(call: OwnerReader, page: Annotated[Page, Query()]) -> Response:
    """List endpoints, in order of number."""
    return await call.show(
        lambda tx: page.filled(
            lambda limit: tx.registry.page(Endpoint, call.organization_id, after=page.position, limit=limit),
            lambda endpoint: endpoint.number,
            lambda endpoint: views.endpoint(tx, call.desk.dialects, endpoint),
        )
    )


@router.get("/{endpoint_id}", summary="Show an endpoint", responses=answers("Endpoint", "The endpoint."))
async def get_endpoint(call: OwnerReader, endpoint_id: str) -> Response:
    """Show an endpoint with the policy in force; of secrets the last 4 characters."""
    return await call.show_one(lambda tx: endpoint_seen(tx, call, endpoint_id))


@router.patch(
    "/{endpoint_id}",
    summary="Change an endpoint",
    responses=answers("Endpoint", "The endpoint.", warning={"type": "string"}),
)
async def update_endpoint(call: Owner, endpoint_id: str, body: EndpointPatch) -> Response:
    """Change an endpoint. Pausing or disabling holds what waits; enabling releases it. A new secret replaces the old at once."""
    judged = await _judged(call, body.url) if "url" in body.model_fields_set else None

    def work(tx: Tx) -> Answer:
        organization = organizations.get(tx, call.organization_id)
        before = found(tx, Endpoint, organization.id, endpoint_id)
        wish = _wish(body, judged)
        if before.dialect in call.desk.dialects:
            _check(call, before.dialect, wish)
        endpoint = endpoints.update(tx, organization, call.desk.dialects, endpoint_id, wish)
        warned = _warning(judged)
        return shown({**views.endpoint(tx, call.desk.dialects, endpoint), **warned}, *warned)

    return await call.write(work, of=lambda tx: endpoint_seen(tx, call, endpoint_id))


@router.delete("/{endpoint_id}", status_code=204, summary="Delete an endpoint", responses=nothing("Deleted."))
async def delete_endpoint(call: Owner, endpoint_id: str) -> Response:
    """Delete an endpoint; what waits for it is cancelled."""

    def work(tx: Tx) -> Answer:
        endpoints.delete(tx, organizations.get(tx, call.organization_id), endpoint_id)
        return gone()

    return await call.write(work, of=lambda tx: endpoint_seen(tx, call, endpoint_id))


async def _judged(call: Call, url: str) -> JudgedUrl:
    try:
        return await call.desk.guard.judge(url)
    except Refused as error:
        raise Refused(error.code, error.sentence, field="url", **error.facts) from error


def _wish(body: NewEndpoint | EndpointPatch, judged: JudgedUrl | None) -> Wish:
    sent = body.sent("url", "dialect")
    apart = {name: sent.pop(name) for name in ("secret", "bearer_token", "headers") if name in sent}
    if isinstance(body, NewEndpoint) and "policy" in sent:
        sent["policy"] = {name: part for name, part in sent["policy"].items() if part is not None}
    return Wish(url=judged or msgspec.UNSET, fields=sent, **apart)


def _check(call: Call, dialect: str, wish: Wish) -> None:
    card = call.desk.dialects[dialect].card
    check_event_types(card, wish.fields.get("event_types", ()))
    if isinstance(wish.headers, dict):
        check_headers(call.desk.guard, wish.headers)


def _warning(judged: JudgedUrl | None) -> dict[str, str]:
    return {"warning": judged.warning} if judged and judged.warning else {}


def endpoint_seen(tx: Tx, call: Call, endpoint_id: str) -> dict[str, Any]:
    """Return an endpoint as its GET shows it; raises NotFound."""
    return views.endpoint(tx, call.desk.dialects, found(tx, Endpoint, call.organization_id, endpoint_id))
