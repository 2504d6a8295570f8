"""The reading side's part of the dialect suite: what a dialect writes, it recognises and reads back; nothing else gets in.

A dialect without `[inbound]` on its card is only written, and passes.
"""

import re
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from msgspec import Struct, structs

from affwire.dialects import passing
from affwire.dialects.base import Attempt, Card, Dialect, Identity, Saying, encode
from affwire.dialects.reading import Leaves, document, leaves
from affwire.model import ids
from affwire.model.events import Event, MembershipView, Origin, Snapshot
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.wire import Message, Request
from affwire.rules.assembly import Scene, assemble
from affwire.rules.signing import fingerprint
from affwire.testing import events as build
from affwire.testing.card_suite import Check, demand
from affwire.testing.forgery_suite import FORGERY_CHECKS
from affwire.testing.garbage_suite import GARBAGE_CHECKS
from affwire.testing.shapes import without
from affwire.testing.stage import (
    DELIVERY,
    FIRST,
    SECOND,
    message_of,
    over_sayings,
    recipient_of,
    request_of,
    samples_of,
    trust_of,
    verifies,
)

_OURS: Final = frozenset({"number", "sequence", "deleted_at", "erased_at", "touched_at", "standing"})
"""Fields that are told, and that only whoever keeps the record can decide on: no message makes them."""
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECOND: Final = 1_000
"""ms: some platforms tell times in whole seconds."""


def what_it_writes_it_recognises(dialect: Dialect) -> None:
    """Whatever is said verifies with the same secret and has its word; its key is the same on every try, another's differs."""
    if dialect.card.inbound is None:
        return

    def check(saying: Saying, event: Event) -> None:
        first, second = (_identity(dialect, saying, event, attempt) for attempt in (FIRST, SECOND))
        demand(first == second, f"{saying.word}: a retry is identified as another message")
        demand(first.word == saying.word, f"{saying.word} is identified as {first.word}")
        demand(first.dedupe_key, f"{saying.word} has no key to dedupe on")
        later = _later(event)
        if saying in dialect.says(later):
            other = _identity(dialect, saying, later, FIRST)
            demand(other.dedupe_key != first.dedupe_key, f"{saying.word}: two events have one key")
        keys = [_identity(dialect, one, event, FIRST).dedupe_key for one in dialect.says(event)]
        demand(len(set(keys)) == len(keys), f"{event.type}: two sayings have one key")

    over_sayings(dialect, check)


def what_it_writes_comes_back(dialect: Dialect) -> None:
    """Every field that is read is the snapshot's, but for what the card calls coarse; no other field is read."""
    if dialect.card.inbound is None:
        return

    def check(saying: Saying, event: Event) -> None:
        reading = dialect.decode(message_of(request_of(dialect, saying, event)))
        demand(reading.word == saying.word, f"{saying.word} is read as {reading.word}")
        demand(reading.events, f"{saying.word} is read as no event")
        demand(not reading.unread, f"{saying.word}: it writes {reading.unread} and does not read them")
        between = "pending" if dialect.says(event)[1:] else None
        wrong = sorted(_untrue(dialect.card, reading, saying, event, between))
        demand(not wrong, f"{saying.word} for {event.type}: {'; '.join(wrong)}")

    over_sayings(dialect, check)


def what_it_reads_it_writes_again(dialect: Dialect) -> None:
    """A reading, said in the same dialect, gives a body with the same meaning; passed on, the very body it came in."""
    if dialect.card.inbound is None:
        return

    def check(saying: Saying, event: Event) -> None:
        request = request_of(dialect, saying, event)
        reading = dialect.decode(message_of(request))
        again = assemble(reading, _scene(dialect, saying, event), _Names(event))
        demand(again, f"{saying.word}: what was read makes no event")
        said = [(one, other) for other in again for one in dialect.says(other) if one.word == saying.word]
        demand(said or _lacks_old_values(reading), f"{saying.word} is read as {reading.events}, which does not say it")
        for one, other in said[:1]:
            found = sorted(_differences(dialect, request, request_of(dialect, one, other)) - _nowhere(reading))
            demand(not found, f"{saying.word} for {event.type} is written again with other {', '.join(found)}")
        _passed_on(dialect, saying, request, again)

    over_sayings(dialect, check)


