"""Moves: many memberships changed in one commit, each as a request of its own; and who would hear of it, beforehand.

Rule: what is shown before a change comes from the change itself, carried out in a transaction that is undone.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from msgspec import Struct

from affwire.dialects.base import Dialect
from affwire.errors import Conflict
from affwire.model.endpoints import Endpoint
from affwire.model.events import Event
from affwire.model.registry import Membership, Program
from affwire.rules import lifecycle
from affwire.services import memberships
from affwire.services.actions import Action, Caller, found
from affwire.services.events import acting
from affwire.store.tx import Tx

MOVES_MAX: Final = 1_000
"""Memberships of one commit, as many as a batch of the API has operations: it keeps others waiting for about a second."""

Deed = Literal["activate", "remove", "tag"]
DEEDS: Final[tuple[Deed, ...]] = ("activate", "remove", "tag")


class Plan(Struct, frozen=True):
    """What a deed comes to: a command for each membership that goes (None: it is tagged), and why others stay."""

    going: Mapping[str, str | None]
    staying: Mapping[str, int]


class Told(Struct, frozen=True):
    """What an endpoint is told: its dialect's word, how often; `waits`: why it is not sent at once."""

    endpoint: Endpoint
    word: str
    count: int
    waits: str | None


class Extent(Struct, frozen=True):
    """What a change says to whom: events by type, and deliveries by endpoint and word."""

    events: Mapping[str, int]
    told: Sequence[Told]

    @property
    def deliveries(self) -> int:
        """How many deliveries it makes."""
        return sum(one.count for one in self.told)


class Rehearsed(Exception):
    """Carries the result of a rehearsal out of its transaction, which is undone."""

    def __init__(self, result: Any) -> None:
        super().__init__("a rehearsal")
        self.result = result


def plan(tx: Tx, organization_id: str, ids: Sequence[str], deed: Deed, tag: str | None = None) -> Plan:
    """Return what a deed comes to for memberships. Raises NotFound for one that is another's."""
    going, staying = dict[str, str | None](), Counter[str]()
    gone = dict[str, bool]()
    for membership_id in dict.fromkeys(ids):
        membership = found(tx, Membership, organization_id, membership_id)
        if membership.program_id not in gone:
            gone[membership.program_id] = tx.registry.get(Program, organization_id, membership.program_id) is None
        command, why = _chosen(membership, deed, tag, gone=gone[membership.program_id])
        if why is None:
            going[membership.id] = command
        else:
            staying[why] += 1
    return Plan(going, staying)


def carry_out(
    tx: Tx, caller: Caller, dialects: Mapping[str, Dialect], chosen: Plan, tag: str | None = None
) -> list[Event]:
    """Carry a plan out, in its order, and return the events."""
    events: list[Event] = []
    for membership_id, command in chosen.going.items():
        with acting(tx, caller, dialects) as action:
            _move(action, membership_id, command, tag)
        events += action.events
    return events


def extent(tx: Tx, events: Sequence[Event]) -> Extent:
    """Return what events of this transaction say to whom."""
    words = Counter((one.endpoint_id, one.word) for event in events for one in tx.outbox.of_event(event.id))
    endpoints = tx.registry.endpoints(sorted({endpoint_id for endpoint_id, _ in words}))
    told = [Told(endpoints[name], word, count, endpoints[name].waits_because) for (name, word), count in words.items()]
    told.sort(key=lambda one: (one.endpoint.number, one.word))
    return Extent(Counter(event.type for event in events), told)


def rehearsed(work: Callable[[Tx], Any]) -> Callable[[Tx], Any]:
    """Return a work that does the same, and undoes it: its result is in what it raises, Rehearsed."""

    def rehearsal(tx: Tx) -> Any:
        raise Rehearsed(work(tx))

    return rehearsal


def _chosen(membership: Membership, deed: Deed, tag: str | None, *, gone: bool) -> tuple[str | None, str | None]:
    """Return the command that a deed is for a membership, and why it is none."""
    if deed == "tag":
        return None, "they have this tag already" if membership.tag == tag else None
    if gone:
        return None, "their program was deleted"
    for command in ("approve", "reactivate") if deed == "activate" else ("remove",):
        try:
            lifecycle.command(membership.status, command)
        except Conflict:
            continue
        return command, None
    return None, f"they are {membership.status} already" if _is_so(
        membership, deed
    ) else f"they are {membership.status}"


def _is_so(membership: Membership, deed: Deed) -> bool:
    return membership.status == {"activate": "active", "remove": "removed"}.get(deed)


def _move(action: Action, membership_id: str, command: str | None, tag: str | None) -> None:
    if command is None:
        memberships.update(action, membership_id, {"tag": tag})
    else:
        memberships.command(action, membership_id, command)
