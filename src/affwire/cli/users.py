"""`affwire users`: who may sign in to the console of a running server."""

import sys
from typing import Annotated, Any, Final

import typer

from affwire.cli.registry import ASKS, Cursor, Limit, show_page
from affwire.cli.talking import at, talking
from affwire.cli.terminal import AsJson, say, show_json, tell
from affwire.errors import Refused

OPERATOR: Final = "With --operator the operator's key in AFFWIRE_ADMIN_KEY speaks, for operators and any organization."
app: Final = typer.Typer(
    no_args_is_help=True, help="Users: who may sign in to the console.", epilog=f"{ASKS} {OPERATOR}"
)

User = Annotated[str, typer.Argument(metavar="USER", help="The e-mail address, or the id: usr_...")]
AsOperator = Annotated[bool, typer.Option("--operator", help="Ask with the operator's key.")]
Role = Annotated[str, typer.Option(help="admin, editor or viewer.")]
Of = Annotated[str | None, typer.Option("--organization-id", help="With --operator: of this organization.")]
_PATH: Final = "/v1/users"


@app.command("add")
def add_user(
    email: Annotated[str, typer.Argument(help="The e-mail address.")],
    *,
    role: Role = "viewer",
    name: Annotated[str, typer.Option(help="What the person is called.")] = "",
    organization_id: Of = None,
    operator: AsOperator = False,
    as_json: AsJson = False,
) -> None:
    """Add a user, and print the id.

    Example: affwire users add ada@example.com --role editor
    """
    wish = {"email": email, "role": role, "name": name, "organization_id": organization_id}
    with talking(operator=operator) as client:
        made = client.post(_PATH, {key: value for key, value in wish.items() if value})
        if as_json:
            show_json(made)
            return
        print(made["id"])
        say(f"{email} may sign in with a link: affwire users link {email}{' --operator' * operator}")


@app.command("list")
def list_users(
    *,
    limit: Limit = 50,
    cursor: Cursor = None,
    organization_id: Of = None,
    operator: AsOperator = False,
    as_json: AsJson = False,
) -> None:
    """List the users.

    Example: affwire users list
    """
    with talking(operator=operator) as client:
        page = client.get(_PATH, limit=limit, cursor=cursor, organization_id=organization_id)
        columns = ("id", "email", "role", "name", "last_seen_at", "disabled_at")
        nothing = "There is no such user." if cursor else "There is no user yet; add one: affwire users add EMAIL"
        show_page(page, columns, nothing=nothing, as_json=as_json)


@app.command("role")
def change_role(
    user: User,
    role: Annotated[str, typer.Argument(help="admin, editor or viewer.")],
    *,
    operator: AsOperator = False,
    as_json: AsJson = False,
) -> None:
    """Give a user another role, from the next request on.

    Example: affwire users role ada@example.com viewer
    """
    _changed(user, {"role": role}, f"is {role}.", operator=operator, as_json=as_json)


@app.command("disable")
def disable_user(user: User, *, operator: AsOperator = False, as_json: AsJson = False) -> None:
    """Sign a user out everywhere and let nobody sign in as them.

    Example: affwire users disable ada@example.com
    """
    _changed(user, {"disabled": True}, "is disabled, and signed out everywhere.", operator=operator, as_json=as_json)


@app.command("enable")
def enable_user(user: User, *, operator: AsOperator = False, as_json: AsJson = False) -> None:
    """Let a disabled user sign in again.

    Example: affwire users enable ada@example.com
    """
    _changed(user, {"disabled": False}, "may sign in again.", operator=operator, as_json=as_json)


@app.command("password")
def set_password(user: User, *, operator: AsOperator = False, as_json: AsJson = False) -> None:
    """Give a user a password: typed twice, or one line on stdin. Signs the user out everywhere.

    Example: affwire users password ada@example.com
    """
    with talking(operator=operator) as client:
        changed = client.patch(at(_PATH, user), {"password": _typed()})
        tell(changed, "has a new password, and is signed out everywhere.", as_json=as_json)


@app.command("link")
def make_link(user: User, *, operator: AsOperator = False, as_json: AsJson = False) -> None:
    """Print a link that signs a user in once, within 15 minutes; links made before end.

    Example: affwire users link ada@example.com
    """
    with talking(operator=operator) as client:
        made = client.post(f"{at(_PATH, user)}/link")
        if as_json:
            show_json(made)
            return
        print(client.address + made["path"])
        say(f"It works once, until {made['expires_at']}; older links of {user} end now.")


def _changed(user: str, wish: dict[str, Any], became: str, *, operator: bool, as_json: bool) -> None:
    with talking(operator=operator) as client:
        tell(client.patch(at(_PATH, user), wish), became, as_json=as_json)


def _typed() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = typer.prompt("New password", hide_input=True)
    if typer.prompt("Once more", hide_input=True) != first:
        raise Refused("passwords_differ", "The two are not the same; nothing was changed.")
    return str(first)
