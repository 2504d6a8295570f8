"""API keys: for programs of one's own. A key is shown once, when it is made; revoked, it opens nothing from then on."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from affwire.console import previews
from affwire.console.forms import Field, Form
from affwire.console.listing import Badge, Column, Listing, Loaded, Query
from affwire.console.previews import Preview
from affwire.console.routes import Action, Nav, Page, Route
from affwire.console.visit import Visit
from affwire.console.words import apart
from affwire.errors import NotFound
from affwire.services import organizations
from affwire.store.keys import ApiKey
from affwire.store.tx import Tx

PATH: Final = "/settings/keys"
SHOWN_MAX: Final = 200
"""Keys on the page; the API lists all of them."""
DAY_MS: Final = 86_400_000
_ONE: Final = f"{PATH}/{{key_id}}"
_SCOPES: Final = (
    ("read", "read: looks, changes nothing"),
    ("registry", "registry: programs, affiliates, memberships, sending again"),
    ("admin", "admin: everything, endpoints, sources and keys too"),
)
_LIVES: Final = (("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until it is revoked"))

FIELDS: Final = (
    Field("name", "Name", hint="What will use it: you will want to know when you revoke it.", required=True),
    Field("scope", "May", "choice", required=True, choices=lambda: _SCOPES),
    Field("days", "Works for", "choice", choices=lambda: _LIVES[:-1], hint="Left empty: until it is revoked."),
)


def load(visit: Visit, tx: Tx, query: Query) -> Loaded:
    """Return the organization's keys that are not revoked, the newest first unless the oldest are wanted."""
    found = tx.keys.page(visit.organization_id, after=None, limit=SHOWN_MAX)
    rows = [(one, one.expires_at is not None and one.expires_at <= tx.now) for one in found]
    return Loaded(rows if query.oldest else rows[::-1], None)


def new(visit: Visit, tx: Tx) -> Mapping[str, Any]:  # noqa: ARG001 -- a view
    """Return an empty form for a key."""
    return _edited(Form.of(FIELDS, scope="read", days="90"))


async def create(visit: Visit) -> Response:
    """Make a key and show it, this once; the form again, if something is not right."""
    form = Form.sent(FIELDS, visit.sent)
    if form.faults:
        return visit.show("edit.html", _edited(form), 422)
    days = form.values["days"]

    def made(tx: Tx) -> tuple[ApiKey, str]:
        expires_at = tx.now + int(days) * DAY_MS if days else None
        scope = form.values["scope"]
        return organizations.create_key(
            tx, visit.organization_id, name=form.values["name"], scope=scope, expires_at=expires_at
        )

    key, secret = await visit.run(made)
    context = {
        "title": f"The key “{apart(key.name)}”",
        "secret": secret,
        "sentences": [
            "It is shown this once: affwire keeps its digest only. Lost, it is replaced by another.",
            "Send it as Authorization: Bearer, or set it as AFFWIRE_API_KEY.",
        ],
        "back": PATH,
    }
    return visit.show("settings/once.html", context)


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return a key. Raises NotFound."""
    key = _found(visit, tx)
    return {"title": key.name, "key": key, "path": f"{PATH}/{key.id}", "scopes": dict(_SCOPES)}


async def before_revoking(visit: Visit) -> Preview:
    """Show what revoking a key ends. Raises NotFound."""
    key = await visit.read(lambda tx: _found(visit, tx))
    used = visit.words.ago(key.last_used_at) if key.last_used_at is not None else "never"
    facts = [
        f"1 key ends: whatever uses …{key.last4} is refused from then on. It was last used: {used}.",
        "This cannot be undone; another key can be made.",
    ]
    return Preview(title=f"Revoke “{apart(key.name)}”?", facts=facts, button="Revoke the key", back=PATH)


async def revoke(visit: Visit) -> Response:
    """Revoke a key. Raises NotFound, Conflict("last_admin_key")."""
    key = await visit.read(lambda tx: _found(visit, tx))
    await visit.run(lambda tx: organizations.revoke_key(tx, visit.organization_id, key.id))
    return visit.go(PATH, f"The key “{apart(key.name)}” is revoked.")


def _found(visit: Visit, tx: Tx) -> ApiKey:
    key = tx.keys.get(visit.organization_id, visit.path["key_id"])
    if key is None:
        raise NotFound("key_not_found", "There is no such key in this organization.")
    return key


def _edited(form: Form) -> dict[str, Any]:
    return {"title": "New API key", "form": form, "action": PATH, "back": PATH, "button": "Make the key"}


LISTING: Final = Listing(
    path=PATH,
    title="API keys",
    one="key",
    columns=(
        Column("name", "Name", lambda row: row[0].name, href=lambda row: f"{PATH}/{row[0].id}"),
        Column("scope", "May", lambda row: row[0].scope),
        Column("state", "State", lambda row: Badge("expired", "bad") if row[1] else Badge("works", "good"), "badge"),
        Column("last4", "Ends in", lambda row: row[0].last4, "code"),
        Column("last_used_at", "Last used", lambda row: row[0].last_used_at, "ago"),
        Column("expires_at", "Expires", lambda row: row[0].expires_at, "time"),
        Column("created_at", "Made", lambda row: row[0].created_at, "time", first=False),
        Column("id", "Id", lambda row: row[0].id, "id", first=False, chosen=False),
    ),
    load=load,
    row_id=lambda row: row[0].id,
    row_path=lambda row: f"{PATH}/{row[0].id}",
    empty=("No key: nothing can use the API here.", "affwire keys create --scope read"),
    template="settings/keys.html",
    scope="admin",
)

NAV: Final = (Nav("Settings", "API keys", PATH, "admin"),)
ROUTES: Final[tuple[Route, ...]] = (
    *LISTING.routes(),
    Page(f"{PATH}/new", "edit.html", new, scope="admin"),
    Action(PATH, create, scope="admin"),
    Page(_ONE, "settings/key.html", view, scope="admin"),
    *previews.asked(f"{_ONE}/revoke", before_revoking, revoke, "admin"),
)
