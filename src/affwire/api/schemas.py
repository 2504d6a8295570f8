"""The OpenAPI description beyond what the framework sees: problems, keys, and what is answered (api/described.py)."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from affwire.api.described import components as answered
from affwire.api.openapi_webhooks import TOKEN, TOKEN_SCHEME, webhooks

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
    components.setdefault("schemas", {}).update({**answered(), "Problem": _PROBLEM})
    components["securitySchemes"] = {"apiKey": {"type": "http", "scheme": "bearer"}, TOKEN: TOKEN_SCHEME}
    document["security"] = [{"apiKey": []}]
    document["webhooks"] = webhooks(app.state.desk.dialects)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "post" and path.startswith("/v1/"):
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    return document
