"""One message: as it came, as it is read, what it changed and whom that was told; and what can be done about it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from affwire.console import bodies, states
from affwire.console.advice import Advice
from affwire.console.pages.deliveries import status_badge
from affwire.console.pages.events import name_of
from affwire.console.pages.inbox import PATH
from affwire.console.routes import Action, Answer, Page, Route
from affwire.console.visit import Visit
from affwire.dialects.base import Dialect
from affwire.errors import NotFound, Undecodable
from affwire.model.deliveries import Delivery
from affwire.model.events import Event
from affwire.model.inbound import Kept, Source
from affwire.model.reading import Reading
from affwire.model.registry import Affiliate
from affwire.rules.losses import losses
from affwire.services import inbox
from affwire.store import timeline
from affwire.store.tx import Tx

_ONE: Final = f"{PATH}/{{message_id}}"


class Read(Struct, frozen=True):
    """A message in the words of this registry. `reason`: why it cannot be read."""

    events: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    unread: Sequence[str] = ()
    reason: str | None = None


class Became(Struct, frozen=True):
    """An event that a message became: what changed, from what, and to whom it was told."""

    event: Event
    about: str
    changed: Sequence[tuple[str, str]]
    deliveries: Sequence[Delivery]


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return a message with all that is known of it. Raises NotFound."""
    message = inbox.get(tx, visit.organization_id, visit.path["message_id"])
    dialect = visit.desk.dialects.get(message.dialect)
    about = message.affiliate_id and tx.registry.get(Affiliate, visit.organization_id, message.affiliate_id)
    return {
        "title": message.word or ("Not genuine" if message.status == "rejected" else "Unreadable"),
        "message": message,
        "path": f"{PATH}/{message.id}",
        "tone": states.MESSAGES[message.status].tone,
        "meaning": states.MESSAGES[message.status].meaning,
        "source": tx.registry.get_even_deleted(Source, visit.organization_id, message.source_id),
        "about": about,
        "advice": _advice(message),
        "body": None if message.body is None else bodies.shown(message.body),
        "read": read(dialect, message) if message.body is not None else None,
        "became": (became := _became(tx, message)),
        "endpoints": tx.registry.endpoints(sorted({one.endpoint_id for own in became for one in own.deliveries})),
        "status_badge": status_badge,
        "titled": dialect.card.title if dialect else message.dialect,
        "signs": dialect is not None and dialect.card.authentication.kind != "none",
        "acts": _acts(message),
    }


async def raw(visit: Visit) -> Response:
    """Answer a message's bytes as they came, to be kept and never shown. Raises NotFound."""
    message = await visit.read(lambda tx: inbox.get(tx, visit.organization_id, visit.path["message_id"]))
    if message.body is None:
        raise NotFound("message_erased", f"What {message.id} said was erased; only that it came is still known.")
    headers = {"Content-Disposition": f'attachment; filename="{message.id}"'}
    return Response(message.body, media_type="application/octet-stream", headers=headers)


async def reprocess(visit: Visit) -> Response:
    """Process it once more. Raises NotFound, Conflict."""
    message_id = visit.path["message_id"]
    await visit.run(lambda tx: inbox.reprocess(tx, visit.organization_id, visit.desk.dialects, message_id))
    return visit.go(f"{PATH}/{message_id}", f"{message_id} is in line again. Load the page to see what becomes of it.")


async def quarantine(visit: Visit) -> Response:
    """Set it aside. Raises NotFound, Conflict."""
    message_id = visit.path["message_id"]
    await visit.run(lambda tx: inbox.quarantine(tx, visit.organization_id, message_id))
    return visit.go(
        f"{PATH}/{message_id}", f"{message_id} is set aside until you release it: not processed, not dropped."
    )


async def release(visit: Visit) -> Response:
    """Have it processed after all. Raises NotFound, Conflict."""
    message_id = visit.path["message_id"]
    await visit.run(lambda tx: inbox.release(tx, visit.organization_id, visit.desk.dialects, message_id))
    return visit.go(f"{PATH}/{message_id}", f"{message_id} is released, and in line.")


async def verify(visit: Visit) -> Response:
    """Judge it anew, with the secret that was typed or those its source has now. Raises NotFound, Conflict."""
    message_id, secret = visit.path["message_id"], visit.sent("secret") or None
    _, doubt = await visit.run(
        lambda tx: inbox.verify(tx, visit.organization_id, visit.desk.dialects, message_id, secret)
    )
    said = "It is genuine." if doubt is None else f"It is still not genuine: {doubt.sentence}"
    return visit.go(f"{PATH}/{message_id}", said, good=doubt is None)


def read(dialect: Dialect | None, message: Kept) -> Read:
    """Return what a message says in the words of this registry; whatever its bytes are, it never raises."""
    if dialect is None:
        return Read(reason=f"The dialect {message.dialect} is not installed.")
    try:
        reading = dialect.decode(message.message)
    except Undecodable as error:
        return Read(reason=error.sentence)
    except Exception as error:  # noqa: BLE001 -- a dialect's own fault must not hide the message
        return Read(reason=f"The dialect could not read it ({type(error).__name__}).")
    return Read(reading.events, facts_of(reading), reading.unread)


def facts_of(reading: Reading) -> list[tuple[str, str]]:
    """Return what a reading tells, field by field; what happened is named apart."""
    names = {f"event.{one}" for one in reading.events}
    return [(one.field, bodies.said(one.field, one.value)) for one in losses(reading, []) if one.field not in names]


def _became(tx: Tx, message: Kept) -> list[Became]:
    events = tx.log.by_ids(message.events)
    said = timeline.of_events(tx.connection, message.events)
    found = [events[one] for one in message.events if one in events]
    return [
        Became(one, name_of(one), [(name, bodies.said(name, was)) for name, was in one.previous.items()], said[one.id])
        for one in found
    ]


def _acts(message: Kept) -> list[tuple[str, str]]:
    """Return what may be done with a message: the end of the action's path, and what its button says."""
    if message.body is None or message.status == "rejected":
        return []
    if message.status == "quarantined":
        return [("release", "Release")]
    again = [("reprocess", "Process again")] if message.status != "received" else []
    return [*again, ("quarantine", "Set aside")]


def _advice(message: Kept) -> Advice | None:
    """Return what went wrong with a message, why that mostly is, and what to do."""
    reason = message.reason or ""
    if message.status == "rejected":
        return Advice(
            f"It was refused with 401: {reason}",
            "Its source has another secret than the platform, or something on the way changed the body or a header.",
            "Judge it anew with the platform's secret; if that fits, give it to the source, too.",
        )
    if message.status == "parked":
        return Advice(
            f"It is kept, and was not carried out: {reason}",
            "It tells of something that this registry does not know or cannot be in, or its form is new.",
            "Mend what it names, then process it again; the platform need not send it anew.",
        )
    if message.status == "quarantined":
        return Advice(
            f"It is set aside: {reason}",
            "Somebody wanted to look first.",
            "Release it once it may be carried out.",
        )
    return None


ROUTES: Final[tuple[Route, ...]] = (
    Answer(f"{_ONE}.raw", raw),
    Page(_ONE, "inbox/page.html", view),
    Action(f"{_ONE}/reprocess", reprocess),
    Action(f"{_ONE}/quarantine", quarantine),
    Action(f"{_ONE}/release", release),
    Action(f"{_ONE}/verify", verify, scope="admin"),
)
