"""One source: its URL, what it trusts, what it brought; given new secrets and URLs, enabled, disabled, deleted."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from affwire.console import previews
from affwire.console.pages import inbox
from affwire.console.pages.sources import PATH, TONES, called, card_of, change, found_in, organization_of, state
from affwire.console.previews import Preview
from affwire.console.routes import Action, Page, Route
from affwire.console.visit import Visit
from affwire.errors import Refused
from affwire.services import sources
from affwire.store.tx import Tx

_ONE: Final = f"{PATH}/{{source_id}}"
OVERLAPS: Final = (("86400", "a day"), ("3600", "an hour"), ("604800", "7 days"), ("0", "not at all"))
"""Seconds for which the old secrets verify beside a new one."""
LATEST: Final = 10
"""Messages that a source's page shows."""
AUTHENTICITY: Final = {
    "signed+time": "Signed with a time: a message is its platform's, whole, and new.",
    "signed": "Signed: a message is its platform's, and whole.",
    "bearer": "A token: whoever knows it sent the message.",
    "none": "Nothing proves who sent a message.",
}
DEDUPE: Final = {
    "id": "Each message has an id: a repeat is known for certain.",
    "derived": "A repeat is known by what it says: its record, its time and its word together.",
    "none": "A repeat cannot be told from news.",
}


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return a source; its URL only for who may paste it. Raises NotFound."""
    source = found_in(visit, tx)
    card = card_of(visit, source.dialect)
    messages = inbox.of_source(tx, visit.organization_id, source.id, LATEST)
    badge = sources.badge(card, source)
    return {
        "title": called(visit, source),
        "source": source,
        "state": state(source),
        "path": f"{PATH}/{source.id}",
        "card": card,
        "ingest_url": visit.public_url + sources.ingest_path(tx, source) if visit.may("admin") else None,
        "badge": badge,
        "tone": TONES.get(badge.colour, "calm"),
        "authenticity": AUTHENTICITY.get(badge.authenticity, ""),
        "dedupe": DEDUPE.get(badge.dedupe, ""),
        "secrets": sources.live_secrets(source, tx.now),
        "overlaps": OVERLAPS,
        "parked": tx.inbox.parked(source.id)[0],
        "listing": inbox.LISTING,
        "columns": inbox.BRIEF,
        "rows": messages,
        "live_from": tx.inbox.last_position(),
    }


async def enable(visit: Visit) -> Response:
    """Have a source take messages again."""
    return await _switched(visit, "takes messages again.", enabled=True)


async def before_disabling(visit: Visit) -> Preview:
    """Show what comes of a source that takes nothing. Raises NotFound."""
    facts = [
        "What the platform sends is answered with 403 and not kept. Most platforms try again for a while, and then give up.",
        "Enabled again, it goes on with the same URL and secrets.",
    ]
    return await _asked(visit, "Disable {}?", facts, "Disable it")


async def disable(visit: Visit) -> Response:
    """Have a source take nothing. Raises NotFound."""
    return await _switched(visit, "takes no messages until you enable it.", enabled=False)


async def _switched(visit: Visit, said: str, *, enabled: bool) -> Response:
    source = await visit.read(lambda tx: found_in(visit, tx))
    await change(visit, source.id, {"enabled": enabled})
    return visit.go(f"{PATH}/{source.id}", f"{called(visit, source)} {said}")


async def before_moving(visit: Visit) -> Preview:
    """Show what comes of a new URL. Raises NotFound."""
    facts = [
        "The URL it has now takes nothing from that moment on: what the platform sends there is lost unless it tries again.",
        "Paste the new URL at the platform at once.",
    ]
    return await _asked(visit, "A new URL for {}?", facts, "Give it a new URL")


async def move(visit: Visit) -> Response:
    """Give a source a new URL. Raises NotFound."""
    source = await visit.read(lambda tx: found_in(visit, tx))
    await _rotate(visit, source.id, secret=None, overlap_ms=0, token=True)
    return visit.go(f"{PATH}/{source.id}", f"{called(visit, source)} has a new URL: paste it at the platform.")


async def rotate(visit: Visit) -> Response:
    """Add the platform's new secret beside the old ones. Raises NotFound, Refused, Conflict."""
    secret, overlap = visit.sent("secret"), visit.sent("overlap")
    if not secret:
        raise Refused("invalid_secret", "There is no secret in the field; copy it from the platform.", field="secret")
    if overlap not in dict(OVERLAPS):
        raise Refused("invalid_overlap", "Choose how long the old secrets still verify.")
    await _rotate(visit, visit.path["source_id"], secret=secret, overlap_ms=int(overlap) * 1_000, token=False)
    return visit.go(f"{PATH}/{visit.path['source_id']}", "The new secret verifies from now on.")


async def before_deleting(visit: Visit) -> Preview:
    """Show what stays of a source. Raises NotFound."""
    source = await visit.read(lambda tx: found_in(visit, tx))
    facts = [
        f"Its URL is unknown at once. The {source.seen:,} {'message' if source.seen == 1 else 'messages'} it brought stay.",
        "This cannot be undone.",
    ]
    return await _asked(visit, "Delete {}?", facts, "Delete the source")


async def delete(visit: Visit) -> Response:
    """Delete a source. Raises NotFound."""
    source = await visit.read(lambda tx: found_in(visit, tx))
    await visit.run(lambda tx: sources.delete(tx, organization_of(visit, tx), source.id))
    return visit.go(PATH, f"{called(visit, source)} is deleted.")


async def _asked(visit: Visit, title: str, facts: Sequence[str], button: str) -> Preview:
    source = await visit.read(lambda tx: found_in(visit, tx))
    titled = title.replace("{}", called(visit, source))
    return Preview(title=titled, facts=facts, button=button, back=f"{PATH}/{source.id}")


async def _rotate(visit: Visit, source_id: str, **wish: Any) -> None:
    await visit.run(lambda tx: sources.rotate(tx, organization_of(visit, tx), visit.desk.dialects, source_id, **wish))


ROUTES: Final[tuple[Route, ...]] = (
    Page(_ONE, "sources/page.html", view),
    Action(f"{_ONE}/rotate", rotate, scope="admin"),
    Action(f"{_ONE}/enable", enable, scope="admin"),
    *previews.asked(f"{_ONE}/disable", before_disabling, disable, "admin"),
    *previews.asked(f"{_ONE}/move", before_moving, move, "admin"),
    *previews.asked(f"{_ONE}/delete", before_deleting, delete, "admin"),
)
