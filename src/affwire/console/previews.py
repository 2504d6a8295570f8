"""A preview: what a change will say to whom, found by carrying it out and undoing it; then asked for once more.

Beyond TYPED_ABOVE the number has to be typed: a click is too little for that many.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from affwire.console.visit import Visit
from affwire.errors import Refused
from affwire.services import moves
from affwire.services.actions import Action
from affwire.services.events import acting
from affwire.services.moves import Extent, Rehearsed
from affwire.store.tx import Tx

TYPED_ABOVE: Final = 1_000
"""Records or deliveries."""


async def rehearse(visit: Visit, work: Callable[[Tx], Any]) -> Any:
    """Return what a work would return, and have it undone. Raises what it raises."""
    try:
        await visit.run(moves.rehearsed(work))
    except Rehearsed as done:
        return done.result
    raise AssertionError


async def rehearse_action(visit: Visit, work: Callable[[Action], Any]) -> Extent:
    """Return what an action would say to whom."""

    def carried_out(tx: Tx) -> Extent:
        with acting(tx, visit.caller, visit.desk.dialects) as action:
            work(action)
        return moves.extent(tx, action.events)

    extent: Extent = await rehearse(visit, carried_out)
    return extent


def confirmed(visit: Visit) -> bool:
    """Return whether the preview's button was pressed. Raises Refused where the number to be typed is another."""
    if not visit.sent("confirmed"):
        return False
    wanted = visit.sent("count")
    if wanted and visit.sent("typed").strip() != wanted:
        raise Refused("not_confirmed", f"To do this, type {wanted} into the field; nothing was done.")
    return True


def page(
    visit: Visit,
    *,
    title: str,
    facts: Sequence[str],
    extent: Extent,
    action: str,
    button: str,
    back: str,
    fields: Sequence[tuple[str, str]] = (),
    count: int = 0,
    danger: bool = False,
    options: Sequence[Mapping[str, str]] = (),
) -> Response:
    """Show what a change would do, with a button that does it. `count`: records that change; `options`: boxes to tick."""
    most = max(count, extent.deliveries)
    context = {
        "title": title,
        "facts": facts,
        "extent": extent,
        "action": action,
        "button": button,
        "back": back,
        "fields": fields,
        "danger": danger,
        "options": options,
        "typed": most if most > TYPED_ABOVE else None,
        "can": True,
    }
    return visit.show("preview.html", context)
