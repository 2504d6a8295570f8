"""A visit: one request of a browser, by somebody who is signed in, at one organization. A guest: one by anybody.

Pages are handed a visit and need nothing else: it reads, it acts, it makes links, it answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from affwire.console import flashes, security
from affwire.console.desk import Desk
from affwire.console.parameters import ORGANIZATION, Parameters, named
from affwire.console.rendering import Templates
from affwire.console.routes import Nav
from affwire.console.words import Words
from affwire.errors import Forbidden, NotFound
from affwire.model.events import Actor
from affwire.model.registry import Organization
from affwire.model.users import User
from affwire.services import sessions
from affwire.services.actions import Action, Caller
from affwire.services.events import acting
from affwire.store.keys import KeptAnswer
from affwire.store.tx import Tx

T = TypeVar("T")

SEE_OTHER: Final = 303
NO_ORGANIZATION: Final = "no_organization"
"""The code of what is refused while there is no organization."""


class Repeated(Exception):
    """A form came again whose work was done: nothing was done again."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A request by anybody, before or without signing in."""

    desk: Desk
    templates: Templates
    request: Request
    request_id: str
    form: Mapping[str, list[str]] = field(default_factory=dict)
    parameters: Parameters = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", Parameters(self.request.query_params))

    @property
    def path(self) -> Mapping[str, str]:
        """What the route's path has in braces, by name."""
        return self.request.path_params

    def sent(self, name: str) -> str:
        """Return a field of the form, "" if it was left out."""
        return self.form.get(name, [""])[-1]

    def asked(self, name: str) -> str | None:
        """Return a parameter of the URL, None if it is not there or empty. Raises Malformed if it is there twice."""
        return self.parameters.get(name)

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """Return a page outside the frame of the console: sign-in, what affiliates see."""
        words = Words(self.desk.world.now())
        body = self.templates.render(template, asset=self.desk.assets.url, say=words, **context)
        return Response(body, status, media_type="text/html")


