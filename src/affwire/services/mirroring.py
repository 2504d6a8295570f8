"""A message on its way into the registry: what was known of its records, what it changed, and what it told in vain.

Every change is a request of its own through the services, in the message's transaction, with the source as its actor.
"""

from collections.abc import Callable, Mapping
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from msgspec import Struct

from affwire.dialects.base import Dialect
from affwire.model.endpoints import Endpoint
from affwire.model.events import Actor
from affwire.model.inbound import Kept, KnownAs, Source
from affwire.model.reading import Reading, Told
from affwire.model.registry import Affiliate, Membership, Program
from affwire.model.times import rfc3339
from affwire.rules import reconciling
from affwire.rules.naming import fields_of
from affwire.rules.reconciling import Deed, Telling
from affwire.services.actions import Action, Caller
from affwire.services.events import acting
from affwire.store.tx import Tx

P = ParamSpec("P")
T = TypeVar("T")
Mortal = TypeVar("Mortal", Affiliate, Program)

NOBODY: Final = ""
"""The record of a name whose record never was, or is no more."""
UNKNOWN_END: Final = "the end of a record that is not here"
OWN_IDS: Final = "standard"
"""The namespace that shows our own ids: no dialect's name for a record, so it may be given at any time."""
_TIMES: Final = frozenset({"created_at", "updated_at"})


class Ended(Struct, frozen=True, kw_only=True):
    """What became of a message: whether it changed or said anything, the reason if not, and what it was about."""

    applied: bool = False
    reason: str | None = None
    word: str | None = None
    occurred_at: int | None = None
    affiliate_id: str | None = None
    events: tuple[str, ...] = ()


class Found(Struct, frozen=True):
    """What a platform's name for a record leads to: what is remembered of the name, and the record, if it is there.

    `heard_at`: when the platform last told of the record under another name (ms). `gone_at`: when it was deleted here (ms).
    """

    known: KnownAs | None
    record: Any = None
    heard_at: int | None = None
    gone_at: int | None = None

    @property
    def state(self) -> reconciling.State:
        """Its row in the table of reconciling. What was known and is gone has ended: it was ended here."""
        if self.known is not None and (self.known.ended or self.record is None):
            return "ended"
        return "none" if self.record is None else "current"

    @property
    def told_at(self) -> int | None:
        """When it was last told of, or else deleted here (ms): an end wins over older news, whoever made it."""
        heard_at = self.heard_at if self.known is None else self.known.told_at
        return max((at for at in (heard_at, self.gone_at) if at is not None), default=None)


