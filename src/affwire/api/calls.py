"""A call: one request, by somebody who may make it. Every route under /v1 begins with one.

Scopes: operator (organizations only), admin (all of its organization), registry (all but endpoints and keys), read.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from affwire.api import preconditions
from affwire.api.desk import Desk, desk_of
from affwire.api.known import KnownKeys
from affwire.api.usage import Usage
from affwire.api.writing import Answer, kept, rendered, write
from affwire.errors import Busy, Forbidden, Malformed, Refused, Unauthorized
from affwire.services import organizations
from affwire.services.actions import Action
from affwire.services.events import acting
from affwire.services.organizations import OPERATOR, Identity
from affwire.store.tx import Tx

T = TypeVar("T")

_SCHEME: Final = "bearer"
_NAME_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Call:
    """An authenticated request at the desk."""

    desk: Desk
    request: Request
    identity: Identity

    @property
    def organization_id(self) -> str:
        """The caller's organization."""
        return self.identity.organization_id

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Return what `work` reads."""
        return await self.desk.store.read(work)

    async def follow(self, work: Callable[[Tx], T]) -> T:
        """As `read`, for a call that goes on: raises Unauthorized once its key is no longer good."""

        def looked(tx: Tx) -> T:
            organizations.authenticate(tx, _secret(self.request), self.desk.operator_digest)
            return work(tx)

        return await self.desk.store.read(looked)

    async def show(self, work: Callable[[Tx], object]) -> Response:
        """Answer 200 with what `work` reads."""
        return rendered(Answer(200, await self.desk.store.read(work)))

    async def show_one(self, work: Callable[[Tx], object]) -> Response:
        """As `show`, with an ETag; 304 if If-None-Match has it."""
        shown = await self.show(work)
        own = preconditions.tag(bytes(shown.body))
        shown.headers["ETag"] = own
        return preconditions.known(self.request, own) or shown

    async def kept(self) -> Response | None:
        """Return what this very request was answered before under its Idempotency-Key, None if it is new."""
        return await kept(self.request, self.desk, self.identity)

    async def write(self, work: Callable[[Tx], Answer], *, of: Callable[[Tx], object] | None = None) -> Response:
        """Answer what `work` writes; under an Idempotency-Key only once.

        `of` shows the record that is changed as its GET does: the write happens under If-Match and If-None-Match.
        """

        def transaction(tx: Tx) -> Answer:
            tx.by = self.identity.key_id or self.identity.scope
            if of is not None:
                preconditions.check(self.request, lambda: of(tx))
            return work(tx)

        return await write(self.request, self.desk, self.identity, transaction)

    async def act(self, work: Callable[[Action], Answer]) -> Response:
        """As `write`, with an action whose events are recorded when `work` is done; the path names the record."""

        def transaction(tx: Tx) -> Answer:
            preconditions.check_record(tx, self.request, self.organization_id)
            with acting(tx, self.identity.caller, self.desk.dialects, self.request.state.request_id) as action:
                answer = work(action)
            self.request.state.events = action.events  # for whoever traces
            return answer

        return await self.write(transaction)


async def authenticated(request: Request) -> Call:
    """Return the call of a known key; raises Unauthorized. A revoked key is refused from its revocation's answer on."""
    refuse_odd_parameters(request)
    desk, secret = desk_of(request), _secret(request)
    known: KnownKeys = request.app.state.known_keys
    identity = await known.identity(secret, desk.world.now())
    if identity.key_id is not None:
        _count(request, desk, identity.key_id)
    return Call(desk, request, identity)


def allowing(*scopes: str) -> Callable[[Request], Awaitable[Call]]:
    """Return the dependency that lets these scopes in and refuses all others with 403."""

    async def allowed(request: Request) -> Call:
        call = await authenticated(request)
        if call.identity.scope not in scopes:
            raise _forbidden(call.identity.scope, scopes)
        return call

    return allowed


Reader = Annotated[Call, Depends(allowing("admin", "registry", "read"))]
Writer = Annotated[Call, Depends(allowing("admin", "registry"))]
OwnerReader = Annotated[Call, Depends(allowing("admin", "read"))]
Owner = Annotated[Call, Depends(allowing("admin"))]
operator_only: Final = allowing(OPERATOR)
Operator = Annotated[Call, Depends(operator_only)]
Anybody = Annotated[Call, Depends(authenticated)]


def _count(request: Request, desk: Desk, key_id: str) -> None:
    """Count a key's request and, once a minute, have its use written down: nobody waits for that, and it may be lost."""
    usage: Usage = request.app.state.usage
    now = desk.world.now()
    request.state.headers = usage.count(key_id, now)
    if usage.notes(key_id, now):
        with suppress(Busy):
            desk.store.submit(lambda tx: tx.keys.used(key_id, now))


def refuse_odd_parameters(request: Request) -> None:
    """Refuse a parameter that is given twice: no route has one of several values, and either may have been meant.

    Routes that take a query have a model that refuses what it does not know; the others take none.
    """
    given = Counter(name[:_NAME_MAX] for name, _ in request.query_params.multi_items())
    again = next((name for name, times in given.items() if times > 1), None)
    if again is not None:
        raise Malformed("repeated_parameter", f"The parameter {again!r} is given more than once.", parameter=again)
    if given and not request.scope["route"].dependant.query_params:
        name = next(iter(given))
        raise Refused("unknown_parameter", f"This route takes no parameters, {name!r} neither.", parameter=name)


def _secret(request: Request) -> str:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not secret.strip():
        raise Unauthorized("key_missing")
    return secret.strip()


def _forbidden(scope: str, needed: tuple[str, ...]) -> Forbidden:
    if scope == OPERATOR:
        return Forbidden(
            "organization_key_needed",
            "The operator's key manages organizations only; use a key of the organization (its first came with its creation).",
            needed=list(needed),
        )
    if needed == (OPERATOR,):
        return Forbidden("operator_key_needed", "Only the operator's key may do that.", needed=list(needed))
    return Forbidden(
        "scope_insufficient",
        f"A key with scope {scope} may not do that; it takes one with scope {' or '.join(needed)}.",
        needed=list(needed),
    )
