"""The console as one ASGI app: who is there, what may they do, which page is it; and every failure is a page, too.

request -> static file? -> route -> who (session) -> where (organization) -> may they (role, form) -> the page
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final
from urllib.parse import parse_qs, quote

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import compile_path
from starlette.types import Receive, Scope, Send

from affwire.console import advice, assets, exports, pages, security
from affwire.console.app_paths import HOME, SIGN_IN
from affwire.console.desk import Desk
from affwire.console.pages import first
from affwire.console.parameters import ORGANIZATION, number_of
from affwire.console.rendering import Templates
from affwire.console.routes import Action, Answer, Nav, Open, Page, Route
from affwire.console.visit import NO_ORGANIZATION, SEE_OTHER, Guest, Repeated, Visit
from affwire.errors import NotFound, Refused, TooLarge, Unauthorized, WrongMethod
from affwire.model.problem import Problem, headers
from affwire.model.registry import Organization
from affwire.model.users import Session, User
from affwire.services import sessions
from affwire.store.tx import Tx

FORM_BYTES_MAX: Final = 1_048_576
"""1 MiB, as the API takes: a pasted body fits."""
FIELDS_MAX: Final = 2_000
_METHOD_MAX: Final = 20
ORGANIZATIONS_MAX: Final = 40
"""Offered for choice to an operator; any other is found by its name, in the field below them or in the URL."""


@dataclass(frozen=True, slots=True)
class _Known:
    pattern: re.Pattern[str]
    route: Route


@dataclass(frozen=True, slots=True)
class _Who:
    session: Session
    user: User
    organization: Organization | None
    organizations: tuple[Organization, ...]


class Console:
    """Serves every page."""

    def __init__(self, desk: Desk, modules: Sequence[Any] = pages.MODULES) -> None:
        self._desk = desk
        self._templates = Templates()
        self.routes: tuple[Route, ...] = tuple(chain.from_iterable(module.ROUTES for module in modules))
        self._known = [_Known(compile_path(route.path)[0], route) for route in self.routes]
        self._nav: tuple[Nav, ...] = tuple(chain.from_iterable(getattr(module, "NAV", ()) for module in modules))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request_id = self._desk.world.new_id("request")
        guest = Guest(self._desk, self._templates, Request(scope, receive), request_id)
        try:
            response = await self._answered(guest)
        except ClientDisconnect:
            return
        response.headers["X-Request-Id"] = request_id
        security.harden(response)
        await response(scope, receive, send)

    async def _answered(self, guest: Guest) -> Response:
        """Return the answer to a request, whatever goes wrong."""
        try:
            return await self._found(guest)
        except Refused as error:
            return self._refused(guest, error)
        except ClientDisconnect:
            raise
        except Exception:  # noqa: BLE001 -- a page that says so, and the reason in the log
            path = guest.request.url.path
            structlog.get_logger("affwire.console").exception("page.failed", request_id=guest.request_id, path=path)
            if exports.is_data(path):
                return exports.problem(Problem.internal(guest.request_id))
            return self._problem(guest, advice.internal(guest.request_id), 500)

    async def _found(self, guest: Guest) -> Response:
        request = guest.request
        path = request.url.path
        if path.startswith(assets.PREFIX):
            return self._asset(request.method, path)
        route, parameters = self._route(request.method, path)
        request.scope["path_params"] = parameters
        if request.method == "POST":
            security.check_origin(request, self._desk.public_url)
            guest = Guest(guest.desk, guest.templates, request, guest.request_id, await _form(request))
        if isinstance(route, Open):
            return await route.do(guest)
        if path == HOME and (link := request.query_params.get("token")):
            return RedirectResponse(f"{SIGN_IN}?token={quote(link, safe='')}", SEE_OTHER)
        token = security.token_of(request, self._desk.public_url)
        try:
            return await self._visited(guest, route, token)
        except Unauthorized:
            return self._to_sign_in(guest)

    def _asset(self, method: str, path: str) -> Response:
        """Return a static file. Raises NotFound, WrongMethod."""
        found = self._desk.assets.answer(path)
        if found is None:
            raise NotFound("page_not_found", "There is no such file.")
        _check_method(method, {"GET"})
        return found

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route of a path; raises NotFound, WrongMethod. HEAD is as GET, and the server leaves its body out."""
        found: dict[str, tuple[Route, dict[str, str]]] = {}
        for one in self._known:
            match = one.pattern.match(path)
            if match:
                found.setdefault(one.route.method, (one.route, match.groupdict()))
        if not found:
            raise NotFound("page_not_found", "There is no such page.")
        _check_method(method, found.keys())
        return found["GET" if method == "HEAD" else method]

    async def _visited(self, guest: Guest, route: Route, token: str | None) -> Response:
        if token is None:
            raise Unauthorized("session_ended")
        slug = guest.asked(ORGANIZATION)
        who = await self._desk.store.read(lambda tx: _who(tx, token, slug))
        visit = Visit(guest, token, who.user, who.organization, who.organizations, self._nav)
        try:
            return await self._served(visit, route, who.session)
        except Unauthorized:
            raise
        except Repeated:
            return visit.show(
                "repeated.html", {"title": "Done already", "back": self._above(guest.request.url.path)}, 409
            )
        except Refused as error:
            if exports.is_data(guest.request.url.path):
                raise
            if error.code == NO_ORGANIZATION:
                return visit.show(first.TEMPLATE, first.shown())
            found = advice.of(error)
            shown = visit.show("problem.html", {"title": found.happened, "advice": found}, error.http_status)
            shown.headers.update(headers(error))
            return shown

    def _above(self, path: str) -> str:
        """Return the page that a form's path stands under, from which one goes on; the path itself where there is none."""
        above = [path[:end] for end in range(len(path) - 1, 0, -1) if path[end] == "/"]
        pages = [one for one in self._known if isinstance(one.route, Page)]
        return next((one for one in above if any(known.pattern.match(one) for known in pages)), path)

    async def _served(self, visit: Visit, route: Route, session: Session) -> Response:
        visit.check(getattr(route, "scope", "read"))
        if isinstance(route, Action):
            security.check_form_token(visit.token, visit.sent("form_token"))
        self._note(session)
        if isinstance(route, Page):
            page = route
            context = await visit.read(lambda tx: page.view(visit, tx))
            visit.parameters.refuse_others()
            return visit.show(page.template, context)
        assert isinstance(route, (Answer, Action))  # noqa: S101 -- what is open was answered before
        response = await route.do(visit)
        if isinstance(route, Answer):
            visit.parameters.refuse_others()
        return response

    def _note(self, session: Session) -> None:
        """Write a session's use down once a minute; nobody waits for it, and it may be lost."""
        now = self._desk.world.now()
        if now - session.last_used_at < sessions.FRESH_MS:
            return
        work = self._desk.store.submit(lambda tx: tx.people.used(session.digest, session.user_id, tx.now))
        work.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _to_sign_in(self, guest: Guest) -> Response:
        """Send a browser to sign in, and back afterwards; whoever only wants data is told so."""
        request, path = guest.request, guest.request.url.path
        ended = Unauthorized("session_ended", "You are signed out.")
        if exports.is_data(path):
            return exports.problem(Problem.of(ended, guest.request_id))
        if request.method == "POST":
            back = security.came_from(request) or self._above(path)
            return self._problem(guest, replace(advice.of(ended), path=_sign_in(back)), 401)
        if request.method != "GET" or "text/event-stream" in request.headers.get("accept", ""):
            return self._problem(guest, advice.of(ended), 401)
        query = f"?{request.url.query}" if request.url.query else ""
        response = RedirectResponse(_sign_in(path + query), SEE_OTHER)
        security.take(response, request, self._desk.public_url)
        return response

    def _refused(self, guest: Guest, error: Refused) -> Response:
        """Say what was refused: on a page, or to who wants data as the API says it."""
        if exports.is_data(guest.request.url.path):
            return exports.problem(Problem.of(error, guest.request_id))
        response = self._problem(guest, advice.of(error), error.http_status)
        response.headers.update(headers(error))
        return response

    def _problem(self, guest: Guest, found: advice.Advice, status: int) -> Response:
        return guest.page("outside_problem.html", status, title=found.happened, advice=found)


