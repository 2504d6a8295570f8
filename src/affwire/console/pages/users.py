"""Users: who may sign in, as what; invited by a link that works once, disabled at once."""

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup
from starlette.responses import Response

from affwire.console.forms import Field, Form
from affwire.console.listing import Badge, Column, Listing, Loaded, Query
from affwire.console.routes import Action, Nav, Page, Route
from affwire.console.visit import Visit
from affwire.errors import Refused
from affwire.model.users import SCOPES, Invitation, User
from affwire.services import sessions, users
from affwire.store.tx import Tx

PATH: Final = "/settings/users"
SHOWN_MAX: Final = 200
"""Users on the page; the API lists all of them."""
_ONE: Final = f"{PATH}/{{user_id}}"
_MAY: Final = {
    "admin": "everything in this organization",
    "editor": "programs, affiliates and memberships; sends again",
    "viewer": "looks",
}

FIELDS: Final = (
    Field("email", "E-mail address", "email", required=True),
    Field("name", "Name", empty=""),
    Field(
        "role",
        "Role",
        "choice",
        required=True,
        choices=lambda: [(one, f"{one}: {_MAY[one]}") for one in SCOPES],
    ),
)


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return the organization's users, the newest first unless the oldest are wanted."""
    found = tx.people.page(visit.organization_id, after=None, limit=SHOWN_MAX)
    return Loaded(found if query.oldest else found[::-1], None)


def new(visit: Visit, tx: Tx) -> Mapping[str, Any]:  # noqa: ARG001 -- a view
    """Return an empty form for a user."""
    return _edited(Form.of(FIELDS, role="viewer"))


async def create(visit: Visit) -> Response:
    """Add a user and show the link that invites them; the form again, if something is not right."""
    form = Form.sent(FIELDS, visit.sent)
    if not form.faults:
        try:
            user, made = await visit.run(lambda tx: _added(tx, visit.organization_id, form.values))
        except Refused as error:
            form = form.refused(error.facts.get("field"), error.sentence)
        else:
            return _link(visit, user, made)
    return visit.show("edit.html", _edited(form), 422)


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return a user. Raises NotFound."""
    user = _found(visit, tx)
    return {"title": user.name or user.email, "user": user, "path": f"{PATH}/{user.id}", "roles": _MAY}


async def change_role(visit: Visit) -> Response:
    """Give a user another role. Raises NotFound, Refused, Conflict("last_admin")."""
    after = await visit.run(lambda tx: users.change_role(tx, _found(visit, tx), visit.sent("role")))
    return visit.go(f"{PATH}/{after.id}", f"{after.email} is {after.role} from now on.")


async def disable(visit: Visit) -> Response:
    """End a user's sessions and let nobody sign in as them. Raises NotFound, Conflict("last_admin")."""
    after = await visit.run(lambda tx: users.disable(tx, _found(visit, tx)))
    return visit.go(f"{PATH}/{after.id}", f"{after.email} is signed out, and cannot sign in any more.")


async def enable(visit: Visit) -> Response:
    """Let a disabled user sign in again. Raises NotFound."""
    after = await visit.run(lambda tx: users.enable(tx, _found(visit, tx)))
    return visit.go(f"{PATH}/{after.id}", f"{after.email} can sign in again.")


async def invite(visit: Visit) -> Response:
    """Make a link that signs a user in once, and show it. Raises NotFound."""
    user, made = await visit.run(lambda tx: _invited(tx, _found(visit, tx)))
    return _link(visit, user, made)


def _added(tx: Tx, organization_id: str, values: Mapping[str, Any]) -> tuple[User, Invitation]:
    return _invited(tx, users.add(tx, organization_id=organization_id, **values))


def _invited(tx: Tx, user: User) -> tuple[User, Invitation]:
    return user, sessions.invite(tx, user)


def _link(visit: Visit, user: User, made: Invitation) -> Response:
    words = visit.words
    once = Markup("It signs {} in, once, until {} ({}). Whoever has it is them: send it to nobody else.")
    context = {
        "title": f"A link for {user.email}",
        "secret": visit.public_url + made.path,
        "sentences": [
            once.format(user.email, words.time(made.expires_at), words.timezone),
            "It is shown this once. Another can be made at any time, and ends this one.",
        ],
        "back": f"{PATH}/{user.id}",
    }
    return visit.show("settings/once.html", context)


def _found(visit: Visit, tx: Tx) -> User:
    return users.get(tx, visit.organization_id, visit.path["user_id"])


def _edited(form: Form) -> dict[str, Any]:
    return {"title": "New user", "form": form, "action": PATH, "back": PATH, "button": "Add, and show the link"}


LISTING: Final = Listing(
    path=PATH,
    title="Users",
    one="user",
    columns=(
        Column("email", "Address", lambda user: user.email, href=lambda user: f"{PATH}/{user.id}"),
        Column("name", "Name", lambda user: user.name or None),
        Column("role", "Role", lambda user: user.role),
        Column(
            "state",
            "State",
            lambda user: Badge("disabled", "bad") if user.disabled_at is not None else Badge("can sign in", "good"),
            "badge",
        ),
        Column("last_seen_at", "Last seen", lambda user: user.last_seen_at, "ago"),
        Column("created_at", "Added", lambda user: user.created_at, "time", first=False),
        Column("id", "Id", lambda user: user.id, "id", first=False, chosen=False),
    ),
    load=load,
    row_id=lambda user: user.id,
    row_path=lambda user: f"{PATH}/{user.id}",
    empty=("Nobody but the operator can sign in here yet.", "affwire users add ada@example.com --role editor"),
    template="settings/users.html",
    scope="admin",
)

NAV: Final = (Nav("Settings", "Users", PATH, "admin"),)
ROUTES: Final[tuple[Route, ...]] = (
    *LISTING.routes(),
    Page(f"{PATH}/new", "edit.html", new, scope="admin"),
    Action(PATH, create, scope="admin"),
    Page(_ONE, "settings/user.html", view, scope="admin"),
    Action(f"{_ONE}/role", change_role, scope="admin"),
    Action(f"{_ONE}/disable", disable, scope="admin"),
    Action(f"{_ONE}/enable", enable, scope="admin"),
    Action(f"{_ONE}/link", invite, scope="admin"),
)
