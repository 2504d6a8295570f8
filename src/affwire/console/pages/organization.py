"""The organization: its name and time zone, and one webhook URL for each platform that has room for one only.

Rule: a bearer token goes in and never comes out; the page shows its last four characters.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.responses import Response

from affwire.console import editing, forms, previews
from affwire.console.forms import Field, Form
from affwire.console.previews import Preview
from affwire.console.routes import Action, Nav, Page, Route
from affwire.console.visit import Visit
from affwire.dialects.base import Card
from affwire.errors import NotFound, Refused
from affwire.model import canonical
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
    organization = organizations.get(tx, visit.organization_id)
    return _shown(visit, tx, editing.filled(Form.of(FIELDS, organization), canonical.record(organization)))


async def update(visit: Visit) -> Response:
    """Change name and time zone; the form again, if something is not right."""
    form = editing.sent(visit, FIELDS, visit.at)
    if not form.faults:
        try:
            await visit.run(lambda tx: _updated(visit, tx, form))
        except Refused as error:
            form = form.refused(error.facts.get("field"), error.sentence)
        else:
            return visit.go(PATH, f"{form.values['name']} is saved.")
    context = await visit.read(lambda tx: _shown(visit, tx, form))
    return visit.show("settings/organization.html", context, 422)


def _updated(visit: Visit, tx: Tx, form: Form) -> None:
    editing.check(visit, canonical.record(organizations.get(tx, visit.organization_id)))
    organizations.update(tx, visit.organization_id, form.changes(visit.at))


async def set_url(visit: Visit) -> Response:
    """Set a platform's webhook URL and its token, or take both away. Raises NotFound, Refused for a URL that is unfit."""
    card = _card(visit)
    url, token = visit.sent("url").strip(), visit.sent("token").strip()
    if not url:
        return visit.go(f"{PATH}/webhooks/{card.name}/take-away")
    if token and not _TOKEN.fullmatch(token):
        raise Refused("invalid_token", "A bearer token is printable ASCII without spaces.", field="bearer_token")
    judged = await visit.desk.guard.judge(url)
    forgotten = visit.sent("forget_token") == "1"
    await visit.run(lambda tx: _set(visit, tx, card, judged, None if forgotten else token or msgspec.UNSET))
    return visit.go(PATH, f"{card.title}'s webhook URL is set.")


async def before_taking_away(visit: Visit) -> Preview:
    """Show what taking a platform's webhook URL away cancels. Raises NotFound."""
    card, endpoint = _card(visit), await visit.read(lambda tx: _taken(visit, tx))
    backlog = await visit.read(lambda tx: tx.health.backlog(endpoint.id))
    count = backlog.pending + backlog.held + backlog.leased
    facts = [
        f"{endpoint.url} is told nothing any more.",
        f"{count:,} unfinished {'delivery is' if count == 1 else 'deliveries are'} cancelled.",
        "This cannot be undone; a URL can be set again, and hears of what happens from then on.",
    ]
    return Preview(title=f"Take {card.title}'s webhook URL away?", facts=facts, button="Take it away", back=PATH)


async def take_away(visit: Visit) -> Response:
    """Delete a platform's endpoint. Raises NotFound."""
    card, endpoint = _card(visit), await visit.read(lambda tx: _taken(visit, tx))
    await visit.run(lambda tx: endpoints.delete(tx, organizations.get(tx, visit.organization_id), endpoint.id))
    return visit.go(PATH, f"{card.title}'s webhook URL is taken away: it is told nothing any more.")


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


def _taken(visit: Visit, tx: Tx) -> Endpoint:
    """Return the endpoint of the path's platform. Raises NotFound."""
    card = _card(visit)
    endpoint = _endpoint(tx, visit.organization_id, card)
    if endpoint is None:
        raise NotFound("endpoint_not_found", f"{card.title} has no webhook URL, so there is nothing to take away.")
    return endpoint


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
    *previews.asked(f"{PATH}/webhooks/{{dialect}}/take-away", before_taking_away, take_away, "admin"),
)
