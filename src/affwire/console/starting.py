"""What an empty page says to who starts: why there is nothing, and the commands that fill it, as this installation stands.

Rule: what is printed can be pasted as it is; a test runs each and looks whether the page is filled.
"""

from typing import TYPE_CHECKING, Final

from affwire.model.endpoints import Endpoint
from affwire.model.inbound import Source
from affwire.model.registry import Program
from affwire.services import applications
from affwire.store.tx import Tx

if TYPE_CHECKING:
    from affwire.console.visit import Visit

Nothing = tuple[str, str]
"""A sentence, and the commands."""

ENDPOINT: Final = "affwire endpoints add https://example.com/hooks --dialect standard"
TRIGGER: Final = "affwire trigger membership.activated"
_SOURCE: Final = "affwire sources create growi --unverified"


def deliveries(visit: "Visit", tx: Tx) -> Nothing:
    """Return how something is sent: an event, and an endpoint that hears of it."""
    if tx.registry.find(Endpoint, visit.organization_id):
        return (
            "Nothing has been sent yet. This makes an event, and each endpoint that hears of it gets a delivery:",
            TRIGGER,
        )
    sentence = "Nothing has been sent yet, and there is no endpoint to send to. This adds one, and makes an event:"
    return sentence, f"{ENDPOINT}\n{TRIGGER}"


def inbox(visit: "Visit", tx: Tx) -> Nothing:
    """Return how a message comes in: at a source, whose platform is played."""
    sources = sorted(tx.registry.find(Source, visit.organization_id), key=lambda one: (bool(one.secrets), one.number))
    if not sources:
        sentence = "Nothing has come in yet, and there is no source to send to. This makes one, and plays its platform:"
        return sentence, f"source=$({_SOURCE} | head -n 1)\naffwire inbox simulate $source"
    secret = ' --secret "$SECRET"' if sources[0].secrets else ""
    sentence = "Nothing has come in yet: platforms send messages to the URL of a source. This plays one:"
    return sentence, f"affwire inbox simulate {sources[0].id}{secret}"


def mails(visit: "Visit", tx: Tx) -> Nothing:
    """Return how somebody gets a mail: by applying on a program's page."""
    public = next((one for one in tx.registry.find(Program, visit.organization_id) if one.is_public), None)
    page = visit.public_url + (applications.path(public) if public else f"{applications.PATH}$program")
    apply = f'curl "{page}" -H "Origin: {visit.public_url}" -d email=kim@example.com -d first_name=Kim'
    if public is not None:
        return "No mail yet: affiliates get one when they apply on a program's page. This applies:", apply
    sentence = "No mail yet: affiliates get one when they apply on a program's page. This opens one, and applies:"
    return sentence, f"program=$(affwire programs create --name Spring --set is_public=true)\n{apply}"
