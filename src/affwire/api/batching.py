"""A batch's operations: found and checked by the single routes themselves, then carried out in one transaction.

A route that writes hands a work to its call. In a batch the call only takes it down; nothing is said twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from fastapi.routing import APIRoute
from msgspec import structs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from affwire.api import paths, problems
from affwire.api.calls import Call, refuse_odd_parameters
from affwire.api.routes import affiliates, groups, links, memberships, programs, promo_codes
from affwire.api.writing import Answer
from affwire.errors import NotFound, Refused
from affwire.model.problem import Problem
from affwire.services.actions import Action
from affwire.services.events import acting
from affwire.store.tx import Tx

Work = Callable[[Action], Answer]

OPERATIONS_MAX: Final = 1_000
"""Operations of one batch: its commit keeps others waiting for about a second at most."""
_CHECKED_AT_ONCE: Final = 50
"""Operations that are checked before other requests get their turn: a few milliseconds."""

_PREFIX: Final = "/v1"
_MODULES: Final = (programs, affiliates, memberships, groups, links, promo_codes)


class Rehearsed(Exception):
    """No error: carries the results of a dry run out of its transaction, which is undone."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__("a dry run")
        self.body = body


class _Pen:
    """Stands in a route for the call: takes down what would be done."""

    async def act(self, work: Work) -> Work:
        return work


async def plan(call: Call, operations: Sequence[tuple[str, str, Any]]) -> list[Work] | Response:
    """Return what each (method, path, body) is to do, or the problem of the first that its route would not take."""
    works: list[Work] = []
    for index, (method, path, body) in enumerate(operations):
        if index % _CHECKED_AT_ONCE == _CHECKED_AT_ONCE - 1:
            await asyncio.sleep(0)
        try:
            found = await _planned(call, method, path, body)
        except Refused as error:
            raise _at(error, index) from None
        if isinstance(found, Problem):
            return problems.answer(structs.replace(found, facts={**found.facts, "operation": index}))
        works.append(found)
    return works


def carry_out(tx: Tx, call: Call, works: Sequence[Work], *, emit: bool, dry_run: bool) -> Answer:
    """Carry out works in order, each as a request of its own. Raises what one raises, and Rehearsed for a dry run."""
    results, events = [], []
    for index, work in enumerate(works):
        try:
            with acting(tx, call.identity.caller, call.desk.dialects, emit=emit) as action:
                answer = work(action)
        except Refused as error:
            raise _at(error, index) from None
        results.append({"status": answer.status, "body": answer.body})
        events += action.events
    call.request.state.events = events  # for whoever traces
    body = {"results": results}
    if dry_run:
        raise Rehearsed(body)
    return Answer(201, body)


async def _planned(call: Call, method: str, path: str, body: Any) -> Work | Problem:
    request, route = _found(call, method, path)
    refuse_odd_parameters(request)
    values, errors = _values(request, route, body)
    if errors:
        return problems.invalid(request, errors)
    work: Work = await route.endpoint(**values, call=_Pen())
    return work


def _found(call: Call, method: str, path: str) -> tuple[Request, APIRoute]:
    """Return the operation as a request of its own, and the route that takes it. Raises NotFound("route_not_found")."""
    address = urlsplit(path) if path.startswith(f"{_PREFIX}/") else urlsplit("")
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": paths.routed(address.path).removeprefix(_PREFIX),
        "root_path": "",
        "query_string": address.query.encode(),
        "headers": [],
        "state": {"request_id": call.request.state.request_id},
    }
    for route in (route for module in _MODULES for route in module.router.routes if isinstance(route, APIRoute)):
        match, child = route.matches(scope)
        if match is Match.FULL and paths.NUL not in unquote(address.path):
            return Request({**scope, **child, "route": route}), route
    raise NotFound(
        "route_not_found", f"A batch has no operation {method} {path[:100]}; it takes the registry's writes."
    )


def _values(request: Request, route: APIRoute, body: Any) -> tuple[dict[str, Any], list[Any]]:
    """Return the route's arguments, checked by its own models, and what is wrong with them."""
    dependant = route.dependant
    parts: list[tuple[Any, Any, tuple[str, ...]]] = [
        (field, request.path_params[field.name], ("path", field.name)) for field in dependant.path_params
    ]
    parts += [(field, dict(request.query_params), ("query",)) for field in dependant.query_params]
    if route.body_field is not None and (body is not None or route.body_field.field_info.is_required()):
        parts.append((route.body_field, body, ("body",)))
    elif route.body_field is None and body is not None:
        raise Refused("body_unexpected", f"{request.method} takes no body here.", field="body")
    values, wrong = {}, []
    for field, given, place in parts:
        values[field.name], errors = field.validate(given, {}, loc=place)
        wrong += errors
    return values, wrong


def _at(error: Refused, index: int) -> Refused:
    error.facts["operation"] = index
    return error
