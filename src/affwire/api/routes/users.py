"""Users of the console: added, given roles and sign-in links. An organization's key sees its own, the operator's all."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.responses import Response

from affwire.api.bodies import Body, NoFields, Patch
from affwire.api.calls import Call, allowing
from affwire.api.fields import Name
from affwire.api.pages import FilterText, Page
from affwire.api.paths import Route
from affwire.api.schemas import answers, pages
from affwire.api.writing import Answer, created, shown
from affwire.errors import NotFound
from affwire.model.times import rfc3339
from affwire.model.users import Role, User
from affwire.services import sessions, users
from affwire.services.organizations import OPERATOR
from affwire.store.tx import Tx

router: Final = APIRouter(prefix="/users", tags=["users"], route_class=Route)

PersonnelManager = Annotated[Call, Depends(allowing(OPERATOR, "admin"))]
Email = Annotated[str, Field(min_length=3, max_length=320)]


class UserPage(Page):
    """The query of a list of users. `organization_id`: for the operator; left out, the operators themselves."""

    organization_id: FilterText | None = None


class NewUser(Body):
    """A user to be added. `organization_id`: for the operator; left out, another operator."""

    email: Email
    role: Role
    name: Name = ""
    organization_id: FilterText | None = None


class UserPatch(Patch):
    """What changes. Disabling signs the user out everywhere, at once."""

    role: Role | None = None
    disabled: bool | None = None
    password: Annotated[str, Field(min_length=1, max_length=users.PASSWORD_CHARACTERS_MAX)] | None = None


@router.post("", status_code=201, summary="Add a user", responses=answers("UserDetails", "The user.", status=201))
async def create_user(call: PersonnelManager, body: NewUser) -> Response:
    """Add somebody who may sign in to the console: by a link (below), or by a password once one is set."""
    organization_id = _asked(call, body.organization_id)

    def work(tx: Tx) -> Answer:
        user = users.add(tx, email=body.email, role=body.role, name=body.name, organization_id=organization_id)
        return created(users.shown(user))

    return await call.write(work)


@router.get("", summary="List users", responses=pages("UserDetails", "A page of users."))
async def list_users(call: PersonnelManager, page: Annotated[UserPage, Query()]) -> Response:
    """List an organization's users, disabled ones too, the oldest first."""
    organization_id = _asked(call, page.organization_id)
    return await call.show(
        lambda tx: page.filled(
            lambda limit: tx.people.page(organization_id, after=page.place, limit=limit),
            lambda user: user.id,
            users.shown,
        )
    )


@router.get("/{user_id}", summary="Show a user", responses=answers("UserDetails", "The user."))
async def get_user(call: PersonnelManager, user_id: str) -> Response:
    """Show a user, named by id or e-mail address."""
    return await call.show_one(lambda tx: users.shown(_found(tx, call, user_id)))


@router.patch("/{user_id}", summary="Change a user", responses=answers("UserDetails", "The user."))
async def update_user(call: PersonnelManager, user_id: str, body: UserPatch) -> Response:
    """Change a user's role or password, disable or enable one. It holds for the user's next request, everywhere."""
    password_hash = await _hashed(call, body.password)

    def work(tx: Tx) -> Answer:
        user = _found(tx, call, user_id)
        if body.role is not None and body.role != user.role:
            user = users.change_role(tx, user, body.role)
        if password_hash is not None:
            user = users.set_password(tx, user, password_hash)
        if body.disabled is not None and body.disabled != (user.disabled_at is not None):
            user = (users.disable if body.disabled else users.enable)(tx, user)
        return shown(users.shown(user))

    return await call.write(work, of=lambda tx: users.shown(_found(tx, call, user_id)))


@router.post(
    "/{user_id}/link",
    status_code=201,
    summary="Make a sign-in link",
    responses=answers("SignInPath", "The link's path, this once.", status=201),
)
async def make_link(call: PersonnelManager, user_id: str, body: NoFields | None = None) -> Response:  # noqa: ARG001 -- refuses what it does not know
    """Make a link that signs the user in once, within 15 minutes: `path` below the console's address. Older ones end."""

    def work(tx: Tx) -> Answer:
        user = _found(tx, call, user_id)
        made = sessions.invite(tx, user)
        return created({"path": made.path, "expires_at": rfc3339(made.expires_at)}, "path")

    return await call.write(work)


def _asked(call: Call, organization_id: str | None) -> str | None:
    """Return whose users are meant: a key's own organization's; the operator says. Raises NotFound for another's."""
    if call.identity.scope == OPERATOR:
        return organization_id
    if organization_id not in {None, call.organization_id}:
        raise NotFound("organization_not_found", f"There is no organization {organization_id}.")
    return call.organization_id


def _found(tx: Tx, call: Call, user_id: str) -> User:
    return users.get(tx, _asked(call, None), user_id)


async def _hashed(call: Call, password: str | None) -> str | None:
    """Return a password's hash, made beside the loop: it takes a tenth of a second."""
    if password is None:
        return None
    return await asyncio.to_thread(users.hashed, password, call.desk.world.secret_bytes(users.SALT_BYTES))