def every_sample_is_read_whole(dialect: Dialect) -> None:
    """Each sample is identified by its word; one that means something leaves nothing unread."""
    if dialect.card.inbound is None:
        return
    for word, sample in samples_of(dialect).items():
        message = Message(headers=(), body=encode(sample))
        reading = dialect.decode(message)
        demand(
            dialect.identify(message).word == reading.word == word, f"the sample of {word} is read as {reading.word}"
        )
        demand(not (reading.events and reading.unread), f"the sample of {word} leaves {reading.unread} unread")


READING_CHECKS: Final[tuple[Check, ...]] = (
    what_it_writes_it_recognises,
    what_it_writes_comes_back,
    what_it_reads_it_writes_again,
    every_sample_is_read_whole,
    *FORGERY_CHECKS,
    *GARBAGE_CHECKS,
)


class _Names(Struct):
    """The sender's ids where they are ours, as they are or as UUIDs; else ids made of what the platform calls the record."""

    about: Event

    def of(self, kind: str, key: str, told: Told) -> str:
        own = told.id or ""
        if ids.kind_of(own) == kind:
            return own
        if _UUID.fullmatch(own):
            return f"{ids.PREFIXES[kind]}_{ids.text(UUID(own).int)}"
        return ids.derived(kind, build.SINCE, fingerprint(kind, key))

    def event(self, event_type: str) -> str:
        return ids.derived("event", self.about.occurred_at, fingerprint("event", event_type))


def _identity(dialect: Dialect, saying: Saying, event: Event, attempt: Attempt) -> Identity:
    message = message_of(request_of(dialect, saying, event, attempt=attempt))
    demand(verifies(dialect, message, trust_of(dialect), attempt.at), f"{saying.word} is not taken as genuine")
    return dialect.identify(message)


def _later(event: Event) -> Event:
    """Return the same news as another event, one second later."""
    views = tuple(
        structs.replace(
            view, membership=structs.replace(view.membership, updated_at=view.membership.updated_at + _SECOND)
        )
        for view in event.snapshot.memberships
    )
    return structs.replace(
        event,
        id=build.id_of("event", 4_711),
        occurred_at=event.occurred_at + _SECOND,
        snapshot=structs.replace(event.snapshot, memberships=views),
    )


def _scene(dialect: Dialect, saying: Saying, event: Event) -> Scene:
    view = event.view(saying.subject)
    return Scene(
        dialect=dialect.card.name,
        organization=event.snapshot.organization,
        at=event.occurred_at,
        request_id=event.cause.request_id,
        remembered=view.status_before if view else None,
    )


def _nowhere(reading: Reading) -> set[str]:
    """Return the fields of a membership of which neither an id nor a program was told: no record can take them up."""
    lost = [one.told for one in reading.memberships if not one.told.id and one.program is None]
    return {f"membership.{name}" for told in lost for name in told.fields}


def _lacks_old_values(reading: Reading) -> bool:
    """Whether it tells a change without the old values: then only the message itself can be passed on."""
    return not reading.previous and all(one.endswith(".updated") for one in reading.events)


def _untrue(card: Card, reading: Reading, saying: Saying, event: Event, between: str | None) -> Iterator[str]:
    """Yield a sentence for each field that was read and is not so; `between`: the status half-way of what is said in two."""
    snapshot, old = event.snapshot, event.previous
    yield from _unlike(card, reading.organization, snapshot.organization, {})
    yield from _unlike(card, reading.program, snapshot.program, old)
    yield from _unlike(card, reading.affiliate, snapshot.affiliate, old.get("affiliate", old))
    own = event.view(saying.subject)
    for place, member in enumerate(reading.memberships):
        candidates = [own] if own and place == reading.own else list(snapshot.memberships)
        yield from _best(
            list(_unlike_member(card, member, view, _others(view, snapshot, between))) for view in candidates
        )
    for link in reading.links or ():
        yield from _best(list(_unlike(card, link, one, {})) for one in snapshot.links)
    told = {
        name: value for name, value in reading.previous.items() if name != "status"
    }  # some words imply one of several
    yield from (f"previous.{name}" for name, value in told.items() if old.get(name) != value)


def _best(tries: Iterator[list[str]]) -> list[str]:
    return min(tries, key=len, default=["a record that is not there"])


