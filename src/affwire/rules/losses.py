"""Losses: what a platform told and another could not tell in turn, found by reading what was written and comparing.

The same comparison, the sides exchanged, finds what was made up: what is written though nobody told it.
A field that comes back as another value is lost as well: a coarse status, a time in whole seconds, a name parted otherwise.
An id is kept if the other side shows the same 128 bits, or the platform's own text among its external ids.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from affwire.model import ids
from affwire.model.reading import Reading, Told, ToldMembership

Facts = dict[str, Any]
"""A record's fields by name; what hangs on a membership has its kind before it ("program.name")."""

_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})
"""What tells nothing: where it does not come back, nothing is lost."""
_NAMES: Final = ("slug", "name")
_ID: Final = "id"
_OUTSIDE: Final = "external_ids"


class Lost(Struct, frozen=True, kw_only=True):
    """One thing that did not come through. `became`: what is told in its place; UNSET: nothing is."""

    field: str
    value: Any
    became: Any | UnsetType = UNSET

    @property
    def canonical(self) -> str:
        """The canonical field, without the place in a list: `links[1].url` is `link.url`."""
        name = self.field
        for listed, one in (("memberships[", "membership"), ("links[", "link"), ("promo_codes[", "promo_code")):
            at = name.rfind(listed)
            if at >= 0:
                name = one + name[name.index("]", at) + 1 :]
        *_, kind, field = ("", *name.split("."))
        return f"{kind}.{field}"


class MadeUp(Struct, frozen=True):
    """One thing that is told though the message told nothing of it: a default of ours, or an id that was derived."""

    field: str
    value: Any


def losses(told: Reading, back: Sequence[Reading]) -> tuple[Lost, ...]:
    """Return what was told and stands in none of the messages that were written, each thing once, in the order told."""
    lost = [_lost(told, one) for one in back] or [_lost(told, None)]
    everywhere = set.intersection(*(set(one) for one in lost))
    return tuple(one for field, one in lost[0].items() if field in everywhere)


def made_up(told: Reading, back: Sequence[Reading]) -> tuple[MadeUp, ...]:
    """Return what the messages that were written tell and `told` does not, each thing once.

    What is told otherwise is a loss, and no invention; so is another event, unless the one that was told is said as well.
    """
    found = {lost.field: lost.value for one in back for lost in _lost(one, told).values() if lost.became is UNSET}
    events = dict.fromkeys(one for message in back for one in message.events)
    if set(told.events) <= events.keys():
        found |= {f"event.{one}": one for one in events if one not in told.events}
    found |= {field: "" for one in back for field in _blank(told, one)}
    return tuple(MadeUp(field, value) for field, value in found.items())


def _blank(told: Reading, back: Reading) -> Iterator[str]:
    """Yield the fields that hold an empty name because none was told: who takes it over would wipe out the one known."""
    places = (
        ("organization", told.organization, back.organization),
        ("program", told.program, back.program),
        ("membership.program", _own_program(told), _own_program(back)),
    )
    for label, here, there in places:
        for name in _NAMES:
            if there and there.fields.get(name) == "" and not (here and here.fields.get(name)):
                yield f"{label}.{name}"


def _own_program(reading: Reading) -> Told | None:
    return reading.membership.program if reading.membership else None


def _lost(told: Reading, back: Reading | None) -> dict[str, Lost]:
    there = back or Reading(word="")
    found = [
        *_event(told, there),
        *_record("organization", told.organization, there.organization),
        *_record("program", told.program, there.program),
        *_record("affiliate", told.affiliate, there.affiliate),
        *_memberships(told, there),
        *_listed("links", told.links or (), there.links or ()),
    ]
    return {one.field: one for one in found}


def _event(told: Reading, back: Reading) -> Iterator[Lost]:
    for one in told.events:
        if one not in back.events:
            yield Lost(field=f"event.{one}", value=one, became=", ".join(back.events) or UNSET)
    yield from _compared("event", _envelope(told), _envelope(back))
    yield from _compared("previous", told.previous, back.previous)


def _envelope(told: Reading) -> Facts:
    return {_ID: told.event_id, "occurred_at": told.occurred_at}


def _record(label: str, told: Told | None, back: Told | None) -> Iterator[Lost]:
    if told is not None:
        yield from _compared(label, _facts(told), _facts(back) if back else {})


