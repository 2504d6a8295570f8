"""The REST API as one ASGI app. Its pages of documentation come from nowhere else: no CDN is named."""

from collections.abc import Sequence
from types import ModuleType

from fastapi import FastAPI
from fastapi.routing import APIRoute

from affwire.api import problems, schemas
from affwire.api.desk import Desk
from affwire.api.envelope import Envelope
from affwire.api.known import KnownKeys
from affwire.api.routes import (
    affiliates,
    backups,
    batches,
    deliveries,
    endpoint_actions,
    endpoints,
    events,
    groups,
    health,
    jobs,
    keys,
    links,
    mails,
    memberships,
    messages,
    metrics,
    organizations,
    programs,
    promo_codes,
    sources,
    stats,
    streams,
    users,
)
from affwire.api.usage import Usage

V1 = (
    *(
        organizations,
        backups,
        stats,
        keys,
        users,
        programs,
        affiliates,
        memberships,
        groups,
        links,
        promo_codes,
        batches,
    ),
    *(endpoints, endpoint_actions, streams, events, deliveries, jobs, sources, messages, mails),
)


def create_app(desk: Desk) -> FastAPI:
    """Return the app: every route under /v1, /livez and /readyz, and the description at /openapi.json."""
    return _app(desk, V1)


def create_lookout(desk: Desk) -> FastAPI:
    """Return what a worker answers: health and metrics, and nothing of the API."""
    return _app(desk, (stats,))


def _app(desk: Desk, modules: Sequence[ModuleType]) -> FastAPI:
    app = FastAPI(
        title="affwire",
        summary="The wire between affiliate programs and everything that must know about them.",
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        responses={"default": schemas.PROBLEM_RESPONSE},
    )
    app.state.desk = desk
    app.state.usage = Usage()
    app.state.known_keys = KnownKeys(desk.store, desk.operator_digest)
    for module in modules:
        app.include_router(module.router, prefix="/v1")
    app.include_router(health.router)
    app.include_router(metrics.router)
    problems.install(app)
    schemas.install(app)
    app.add_middleware(Envelope, world=desk.world)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