def _others(view: MembershipView, snapshot: Snapshot, between: str | None) -> list[dict[str, Any]]:
    """Return what a membership may be told to be as well: as before, half-way, as late as its affiliate, as over."""
    touched_at = snapshot.affiliate.updated_at if snapshot.affiliate else 0
    later = {"updated_at": max(view.membership.updated_at, touched_at)}
    over = "removed" if snapshot.affiliate and snapshot.affiliate.deleted_at else None
    return [{"status": status, **later} for status in (view.status_before, between, over)]


def _unlike_member(
    card: Card, member: ToldMembership, view: MembershipView, others: list[dict[str, Any]]
) -> Iterator[str]:
    yield from _best(list(_unlike(card, member.told, view.membership, one)) for one in others)
    yield from _unlike(card, member.program, view.program, {})
    yield from _unlike(card, member.group, view.group, {})
    for code in member.promo_codes or ():
        yield from _best(list(_unlike(card, code, one, {})) for one in view.promo_codes)


def _unlike(card: Card, told: Told | None, record: Struct | None, old: dict[str, Any]) -> Iterator[str]:
    if told is None:
        return
    if record is None:
        yield f"a {told.kind} that is not there"
        return
    fields = dict(told.fields)
    if "first_name" in fields and card.carries("affiliate.name"):
        fields["name"] = " ".join(part for part in (fields.pop("first_name"), fields.pop("last_name")) if part)
    for name, value in fields.items():
        field = f"{told.kind}.{name}"
        if not card.carries(field) and field not in card.coarse:
            yield f"{field} is read, and the card does not carry it"
        elif not any(_same(value, _seen(card, field, one)) for one in (getattr(record, name), old.get(name))):
            yield f"{field} is {value!r}, and was {getattr(record, name)!r}"


def _seen(card: Card, field: str, value: Any) -> Any:
    coarse = card.coarse.get(field, {})
    return coarse.get(str(value), coarse.get("*", value))


def _same(told: Any, value: Any) -> bool:
    """Whether a value came back: an empty text is none, and a time may be of whole seconds."""
    if isinstance(told, int) and isinstance(value, int) and told % _SECOND == 0:
        return told in {value, value // _SECOND * _SECOND}
    return bool(told == value or (told in (None, "") and value in (None, "")))


def _differences(dialect: Dialect, one: Request, other: Request) -> set[str]:
    """Return the canonical fields in which two bodies differ."""
    sides = [leaves(dialect.card, document(request.body)) for request in (one, other)]
    left, right = (dict(_flat(dialect.card.name, side)) for side in sides)
    return {name for name in left.keys() | right.keys() if left.get(name) != right.get(name)}


def _flat(dialect: str, found: Leaves, at: str = "") -> Iterator[tuple[str, Any]]:
    for kind, fields in found.one.items():
        for name, value in fields.items():
            if name == "external_ids" and isinstance(value, dict):
                yield f"{at}{kind}.{name}", {space: one for space, one in value.items() if space != dialect}
            elif name not in _OURS and (kind, name) != ("event", "previous"):
                yield f"{at}{kind}.{name}", value
    for kind, items in found.lists.items():
        yield f"{at}{kind}[]", len(items)
        for place, item in enumerate(items):
            yield from _flat(dialect, item, f"{at}{kind}[{place}].")


def _passed_on(dialect: Dialect, saying: Saying, request: Request, again: tuple[Event, ...]) -> None:
    body = document(request.body)
    origin = Origin(dialect.card.name, saying.word, body)
    said = [(event, one) for event in _stamped(again, origin) for one in passing.said(dialect, event)]
    demand(len(said) == 1, f"{saying.word} is passed on {len(said)} times")
    event, one = said[0]
    written = passing.written(dialect, event, one, recipient_of(dialect), delivery_id=DELIVERY, attempt=SECOND)
    put_in_anew = tuple(dialect.card.addressed)
    kept = list(without(document(written.body), put_in_anew).items()) == list(without(body, put_in_anew).items())
    demand(kept, f"{saying.word} is passed on with another body")
    genuine = verifies(dialect, message_of(written), trust_of(dialect), SECOND.at)
    demand(genuine, f"{saying.word} is passed on with another signature")


def _stamped(events: tuple[Event, ...], origin: Origin) -> Iterator[Event]:
    return (structs.replace(event, origin=origin) for event in events)