class Intake:
    """One message being brought into the registry."""

    def __init__(
        self, tx: Tx, dialects: Mapping[str, Dialect], source: Source, *, message: Kept, reading: Reading
    ) -> None:
        self.tx = tx
        self.source = source
        self.reading = reading
        self.dialects = dialects
        self.namespace = source.dialect
        self.organization_id = source.organization_id
        self.coarse = dialects[source.dialect].card.coarse
        self.at = reconciling.credible(reading.occurred_at, message.received_at)
        self.events: list[str] = []
        self.notes: list[str] = []
        self.changed = False
        self.affiliate_id: str | None = None
        self._message = message

    def act(self, told: Told | None, do: Callable[Concatenate[Action, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Carry out one request as the source; `told` is the record whose time it has."""
        at = told.fields.get("updated_at") if told else None
        told_at = reconciling.credible(at if isinstance(at, int) else self.at, self._message.received_at)
        caller = Caller(self.organization_id, Actor("source", self.source.id), self._message.hops, told_at)
        with acting(self.tx, caller, self.dialects) as action:
            result = do(action, *args, **kwargs)
        self.events += [event.id for event in action.events]
        self.changed = True
        return result

    def deed(self, found: Found, telling: Telling, *, noted: bool = True) -> Deed:
        """Return what the table says, and note why if that is nothing."""
        deed = reconciling.deed(found.state, telling, reconciling.time_of(self.at, found.told_at))
        if not noted:
            return deed
        if deed == "late":
            at = rfc3339(found.told_at or 0)
            gone = found.gone_at == found.told_at
            self.note(
                f"late: it was deleted here, at {at}" if gone else f"late: something newer, of {at}, was told before"
            )
        elif deed == "over":
            self.note("about a record that has ended")
        elif deed == "bury":
            self.note(UNKNOWN_END)
        return deed

    def note(self, sentence: str) -> None:
        """Add a reason, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def heard_at(self, record_id: str) -> int | None:
        """Return when the platform last told of a record, under whatever name (ms)."""
        known = self.tx.identities.of_record(self.organization_id, record_id)
        return max((one.told_at for one in known if one.namespace == self.namespace and one.told_at), default=None)

    def gone_at(self, kind: type[Mortal], known: KnownAs | None) -> int | None:
        """Return when a record was deleted here of which the platform has told no end (ms)."""
        if known is None or known.ended:
            return None
        record = self.tx.registry.get_even_deleted(kind, self.organization_id, known.record_id)
        return record.deleted_at if record else None

    def known(self, kind: str, value: str | None) -> KnownAs | None:
        """Return what is remembered of a name of this platform's."""
        return self.tx.identities.get(self.organization_id, self.namespace, kind, value) if value else None

    def remember(
        self, kind: str, value: str | None, record_id: str, *, ended: bool = False, status: str | None = None
    ) -> None:
        """Note that the platform told of a record, at the time of this message or a later one that was told before."""
        if value is None:
            return
        before = self.known(kind, value)
        times = [at for at in (self.at, before.told_at if before else None) if at is not None]
        after = KnownAs(
            namespace=self.namespace,
            kind=kind,
            value=value,
            record_id=record_id,
            told_at=max(times, default=None),
            ended=ended,
            status=status or (before.status if before else None),
        )
        if after != before:
            self.tx.identities.put(self.organization_id, after)

    def differing(self, kind: str, record: Struct, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that tell something else than the record holds, as far as the dialect can tell. No times."""
        return {
            name: value
            for name, value in fields.items()
            if name not in _TIMES
            and reconciling.shows_as(self.coarse.get(f"{kind}.{name}", {}), getattr(record, name)) != value
            and getattr(record, name) != value
        }

    def first_names(self, kind: type[Struct], told: Told) -> dict[str, str]:
        """Return the external ids of a new record: those that were told and name no other."""
        return {name: value for name, value in self._names(told).items() if not self._taken(kind, name, value)}

    def adopted(self, record: Affiliate | Membership | Program, told: Told) -> dict[str, Any]:
        """Return the change of external ids that a record takes from what was told; empty if there is none.

        A dialect's name is given later only where nobody was told another: no endpoint of that dialect is there.
        """
        wished = self.first_names(type(record), told)
        added = {name: value for name, value in wished.items() if name not in record.external_ids}
        if added:
            endpoints = self.tx.registry.find(Endpoint, self.organization_id)
            spoken = {endpoint.dialect for endpoint in endpoints} - {OWN_IDS}
            added = {name: value for name, value in added.items() if name not in spoken}
        return {"external_ids": added} if added else {}

    def fields(self, kind: type[Struct], told: Told) -> dict[str, Any]:
        """Return the told fields that have a place in a record, with times that can be believed."""
        fields = fields_of(kind, told)
        for name in _TIMES & fields.keys():
            fields[name] = reconciling.credible(fields[name], self._message.received_at)
        return {name: value for name, value in fields.items() if name not in _TIMES or value is not None}

    def _names(self, told: Told) -> dict[str, str]:
        outside: dict[str, str] = told.fields.get("external_ids") or {}
        return {**outside, self.namespace: told.id} if told.id else dict(outside)

    def _taken(self, kind: type[Struct], namespace: str, value: str) -> bool:
        return self.tx.registry.external_ids.find(kind, self.organization_id, namespace, value) is not None
