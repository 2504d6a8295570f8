"""The organization: its name and time zone, and one webhook URL for each platform that has room for one only.

Rule: a bearer token goes in and never comes out; the page shows its last four characters.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.responses import Response

from affwire.console import forms
from affwire.console.forms import Field, Form
from affwire.console.routes import Action, Nav, Page, Route
from affwire.console.visit import Visit
from affwire.dialects.base import Card
from affwire.errors import NotFound, Refused
from affwire.model.endpoints import Endpoint
from affwire.model.judged import JudgedUrl
from affwire.services import endpoints, organizations
from affwire.services.endpoints import Wish
from affwire.store.tx import Tx

PATH: Final = "/settings/organization"
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,1000}")

FIELDS: Final = (
    Field("name", "Name", required=True),
    Field(
        "timezone",
        "Time zone",
        "choice",
        "Of times on these pages, and of Growi's.",
        required=True,
        choices=forms.timezone_choices,
    ),
)


@dataclass(frozen=True, slots=True)
class Socket:
    """A platform with room for one webhook URL, and the endpoint that has it; None: none is set."""

    card: Card
    endpoint: Endpoint | None

    @property
    def takes_token(self) -> bool:
        """Whether its requests may carry a bearer token."""
        return self.card.authentication.kind == "bearer"


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return the organization's form and its webhook URLs."""
    return _shown(visit, tx, Form.of(FIELDS, organizations.get(tx, visit.organization_id)))


async def update(visit: Visit) -> Response:
    """Change name and time zone; the form again, if something is not right."""
    form = Form.sent(FIELDS, visit.sent, visit.at)
    if form.faults:
        context = await visit.read(lambda tx: _shown(visit, tx, form))
        return visit.show("settings/organization.html", context, 422)
    await visit.run(lambda tx: organizations.update(tx, visit.organization_id, form.changes(visit.at)))
    return visit.go(PATH, "Saved.")


async def set_url(visit: Visit) -> Response:
    """Set a platform's webhook URL and its token, or take both away. Raises NotFound, Refused for a URL that is unfit."""
    card = _card(visit)
    url, token = visit.sent("url").strip(), visit.sent("token").strip()
    if not url:
        return await _take_away(visit, card)
    if token and not _TOKEN.fullmatch(token):
        raise Refused("invalid_token", "A bearer token is printable ASCII without spaces.", field="bearer_token")
    judged = await visit.desk.guard.judge(url)
    forgotten = visit.sent("forget_token") == "1"
    await visit.run(lambda tx: _set(visit, tx, card, judged, None if forgotten else token or msgspec.UNSET))
    return visit.go(PATH, f"{card.title}'s webhook URL is set.")


async def _take_away(visit: Visit, card: Card) -> Response:
    """Ask once more, then delete a platform's endpoint."""
    endpoint = await visit.read(lambda tx: _endpoint(tx, visit.organization_id, card))
    if endpoint is None:
        return visit.go(PATH, f"{card.title} has no webhook URL.")
    if visit.sent("confirmed"):
        await visit.run(lambda tx: endpoints.delete(tx, organizations.get(tx, visit.organization_id), endpoint.id))
        return visit.go(PATH, f"{card.title} is told nothing any more.")
    backlog = await visit.read(lambda tx: tx.health.backlog(endpoint.id))
    waiting = backlog.pending + backlog.held
    context = {
        "title": f"Take {card.title}'s webhook URL away?",
        "facts": [
            f"{endpoint.url} is told nothing any more.",
            f"{waiting:,} {'delivery that waits for it is' if waiting == 1 else 'deliveries that wait for it are'} cancelled.",
            "This cannot be undone; a URL can be set again, and hears of what happens from then on.",
        ],
        "fields": [("url", "")],
        "action": f"{PATH}/webhooks/{card.name}",
        "button": "Take it away",
        "can": True,
        "back": PATH,
    }
    return visit.show("confirm.html", context)


def _shown(visit: Visit, tx: Tx, form: Form) -> dict[str, Any]:
    sockets = [Socket(card, _endpoint(tx, visit.organization_id, card)) for card in _single(visit)]
    return {"title": "Organization", "form": form, "path": PATH, "sockets": sockets}


def _single(visit: Visit) -> list[Card]:
    return [one.card for one in visit.desk.dialects.values() if one.card.endpoints_max == 1]


def _card(visit: Visit) -> Card:
    for card in _single(visit):
        if card.name == visit.path["dialect"]:
            return card
    raise NotFound("unknown_dialect", "There is no such platform with room for one webhook URL.")


def _endpoint(tx: Tx, organization_id: str, card: Card) -> Endpoint | None:
    return next(iter(tx.registry.find(Endpoint, organization_id, dialect=card.name)), None)


def _set(visit: Visit, tx: Tx, card: Card, judged: JudgedUrl, token: str | None | msgspec.UnsetType) -> None:
    wish = Wish(url=judged, bearer_token=token)
    organization = organizations.get(tx, visit.organization_id)
    endpoint = _endpoint(tx, organization.id, card)
    if endpoint is None:
        endpoints.create(tx, organization, visit.desk.dialects, card.name, wish)
    else:
        endpoints.update(tx, organization, visit.desk.dialects, endpoint.id, wish)


NAV: Final = (Nav("Settings", "Organization", PATH, "admin"),)
ROUTES: Final[tuple[Route, ...]] = (
    Page(PATH, "settings/organization.html", view, scope="admin"),
    Action(PATH, update, scope="admin"),
    Action(f"{PATH}/webhooks/{{dialect}}", set_url, scope="admin"),
)
