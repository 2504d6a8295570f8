"""The OpenAPI description beyond what the framework sees: problems, keys, and records as the model itself has them."""

from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from msgspec import Struct, structs

from affwire.api.openapi_webhooks import TOKEN, TOKEN_SCHEME, webhooks
from affwire.model import canonical
from affwire.model.registry import Affiliate, Group, Link, Membership, Organization, Program, PromoCode

PROBLEM_RESPONSE: Final = {
    "description": "A problem (RFC 9457): `code` is stable, `errors` name the fields.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Repeat a request safely: the same key and request get the first answer, without its secrets.",
}
_RECORDS: Final = (Organization, Program, Affiliate, Membership, Group, Link, PromoCode)
_FACT: Final = {"type": "object", "additionalProperties": True}
_BATCH_RESULTS: Final = {
    "type": "object",
    "required": ["results"],
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["status", "body"],
                "properties": {
                    "status": {"type": "integer"},
                    "body": {"type": ["object", "null"], "additionalProperties": True},
                },
            },
        }
    },
}
_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What, which id, what to do."},
        "code": {"type": "string", "description": "Stable; the sentences may improve."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body."},
                    "parameter": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
    "additionalProperties": True,
}


def answers(schema: str, description: str, *, status: int = 200, **members: Any) -> dict[int | str, Any]:
    """Return a route's `responses`: one of that schema, with further members beside its own."""
    reference: dict[str, Any] = {"$ref": f"#/components/schemas/{schema}"}
    if members:
        reference = {"allOf": [reference, {"type": "object", "properties": members}]}
    return {status: {"description": description, "content": {"application/json": {"schema": reference}}}}


def pages(schema: str, description: str) -> dict[int | str, Any]:
    """Return the `responses` of a list."""
    listed = {
        "type": "object",
        "required": ["data", "next_cursor"],
        "properties": {
            "data": {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}},
            "next_cursor": {"type": ["string", "null"], "description": "Send as ?cursor= for the next page."},
        },
    }
    return {200: {"description": description, "content": {"application/json": {"schema": listed}}}}


def nothing(description: str) -> dict[int | str, Any]:
    """Return the `responses` of a deletion."""
    return {204: {"description": description}}


def install(app: FastAPI) -> None:
    """Have the app describe itself, once, when it is first asked."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the description


def _described(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(_components())
    components["securitySchemes"] = {"apiKey": {"type": "http", "scheme": "bearer"}, TOKEN: TOKEN_SCHEME}
    document["security"] = [{"apiKey": []}]
    document["webhooks"] = webhooks(app.state.desk.dialects)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "post" and path.startswith("/v1/"):
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    return document


_BACKUP: Final = {
    "type": "object",
    "required": ["path", "bytes", "created_at"],
    "properties": {
        "path": {"type": "string"},
        "bytes": {"type": "integer"},
        "created_at": {"type": "string", "format": "date-time"},
    },
}


def _components() -> dict[str, Any]:
    records = {kind.__name__: _record(kind) for kind in _RECORDS}
    others = dict.fromkeys(
        (
            "Key",
            "Endpoint",
            "Event",
            "EventWithEndpoints",
            "Rendering",
            "Delivery",
            "DeliveryWithAttempts",
            "TestSend",
            "Job",
            "EndpointHealth",
        ),
        _FACT,
    )
    return {**records, **others, "BatchResults": _BATCH_RESULTS, "Backup": _BACKUP, "Problem": _PROBLEM}


def _record(kind: type[Struct]) -> dict[str, Any]:
    """Return the schema of a record as canonical.record shows it."""
    described = msgspec.json.schema_components([kind])[1][kind.__name__]["properties"]
    shown = {name: _timed(name, part) for name, part in described.items() if name not in canonical.INTERNAL}
    for field in structs.fields(kind):
        shown.get(field.name, {}).pop("default", None)
    if kind is Affiliate:
        shown["name"] = {"type": ["string", "null"], "description": "First and last name."}
    return {"type": "object", "properties": shown, "required": sorted(shown)}


def _timed(name: str, described: dict[str, Any]) -> dict[str, Any]:
    if not name.endswith("_at"):
        return described
    kind: Any = ["string", "null"] if "anyOf" in described else "string"
    return {"type": kind, "format": "date-time"}
