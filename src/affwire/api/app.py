"""The REST API as one ASGI app. Its pages of documentation come from nowhere else: no CDN is named."""

from fastapi import FastAPI
from fastapi.routing import APIRoute

from affwire.api import problems, schemas
from affwire.api.desk import Desk
from affwire.api.envelope import Envelope
from affwire.api.routes import (
    affiliates,
    deliveries,
    endpoints,
    events,
    groups,
    health,
    keys,
    links,
    memberships,
    organizations,
    programs,
    promo_codes,
)

V1 = (
    *(organizations, keys, programs, affiliates, memberships, groups, links, promo_codes),
    *(endpoints, events, deliveries),
)


def create_app(desk: Desk) -> FastAPI:
    """Return the app: every route under /v1, /livez and /readyz, and the description at /openapi.json."""
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
    for module in V1:
        app.include_router(module.router, prefix="/v1")
    app.include_router(health.router)
    problems.install(app)
    schemas.install(app)
    app.add_middleware(Envelope, world=desk.world)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