def _sign_in(back: str) -> str:
    """Return where one signs in, and goes back to a page from there."""
    return f"{SIGN_IN}?next={quote(back, safe='')}"


def _check_method(method: str, known: Collection[str]) -> None:
    """Raise WrongMethod for one that is not known there."""
    allowed = sorted({*known, "HEAD"} if "GET" in known else known)
    if method not in allowed:
        raise WrongMethod("method_not_allowed", f"{method[:_METHOD_MAX]} is not possible here.", allow=allowed)


def _who(tx: Tx, token: str, slug: str | None) -> _Who:
    """Return who is there and at which organization. Raises Unauthorized, and NotFound for one that is not theirs."""
    session, user = sessions.find(tx, token)
    if user.organization_id is not None:
        own = tx.registry.organization(user.organization_id)
        mine = [own] if own else []
    else:
        mine = tx.registry.organizations(limit=ORGANIZATIONS_MAX)
    return _Who(session, user, _chosen(tx, user, mine, slug), tuple(mine))


def _chosen(tx: Tx, user: User, mine: Iterable[Organization], slug: str | None) -> Organization | None:
    if slug is None:
        return next(iter(mine), None)
    number = number_of(slug)
    numbered = [] if number is None else tx.registry.organizations(after=number - 1, limit=1)
    found = tx.registry.organization_by_slug(slug) if number is None else next(iter(numbered), None)
    if found is None or number not in {None, found.number} or user.organization_id not in {None, found.id}:
        raise NotFound("organization_not_found", "There is no such organization.")
    return found


async def _form(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form. Raises TooLarge."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES_MAX:
            raise TooLarge("body_too_large", f"The form is larger than {FORM_BYTES_MAX} bytes; send less at once.")
    try:
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise TooLarge("body_too_large", f"The form has more than {FIELDS_MAX} fields; send less at once.") from None
