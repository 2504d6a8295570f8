"""The relay: what platforms tell goes on to the endpoints as it came, each message once and in order of arrival.

No registry is touched. A record's id is remembered under the platform's name for it, and a person's under the e-mail address
too, so that consumers see the same ids when the organization moves to another platform.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, structs

from affwire.dialects.base import Dialect
from affwire.dialects.reading import document
from affwire.errors import NotFound
from affwire.model.events import Actor, Event, Origin, Snapshot
from affwire.model.inbound import EMAIL, Kept, KnownAs, Source
from affwire.model.reading import Reading, Told
from affwire.model.registry import Membership
from affwire.rules.assembly import Scene, assemble
from affwire.rules.naming import address_of, by_membership, key_of_affiliate, key_of_membership
from affwire.rules.reconciling import time_of
from affwire.services import events
from affwire.services.mirroring import Ended
from affwire.store.tx import Tx

PREFIX: Final = "relay."
"""Before a dialect's name: what is relayed and what is mirrored are known apart, and so are their histories."""
_ALIKE: Final = "relay"
"""The namespace of what is the same on every platform: a program by its name, a membership by its parents."""
_NOBODY: Final = "it tells of no record that has a name"


def pass_on(tx: Tx, dialects: Mapping[str, Dialect], source: Source, *, message: Kept, reading: Reading) -> Ended:
    """Pass a message on as events. Raises NotFound if its organization is not there."""
    organization = tx.registry.organization(source.organization_id)
    if organization is None:
        raise NotFound("organization_not_found", f"There is no organization {source.organization_id}.")
    names = _Names(tx, source, reading)
    subject = names.subject()
    last = tx.log.newest(subject) if subject else None
    names.seen = {} if last is None else _records(last.snapshot)
    known = names.own_membership()
    late = known is not None and time_of(reading.occurred_at, known.told_at) == "older"
    scene = Scene(
        dialect=source.dialect,
        organization=organization,
        at=message.received_at,
        request_id=tx.world.new_id("request"),
        actor=Actor("source", source.id),
        remembered=None if known is None or late else known.status,
        sequence=last.sequence if last else 0,
        hops=message.hops,
        seen=names.seen,
    )
    origin = Origin(dialect=source.dialect, word=reading.word, body=document(message.body or b""))
    passed = [structs.replace(event, origin=origin) for event in assemble(reading, scene, names)]
    events.pass_on(tx, dialects, passed)
    if passed and not late:
        names.note_status(passed[0])
    return Ended(
        applied=bool(passed),
        reason=None if passed else _NOBODY,
        word=reading.word,
        occurred_at=reading.occurred_at,
        affiliate_id=passed[0].affiliate_id if passed else None,
        events=tuple(event.id for event in passed),
    )


class _Names:
    """Our ids of the records that one message tells of: those that are remembered, else new ones."""

    def __init__(self, tx: Tx, source: Source, reading: Reading) -> None:
        self._tx = tx
        self._source = source
        self._reading = reading
        self._namespace = PREFIX + source.dialect
        self._last: dict[str, str] = {}
        self.seen: Mapping[str, Struct] = {}

    def of(self, kind: str, key: str, told: Told) -> str:
        """Return our id of a record, and remember every name it was told under."""
        aliases = self._aliases(kind, key, told)
        found = (self._get(*alias) for alias in aliases)
        record_id = next((known.record_id for known in found if known), None) or self._untold(kind, key)
        self._last[kind] = record_id
        for namespace, of_kind, value in aliases:
            known = self._get(namespace, of_kind, value)
            if known is None:
                self._put(KnownAs(namespace=namespace, kind=of_kind, value=value, record_id=record_id))
        return record_id

    def event(self, event_type: str) -> str:  # noqa: ARG002 -- each event of a message is new
        """Return a new event's id."""
        return self._tx.world.new_id("event")

    def subject(self) -> str | None:
        """Return the id of the record whose history the message belongs to, None if it is new."""
        reading = self._reading
        key, kind, told = key_of_affiliate(reading), "affiliate", reading.affiliate
        if key is None:
            key, kind, told = (reading.program.id if reading.program else None), "program", reading.program
        aliases = self._aliases(kind, key, told or Told(kind="affiliate")) if key else []
        return next((known.record_id for alias in aliases if (known := self._get(*alias))), None)

    def own_membership(self) -> KnownAs | None:
        """Return what is remembered of the membership that the message is about."""
        member = self._reading.membership
        key = key_of_membership(member, key_of_affiliate(self._reading)) if member else None
        return self._get(self._namespace, "membership", key) if key else None

    def note_status(self, event: Event) -> None:
        """Remember the status that the message told of its membership, and when."""
        known, own = self.own_membership(), self._reading.membership
        status = own.told.fields.get("status") if own else None
        if known is not None and event.snapshot.memberships:
            at = self._reading.occurred_at
            self._put(
                structs.replace(known, told_at=known.told_at if at is None else at, status=status or known.status)
            )

    def _untold(self, kind: str, key: str) -> str:
        """Return the program of a membership that is told by its own id alone; of anything else, a new id."""
        known = self.own_membership() if kind == "program" and not key else None
        membership = self.seen.get(known.record_id) if known else None
        return membership.program_id if isinstance(membership, Membership) else self._tx.world.new_id(kind)

    def _aliases(self, kind: str, key: str, told: Told) -> list[tuple[str, str, str]]:
        """Return the names of a record, the strongest first: the platform's, then what every platform would say."""
        names = [(self._namespace, kind, key)] if key and not key.startswith("email:") else []
        by_likeness = self._source.match == "email"
        address = address_of(told) if kind == "affiliate" else None
        own = self._reading.membership
        if kind == "affiliate" and own is not None and own.told.id and not told.id:
            names.append((self._namespace, kind, by_membership(own.told.id)))
        if address and (by_likeness or not told.id):
            names.append((EMAIL, kind, address.lower()))
        if kind == "program" and by_likeness and told.fields.get("name"):
            names.append((_ALIKE, kind, str(told.fields["name"])))
        if kind == "membership" and by_likeness and self._last.get("affiliate") and self._last.get("program"):
            names.append((_ALIKE, kind, f"{self._last['affiliate']}:{self._last['program']}"))
        return list(dict.fromkeys(names))

    def _get(self, namespace: str, kind: str, value: str) -> KnownAs | None:
        return self._tx.identities.get(self._source.organization_id, namespace, kind, value)

    def _put(self, known: KnownAs) -> None:
        self._tx.identities.put(self._source.organization_id, known)


def _records(snapshot: Snapshot) -> dict[str, Struct]:
    """Return the records of a snapshot by id."""
    found: list[Struct | None] = [snapshot.affiliate, snapshot.program, *snapshot.links]
    for view in snapshot.memberships:
        found += [view.membership, view.program, view.group, *view.promo_codes]
    return {record.id: record for record in found if record is not None}  # type: ignore[attr-defined]
