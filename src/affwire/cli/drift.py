"""Drift: what a platform's export and the registry say differently of the same records. Pure: lists in, differences out.

Rule: a status or name that the platform cannot tell apart from ours is no difference, and what was not told is not compared.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from affwire.cli.seeding import WRITABLE
from affwire.dialects.base import Card
from affwire.model.canonical import timed
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.rules.lifecycle import ENDED
from affwire.rules.naming import address_of, key_of_affiliate, key_of_membership

Record = Mapping[str, Any]
How = Literal["missing here", "missing there", "differs"]

OVER: Final = ENDED | {"rejected"}
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})
_NAMES: Final = ("first_name", "last_name")


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. `id`: the platform's; `ours`: our id, None where there is no such record here."""

    kind: str
    id: str
    ours: str | None
    how: How
    field: str = ""
    there: Any = None
    here: Any = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class There:
    """An export's records, the last word on each: programs and affiliates by the platform's key, memberships by theirs."""

    programs: dict[str, Told] = field(default_factory=dict)
    affiliates: dict[str, Told] = field(default_factory=dict)
    memberships: dict[str, tuple[str, ToldMembership]] = field(default_factory=dict)
    """Its own key -> the affiliate's key, and what was told."""

    def take(self, reading: Reading) -> None:
        """Take in one record; a webhook that tells of an end takes one away."""
        key = key_of_affiliate(reading)
        for told in (reading.program, *(member.program for member in reading.memberships)):
            if told is not None and told.id:
                self.programs[told.id] = _later(self.programs.get(told.id), told)
        if key is None:
            if "program.deleted" in reading.events and reading.program and reading.program.id:
                self.programs.pop(reading.program.id, None)
            return
        if "affiliate.deleted" in reading.events:
            self.affiliates.pop(key, None)
        else:
            self.affiliates[key] = _later(self.affiliates.get(key), reading.affiliate or Told(kind="affiliate"))
        for member in reading.memberships:
            known_by = key_of_membership(member, key)
            if known_by and member.program and member.program.id:
                self.memberships[known_by] = (key, member)


@dataclass(frozen=True, slots=True)
class Here:
    """The registry's records, as the API shows them."""

    programs: Sequence[Record]
    affiliates: Sequence[Record]
    memberships: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Found:
    """Which of our records the platform's are: platform's key -> ours."""

    programs: Mapping[str, Record]
    affiliates: Mapping[str, Record]


def compared(card: Card, there: There, here: Here, found: Found) -> Iterator[Drift]:
    """Yield every difference: programs, affiliates, memberships; in each, what the export lists and then what it does not."""
    for key, told in there.programs.items():
        yield from _record(card, "program", key, told, found.programs.get(key))
    for key, told in there.affiliates.items():
        yield from _record(card, "affiliate", key, told, found.affiliates.get(key))
    yield from _unlisted(card.name, "affiliate", here.affiliates, found.affiliates, listed=bool(there.affiliates))
    yield from _memberships(card, there, here, found)


def find(there: There, here: Here, name: str) -> Found:
    """Return which of our records carry the platform's ids; an affiliate without one is known by the address."""
    by_address = {str(one["email"]).lower(): one for one in here.affiliates if one["email"]}
    affiliates = {}
    own = {one["external_ids"][name]: one for one in here.affiliates if name in one["external_ids"]}
    for key, told in there.affiliates.items():
        known = own.get(key) or by_address.get((address_of(told) or "").lower())
        if known is not None:
            affiliates[key] = known
    programs = {one["external_ids"][name]: one for one in here.programs if name in one["external_ids"]}
    return Found({key: programs[key] for key in there.programs if key in programs}, affiliates)


def _record(card: Card, kind: str, key: str, told: Told, ours: Record | None) -> Iterator[Drift]:
    if ours is None:
        yield Drift(kind, key, None, "missing here")
        return
    for name, value in told.fields.items():
        if name in WRITABLE[told.kind] and not _same(card, told, name, ours):
            yield Drift(kind, key, ours["id"], "differs", name, timed(name, value), ours.get(name))


def _memberships(card: Card, there: There, here: Here, found: Found) -> Iterator[Drift]:
    ours = {(one["affiliate_id"], one["program_id"]): one for one in here.memberships}
    seen = set()
    for key, (whose, member) in there.memberships.items():
        affiliate, program = (
            found.affiliates.get(whose),
            found.programs.get((member.program and member.program.id) or ""),
        )
        pair = (affiliate and affiliate["id"], program and program["id"])
        seen.add(pair)
        over = member.told.fields.get("status") in OVER
        known = ours.get(pair)
        if known is not None or not over:
            yield from _record(card, "membership", key, member.told, known)
    affiliates = {one["id"] for one in found.affiliates.values()}
    programs = {one["id"] for one in found.programs.values()}
    left = [one for pair, one in ours.items() if pair not in seen and pair[0] in affiliates and pair[1] in programs]
    for one in left if there.memberships else []:
        if one["status"] not in OVER:
            yield Drift("membership", str(one["external_ids"].get(card.name, "")), one["id"], "missing there")


def _unlisted(
    name: str, kind: str, ours: Iterable[Record], found: Mapping[str, Record], *, listed: bool
) -> Iterator[Drift]:
    known = {one["id"] for one in found.values()}
    for one in ours if listed else []:
        if name in one["external_ids"] and one["id"] not in known:
            yield Drift(kind, one["external_ids"][name], one["id"], "missing there")


def _same(card: Card, told: Told, name: str, ours: Record) -> bool:
    here, there = ours.get(name), timed(name, told.fields[name])
    if here == there or (here in _EMPTY and there in _EMPTY):
        return True
    if name in _NAMES and card.carries("affiliate.name"):
        return _whole(told.fields) == _whole(ours)
    if name == "email":
        return str(here).lower() == str(there).lower()
    coarse = card.coarse.get(f"{told.kind}.{name}", {})
    return bool(coarse) and coarse.get(str(here), coarse.get("*", here)) == there


def _whole(names: Mapping[str, Any]) -> str:
    return " ".join(str(names[name]) for name in _NAMES if names.get(name))


def _later(before: Told | None, told: Told) -> Told:
    return told if before is None else Told(kind=told.kind, id=told.id, fields={**before.fields, **told.fields})
