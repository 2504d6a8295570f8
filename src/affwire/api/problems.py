"""Every refusal as RFC 9457 application/problem+json. Never echoes what was sent, never shows a traceback."""

import difflib
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, get_args

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from affwire.api import paths
from affwire.errors import Refused
from affwire.model.problem import MEDIA_TYPE, Problem

ERRORS_MAX: Final = 20
"""Errors listed in one answer: a person mends no more at once."""

_NAME_MAX: Final = 100
_QUOTED: Final = re.compile("'([^']*)'")
_CODES: Final = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "string_unicode": "text",
    "model_attributes_type": "object_needed",
}
_FROM_OUTSIDE: Final = {401: "unauthorized", 404: "route_not_found", 405: "method_not_allowed"}


def answer(problem: Problem) -> Response:
    """Return the answer that tells a problem."""
    body = problem.body(HTTPStatus(problem.status).phrase)
    return Response(body, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have the app answer every error as a problem."""

    async def refused(request: Request, error: Exception) -> Response:
        if not isinstance(error, Refused):
            raise error  # never: this handler is registered for Refused
        return answer(Problem.of(error, request.state.request_id))

    async def unreadable(request: Request, error: Exception) -> Response:
        problems = error.errors() if isinstance(error, RequestValidationError) else ()
        return answer(invalid(request, problems))

    async def outside(request: Request, error: Exception) -> Response:
        return answer(_outside(request, error))

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(RequestValidationError, unreadable)
    app.add_exception_handler(HTTPException, outside)


def _outside(request: Request, error: Exception) -> Problem:
    """A problem that the framework found: an unknown route, a method that is not there."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    sentence = {
        404: f"There is no {request.method} {paths.restored(request.url.path)[:_NAME_MAX]}; /openapi.json lists every route.",
        405: f"{request.method} is not possible here.",
    }
    return Problem(
        status=status,
        code=_FROM_OUTSIDE.get(status, "malformed_request"),
        detail=sentence.get(status, "The request cannot be read."),
        request_id=request.state.request_id,
        headers=dict(getattr(error, "headers", None) or {}),
    )


def invalid(request: Request, found: Sequence[Any]) -> Problem:
    """Return the problem of what pydantic found wrong with a request."""
    errors = tuple(_error(request, one) for one in found[:ERRORS_MAX])
    names = [one.get("pointer", "").lstrip("/") or one.get("parameter") or "the body" for one in errors]
    sentences = [f"{name}: {one['detail']}" for name, one in zip(names, errors, strict=True)]
    return Problem(
        status=422,
        code="invalid_request",
        detail=" ".join(sentences),
        request_id=request.state.request_id,
        errors=errors,
    )


def _error(request: Request, found: Any) -> dict[str, str]:
    place, *path = (str(part)[:_NAME_MAX] for part in found["loc"])
    where = (
        {"parameter": path[0] if path else place}
        if place in {"query", "path", "header"}
        else {"pointer": _pointer(path)}
    )
    detail = _unknown(request, found["loc"]) if found["type"] == "extra_forbidden" else _sentence(found)
    return {**where, "code": _CODES.get(found["type"], found["type"]), "detail": detail}


def _pointer(path: Sequence[str]) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def _sentence(found: Any) -> str:
    if len(found["loc"]) == 1 and found["type"] in {"missing", "model_attributes_type"}:
        return "A JSON object is needed."
    if found["type"] == "missing":
        return "This is required."
    if found["type"] == "literal_error":
        return f"{found['msg']}{hint(found['input'], _QUOTED.findall(found['ctx']['expected'])) or '.'}"
    return f"{found['msg']}."


def hint(given: Any, known: Sequence[str]) -> str:
    """Return which of the known names may have been meant, as the end of a sentence; nothing if none is near."""
    near = difflib.get_close_matches(str(given)[:_NAME_MAX], known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _unknown(request: Request, path: Sequence[Any]) -> str:
    """Say that there is no such field, and which one may have been meant."""
    known = _known(request, path)
    meant = hint(path[-1], known) or f"; there are: {', '.join(known)}."
    return f"There is no such {'parameter' if path[0] == 'query' else 'field'}{meant}"


def _known(request: Request, path: Sequence[Any]) -> list[str]:
    """Return the names that the model at this place has."""
    route = request.scope["route"]
    field = route.body_field if path[0] == "body" else route.dependant.query_params[0]
    model = _model(field.field_info.annotation)
    for part in path[1:-1]:
        inner = model.model_fields.get(part) if model and isinstance(part, str) else None
        model = _model(inner.annotation) if inner else None
    return [info.alias or name for name, info in model.model_fields.items()] if model else []


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the model in an annotation, `Model | None` too."""
    candidates = (annotation, *get_args(annotation))
    return next((one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)), None)
