"""The first run: while there is no organization, every page says so, and the operator makes the first here."""

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from affwire.console import forms
from affwire.console.forms import Field, Form
from affwire.console.routes import Action, Route
from affwire.console.visit import Repeated, Visit
from affwire.console.words import apart
from affwire.model.registry import Organization
from affwire.services import organizations
from affwire.store.tx import Tx

PATH: Final = "/settings/organization/first"
TEMPLATE: Final = "home/first.html"
COMMAND: Final = "affwire organizations create --slug acme --name Acme"
SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""As the API takes it."""
_OTHERS: Final = re.compile(r"[^a-z0-9]+")

FIELDS: Final = (
    Field("name", "Name", hint="Your company's, or your product's.", required=True),
    Field("slug", "Short name", hint="For links: a-z, 0-9, - and _. Empty: made of the name.", empty=""),
    Field(
        "timezone",
        "Time zone",
        "choice",
        "Of times on these pages, and of Growi's.",
        required=True,
        choices=forms.timezone_choices,
    ),
)


def shown(form: Form | None = None) -> Mapping[str, Any]:
    """Return what the page shows: the form, empty or as it was sent."""
    return {"title": "Welcome", "form": form or Form.of(FIELDS, timezone="UTC"), "path": PATH, "command": COMMAND}


async def create(visit: Visit) -> Response:
    """Make the first organization, and show its key this once; the form again, if something is not right."""
    form = Form.sent(FIELDS, visit.sent)
    slug = form.values.get("slug") or _slug(form.values.get("name", ""))
    if not form.faults and not SLUG.fullmatch(slug):
        form = form.refused("slug", "This is not 1 to 63 of a-z, 0-9, - and _, with a letter or digit first.")
    if form.faults:
        return visit.show(TEMPLATE, shown(form), 422)
    made, key = await visit.run(lambda tx: _created(tx, {**form.values, "slug": slug}))
    kept = visit.desk.machine.keep(made, key)
    sentences = [
        "This is its first API key, shown this once: affwire keeps its digest only. Lost, it is replaced by another.",
        "Programs send it as Authorization: Bearer; at a terminal elsewhere it is AFFWIRE_API_KEY.",
        *([f"Commands on the server's own machine find it in {kept}."] if kept else []),
    ]
    return visit.show(
        "settings/once.html",
        {"title": f"{apart(made.name)} is created", "secret": key, "sentences": sentences, "back": "/"},
    )


def _created(tx: Tx, fields: dict[str, Any]) -> tuple[Organization, str]:
    """Create the organization. Raises Repeated where there is one: the form came twice, or somebody was faster."""
    if tx.registry.organizations(limit=1):
        raise Repeated
    return organizations.create(tx, fields)


def _slug(name: str) -> str:
    return _OTHERS.sub("-", name.lower()).strip("-")[:63].rstrip("-")


ROUTES: Final[tuple[Route, ...]] = (Action(PATH, create, scope="admin"),)
