"""A preview: what a change comes to and whom it tells, found by carrying it out and undoing it; then asked for once more.

Rule: it is a page of its own with all its state in the URL. Its form is sent to that URL, and what would by then come to
something else is not done, but shown again. Beyond TYPED_ABOVE the number has to be typed: a click is too little for so many.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, TypeVar

from starlette.responses import Response

from affwire.console.routes import Action as Act
from affwire.console.routes import Answer, Route
from affwire.console.visit import Visit
from affwire.services import moves
from affwire.services.actions import Action
from affwire.services.events import acting
from affwire.services.moves import Extent, Rehearsed
from affwire.store.tx import Tx

T = TypeVar("T")

TYPED_ABOVE: Final = 1_000
"""Records or deliveries."""
_MARK: Final = 16
"""Digits that tell one choice of records from another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a change comes to. `count`: the records that it changes; `chosen`: which; `extent`: whom it tells.

    `fields` are sent along with the confirmation; `options`: boxes to tick. Without `can` there is nothing to confirm.
    """

    title: str
    facts: Sequence[str]
    button: str
    back: str
    count: int = 0
    chosen: Iterable[str] = ()
    extent: Extent | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    options: Sequence[Mapping[str, str]] = ()
    danger: bool = False
    can: bool = True

    @property
    def told(self) -> int:
        """How many deliveries the change makes."""
        return self.extent.deliveries if self.extent else 0

    @property
    def typed(self) -> int | None:
        """The number to be typed, None if a click is enough."""
        return _typed(self.count, self.told)

    @property
    def shown(self) -> str:
        """What its form says was seen."""
        return _shown(self.count, self.told, self.chosen)


class Changed(Exception):
    """What was to be done is not what was shown, or not confirmed: nothing was done, and the preview is shown again."""


Look = Callable[[Visit], Awaitable[Preview | Response]]
"""Makes a preview, or sends the browser elsewhere where there is nothing to show one of."""
Deed = Callable[[Visit], Awaitable[Response]]
"""Does what was shown; asks `check` whether it still is. Raises Changed."""


def asked(path: str, look: Look, do: Deed, scope: str = "registry", *, always: bool = True) -> tuple[Route, ...]:
    """Return the routes of a change that is shown first: GET shows what it comes to, its form does it.

    Unless `always`, the deed itself asks `check_confirmed` where there is anything to show.
    """

    async def show(visit: Visit) -> Response:
        seen = await look(visit)
        return seen if isinstance(seen, Response) else _page(visit, seen)

    async def confirm(visit: Visit) -> Response:
        try:
            if always:
                check_confirmed(visit)
            return await do(visit)
        except Changed as changed:
            return visit.again(str(changed) or None)

    return Answer(path, show, scope), Act(path, confirm, scope)


def check(visit: Visit, *, count: int = 0, told: int = 0, chosen: Iterable[str] = ()) -> None:
    """Raise Changed unless the preview showed this. Within the deed's transaction, which that undoes."""
    seen = visit.sent("shown")
    if seen == _shown(count, told, chosen):
        return
    was = _counted(seen)
    how = f"{was:,} then, {count:,} now" if was != count else "it is about others now, or tells others"
    raise Changed(f"What this comes to has changed since you looked: {how}. Nothing was done.")


async def rehearse(visit: Visit, work: Callable[[Tx], T]) -> T:
    """Return what a work would return, and have it undone. Raises what it raises."""
    try:
        await visit.run(moves.rehearsed(work))
    except Rehearsed as done:
        result: T = done.result
        return result
    raise AssertionError


async def rehearse_action(visit: Visit, work: Callable[[Action], Any]) -> Extent:
    """Return what an action would say to whom."""
    return (await rehearse(visit, lambda tx: _acted(visit, tx, work)))[1]


async def act(visit: Visit, work: Callable[[Action], T], count: Callable[[Tx], int] = lambda _tx: 0) -> T:
    """Carry an action out, if it tells as many as its preview showed and is about as many. Raises Changed."""

    def checked(tx: Tx) -> T:
        many = count(tx)
        result, extent = _acted(visit, tx, work)
        check(visit, count=many, told=extent.deliveries)
        return result

    return await visit.run(checked)


def _acted(visit: Visit, tx: Tx, work: Callable[[Action], T]) -> tuple[T, Extent]:
    with acting(tx, visit.caller, visit.desk.dialects, visit.guest.request_id) as action:
        result = work(action)
    return result, moves.extent(tx, action.events)


def check_confirmed(visit: Visit) -> None:
    """Raise Changed unless the button was pressed, and the number typed where one is asked for."""
    if not visit.sent("confirmed"):
        raise Changed
    count, _, rest = visit.sent("shown").partition("-")
    wanted = _typed(_counted(count), _counted(rest))
    if wanted and visit.sent("typed").strip() != str(wanted):
        raise Changed(f"To do this, type {wanted} into the field. Nothing was done.")


def _typed(count: int, told: int) -> int | None:
    most = max(count, told)
    return most if most > TYPED_ABOVE else None


def _shown(count: int, told: int, chosen: Iterable[str]) -> str:
    return f"{count}-{told}-{sha256(' '.join(chosen).encode()).hexdigest()[:_MARK]}"


def _counted(seen: str) -> int:
    """Return the number that a mark begins with."""
    first = seen.partition("-")[0]
    return int(first) if first.isascii() and first.isdigit() and len(first) <= _MARK else 0


def _page(visit: Visit, preview: Preview) -> Response:
    return visit.show("preview.html", {"title": preview.title, "preview": preview})
