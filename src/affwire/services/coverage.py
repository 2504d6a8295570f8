"""Coverage: of everything an event tells, what each dialect carries, what it says otherwise and what it leaves out.

What is told is read back from the requests themselves, so this cannot promise more than what leaves.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from msgspec import UNSET, Struct

from affwire.dialects.base import Dialect
from affwire.errors import Undecodable
from affwire.model import sent
from affwire.model.reading import Reading
from affwire.model.wire import Message
from affwire.rules.losses import losses

FULL: Final = "standard"
"""The dialect that leaves nothing out: what it says is what there is to say."""
_ORDER: Final = ("event", "previous", "membership", "memberships", "affiliate", "links", "program", "organization")
State = Literal["kept", "changed", "missing"]


class Cell(Struct, frozen=True):
    """A fact in one dialect. `became`: what is told in its place, of a changed one."""

    state: State
    became: Any = None


class Fact(Struct, frozen=True):
    """One thing that the event tells, and what each dialect that says anything makes of it."""

    field: str
    value: Any
    cells: Mapping[str, Cell]


def of(rendering: sent.Rendering, dialects: Mapping[str, Dialect]) -> list[Fact]:
    """Return what an event tells, thing by thing; nothing where FULL says nothing or is not among the dialects."""
    readings = {view["dialect"]: _read(view, dialects[view["dialect"]]) for view in rendering["dialects"]}
    told = next(iter(readings.get(FULL) or []), None)
    if told is None:
        return []
    speaking = {name: _lost(told, back) for name, back in readings.items() if back}
    return [
        Fact(one.field, one.value, {name: lost.get(one.field, Cell("kept")) for name, lost in speaking.items()})
        for one in sorted(losses(told, []), key=lambda one: _rank(one.field))
    ]


def request_of(request: sent.RenderedRequest) -> Message:
    """Return a request that would leave as the far side gets it."""
    body = base64.b64decode(request["body"]) if request["body_base64"] else request["body"].encode()
    return Message(headers=tuple((name, value) for name, value in request["headers"]), body=body)


def _rank(field: str) -> int:
    """What happened comes first, what is the same for every event last."""
    kind = field.partition(".")[0].partition("[")[0]
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _read(view: sent.DialectView, dialect: Dialect) -> list[Reading]:
    """Return what a dialect's requests say; nothing of a dialect that is only written."""
    if dialect.card.inbound is None:
        return []
    found = []
    for request in view["requests"]:
        if request["reason"] is None:
            try:
                found.append(dialect.decode(request_of(request)))
            except Undecodable:  # passed on as it came, in words that mean nothing to the registry
                continue
    return found


def _lost(told: Reading, back: Sequence[Reading]) -> dict[str, Cell]:
    return {
        one.field: Cell("missing") if one.became is UNSET else Cell("changed", one.became) for one in losses(told, back)
    }