@dataclass(frozen=True, slots=True)
class Visit:
    """A request by a user. `organization` None: an operator, before there is any."""

    guest: Guest
    token: str
    user: User
    organization: Organization | None
    organizations: tuple[Organization, ...]
    nav: tuple[Nav, ...]

    @property
    def desk(self) -> Desk:
        """What the console works with."""
        return self.guest.desk

    @property
    def request(self) -> Request:
        """The request itself."""
        return self.guest.request

    @property
    def path(self) -> Mapping[str, str]:
        """What the route's path has in braces, by name."""
        return self.guest.path

    @property
    def organization_id(self) -> str:
        """The organization's id. Raises NotFound where there is none yet."""
        return self.at.id

    @property
    def at(self) -> Organization:
        """The organization. Raises NotFound where there is none yet."""
        if self.organization is None:
            raise NotFound(NO_ORGANIZATION, "There is no organization yet: create one first.")
        return self.organization

    @property
    def form_token(self) -> str:
        """What each of the page's forms must carry."""
        return security.form_token(self.token)

    @property
    def words(self) -> Words:
        """How values are said: in the organization's time zone, as of now."""
        zone = self.organization.timezone if self.organization else "UTC"
        return Words(self.desk.world.now(), zone)

    @property
    def public_url(self) -> str:
        """How the outside reaches this server, without a slash at its end: as it is set, else as this browser did."""
        return self.desk.public_url or str(self.request.base_url).rstrip("/")

    def shelled(self, command: str) -> str:
        """Return a command as a shell of the server's machine takes it, where an operator looks and the key is kept there."""
        machine = self.desk.machine
        if self.user.organization_id is not None or not machine.finds(self.organization):
            return command
        return f"{machine.shell}\n{command}"

    @property
    def caller(self) -> Caller:
        """The user as the actor of what they do in this organization. Raises NotFound where there is none yet."""
        return Caller(self.organization_id, Actor("user", self.user.id))

    def sent(self, name: str) -> str:
        """Return a field of the form, "" if it was left out."""
        return self.guest.sent(name)

    def sent_all(self, name: str) -> list[str]:
        """Return all values of a field of the form, as of check boxes."""
        return list(self.guest.form.get(name, []))

    @property
    def parameters(self) -> Parameters:
        """The parameters of the URL."""
        return self.guest.parameters

    def asked(self, name: str) -> str | None:
        """Return a parameter of the URL, None if it is not there or empty. Raises Malformed if it is there twice."""
        return self.parameters.get(name)

    def asked_all(self, name: str) -> list[str]:
        """Return all values of a parameter of the URL."""
        return self.parameters.every(name)

    @property
    def asks(self) -> dict[str, list[str]]:
        """What the URL asks for, by name; the organization is no part of it."""
        asks: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.request.url.query, keep_blank_values=True):
            asks.setdefault(name, []).append(value)
        asks.pop(ORGANIZATION, None)
        return asks

    def may(self, scope: str) -> bool:
        """Return whether the user may do what an API key with that scope may."""
        return self.user.may(scope)

    def check(self, scope: str) -> None:
        """Raise Forbidden unless the user may."""
        if not self.may(scope):
            raise Forbidden("role_insufficient", f"As {self.user.role} you may look, but not do that.", needed=scope)

    def url(self, path: str, /, **query: Any) -> str:
        """Return a link within the console: every one is made here. None values are left out."""
        pairs = [(name, value) for name, value in query.items() if value is not None]
        own = self.user.organization_id is None and self.organization is not None
        if own and self.organization is not None:
            pairs.append((ORGANIZATION, named(self.organization)))
        joint, asked = "&" if "?" in path else "?", urlencode(pairs, doseq=True)
        return f"{path}{joint}{asked}" if asked else path

    def here(self, /, **query: Any) -> str:
        """Return this page's link with some of its parameters changed; None takes one away."""
        asks = {name: list(filter(None, values)) for name, values in self.asks.items()}
        return self.url(self.request.url.path, **{**asks, **query})

    @property
    def same(self) -> str:
        """This page's link with all that it was asked."""
        return self.url(self.request.url.path, **self.asks)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Return what `work` reads."""
        return await self.desk.store.read(work)

    async def follow(self, work: Callable[[Tx], T]) -> T:
        """As `read`, for what goes on: raises Unauthorized once the session has ended."""

        def looked(tx: Tx) -> T:
            sessions.find(tx, self.token)
            return work(tx)

        return await self.read(looked)

    async def run(self, work: Callable[[Tx], T]) -> T:
        """Carry out what changes records that say no events: endpoints, sources, deliveries, jobs.

        Once for each form (`ui.token`), however often it is sent. Raises Repeated.
        """

        def transaction(tx: Tx) -> T:
            self._begin(tx)
            return work(tx)

        return await self.desk.store.run(transaction)

    async def act(self, work: Callable[[Action], T]) -> T:
        """Carry out what events tell of: programs, affiliates, memberships. They name the user as their actor.

        Once for each form, as `run`. Raises Repeated.
        """

        def transaction(tx: Tx) -> T:
            self._begin(tx)
            with acting(tx, self.caller, self.desk.dialects, self.guest.request_id) as action:
                return work(action)

        return await self.desk.store.run(transaction)

    def show(self, template: str, context: Mapping[str, Any], status: int = 200) -> Response:
        """Return a page in the frame of the console."""
        token, request = self.token, self.request
        body = self.guest.templates.render(
            template,
            visit=self,
            url=self.url,
            here=self.here,
            say=self.words,
            asset=self.desk.assets.url,
            flash=flashes.found(request, token),
            **{"title": "affwire", **context},
        )
        response = Response(body, status, media_type="text/html")
        flashes.clear(response, request)
        return response

    def go(self, path: str, said: str | None = None, *, good: bool = True, **query: Any) -> Response:
        """Send the browser on to a page, which shows what is `said` once."""
        return self._sent_to(self.url(path, **query), said, good=good)

    def again(self, said: str | None = None) -> Response:
        """Send the browser to the URL that a form was sent to, as to a page."""
        return self._sent_to(self.same, said, good=False)

    def _sent_to(self, link: str, said: str | None, *, good: bool) -> Response:
        response = RedirectResponse(link, SEE_OTHER)
        if said:
            secure = not security.is_local(self.request, self.desk.public_url)
            flashes.give(response, self.token, flashes.Flash(said, good), secure=secure)
        return response

    def _note_form(self, tx: Tx, organization_id: str) -> None:
        """Note a form as done, in the commit of what it does, where answers are kept under idempotency keys.

        No header can hold the name's line break, so no API caller uses it. Answers are kept longer than a session lives.
        What a form does in several transactions of one request is done once, too: the note names its request.
        """
        submission = self.sent("submission")
        if not submission:
            raise Forbidden("form_expired", "This form was made by an older page; load the page again and repeat it.")
        name = "form\n" + security.form_token(self.token, f"{self.request.url.path}\n{submission}")
        kept, own = tx.keys.kept(organization_id, name), self.guest.request_id.encode()
        if kept is None:
            tx.keys.keep(organization_id, name, KeptAnswer(fingerprint="form", status=200, body=own), tx.now)
        elif kept.body != own:
            raise Repeated

    def _begin(self, tx: Tx) -> None:
        """Hold the organization, and look again: a role may have changed since the request came in, a form have come twice."""
        if self.organization is not None:
            tx.hold(self.organization.id)
        _, user = sessions.find(tx, self.token)
        if user.role != self.user.role:
            raise Forbidden("role_changed", "Your role has just been changed; load the page again.")
        if self.organization is not None and self.request.method == "POST":
            self._note_form(tx, self.organization.id)
        tx.by = f"{user.id} {user.email}"