def _memberships(told: Reading, back: Reading) -> Iterator[Lost]:
    """Compare each membership with the one that it came back as."""
    alone = [_member_lost(_label(told, place), member, None) for place, member in enumerate(told.memberships)]
    pairs = [
        (place, other, _member_lost(_label(told, place), member, back.memberships[other]))
        for place, member in enumerate(told.memberships)
        for other in range(len(back.memberships))
        if _may_be(told, back, place, other)
    ]
    return _paired(alone, pairs)


def _paired(alone: Sequence[list[Lost]], pairs: Sequence[tuple[int, int, list[Lost]]]) -> Iterator[Lost]:
    """Yield what is lost of each record, where it is paired with the one that keeps the most of it; each is taken once."""
    partners: dict[int, list[Lost]] = {}
    taken: set[int] = set()
    for place, other, found in sorted(pairs, key=lambda pair: len(pair[2]) - len(alone[pair[0]])):
        if place not in partners and other not in taken:
            partners[place] = found
            taken.add(other)
    for place, found in enumerate(alone):
        yield from partners.get(place, found)


def _label(told: Reading, place: int) -> str:
    return "membership" if place == told.own else f"memberships[{place}]"


def _may_be(told: Reading, back: Reading, place: int, other: int) -> bool:
    """Whether two memberships may be the same: both messages are about them, or their programs are not two."""
    if back.own is not None and told.own is not None:
        own = (place == told.own, other == back.own)
        if any(own):
            return all(own)
    return _same_program(told.memberships[place], back.memberships[other])


def _same_program(one: ToldMembership, other: ToldMembership) -> bool:
    """Whether both may be of the same program: two ids of which each is told in full and neither names the other are not."""
    here, there = one.program, other.program
    if here is None or there is None or here.id is None or there.id is None:
        return True
    return _same_id(here.id, _facts(there)) or _number(here.id) is None or _number(there.id) is None


def _member_lost(label: str, told: ToldMembership, back: ToldMembership | None) -> list[Lost]:
    there = back or ToldMembership(told=Told(kind="membership"))
    return [
        *_record(label, told.told, there.told),
        *_record(f"{label}.program", told.program, there.program),
        *_record(f"{label}.group", told.group, there.group),
        *_listed(f"{label}.promo_codes", told.promo_codes or (), there.promo_codes or ()),
    ]


def _listed(label: str, told: Sequence[Told], back: Sequence[Told]) -> Iterator[Lost]:
    def lost(place: int, there: Facts) -> list[Lost]:
        return list(_compared(f"{label}[{place}]", _facts(told[place]), there))

    places = range(len(told))
    pairs = [(place, other, lost(place, _facts(one))) for place in places for other, one in enumerate(back)]
    return _paired([lost(place, {}) for place in places], pairs)


def _facts(told: Told) -> Facts:
    return {**({} if told.id is None else {_ID: told.id}), **told.fields}


def _compared(label: str, told: Mapping[str, Any], back: Mapping[str, Any]) -> Iterator[Lost]:
    for name, value in told.items():
        if value in _NOTHING or _came_back(name, value, back):
            continue
        became = back.get(name)
        yield Lost(field=f"{label}.{name}", value=value, became=UNSET if became in _NOTHING else became)


def _came_back(name: str, value: Any, back: Mapping[str, Any]) -> bool:
    if name == _ID:
        return _same_id(value, back)
    if name == _OUTSIDE:
        there = {*(back.get(_OUTSIDE) or {}).items(), *(("", one) for one in [back.get(_ID)] if one)}
        known = {one for _, one in there}
        return all(pair in there or pair[1] in known for pair in value.items())
    other = back.get(name)
    return bool(other == value) and isinstance(other, bool) == isinstance(value, bool)


def _same_id(value: str, back: Mapping[str, Any]) -> bool:
    other = back.get(_ID)
    if other is None:
        return False
    outside = (back.get(_OUTSIDE) or {}).values()
    number = _number(value)
    return other == value or value in outside or (number is not None and number == _number(other))


def _number(identifier: str) -> int | None:
    """Return the 128 bits of a UUID or of an id made of them, whatever its prefix; None if it holds none."""
    try:
        return UUID(identifier).int if "-" in identifier else ids.number_of(identifier)
    except ValueError:
        return None
