"""Seeding: what a platform told, as writes of the registry under the platform's own ids (`ext:rewardful:...`).

Rule: programs, affiliates and memberships have ids there; links, promo codes and groups have none, and are left out.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from affwire.cli.client import Client, Unanswered
from affwire.cli.exports import Exported, read_export
from affwire.cli.lines import Line
from affwire.cli.spelling import unknown_dialect
from affwire.cli.talking import at
from affwire.cli.terminal import say
from affwire.model.canonical import timed
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.registry import Affiliate, Membership, Program
from affwire.plugins import load_dialects
from affwire.rules.lifecycle import ENDED
from affwire.rules.naming import address_of, key_of_affiliate, key_of_membership

Operation = dict[str, Any]

OURS: Final = frozenset(
    {"id", "organization_id", "number", "standing", "sequence", "touched_at", "created_at", "updated_at"}
    | {"deleted_at", "erased_at", "external_ids", "affiliate_id", "program_id", "group_id"}
)
"""What no caller sets of a record."""
WRITABLE: Final = {
    "program": frozenset(Program.__struct_fields__) - OURS,
    "affiliate": frozenset(Affiliate.__struct_fields__) - OURS,
    "membership": frozenset(Membership.__struct_fields__) - OURS,
}
NOT_FOUND: Final = 404
_PROGRAMS: Final = "/v1/programs/"
_GONE: Final = ENDED | {"rejected"}
"""A membership that is over there and was never here: there is nothing to begin."""
OVER: Final = "membership that is over"
_DATES: Final = ("created_at", "updated_at")
"""The registry has its own; `deleted_at` has no platform."""


def reader(file: Path, source: str, left_out: Counter[str]) -> Callable[[Client], Iterator[Line]]:
    """Return what reads a platform's export, and counts in `left_out` what it cannot write.

    Raises Refused for an unknown dialect, and for a file that is none.
    """
    dialects = load_dialects()
    if source not in dialects:
        raise unknown_dialect(source, dialects)
    dialect = dialects[source]
    records = read_export(file, dialect, time.time_ns() // 1_000_000)

    def read(client: Client) -> Iterator[Line]:
        counted = _counted(records, left_out)
        return _numbered(counted, source, cache(lambda own: knows(client, f"ext:{source}:{own}")))

    return read


def left_out_of(reading: Reading) -> Iterator[str]:
    """Yield what a record tells and no operation writes, by what it is; once for each."""
    if reading.affiliate is not None and key_of_affiliate(reading) is None:
        yield "affiliate without id and address"
    yield from ("link" for _ in reading.links or ())
    for member in reading.memberships:
        fate = _fate(member, key_of_affiliate(reading))
        if fate:
            yield fate
        yield from ("promo code" for _ in member.promo_codes or ())
        yield from ("group" for _ in [member.group] if member.group or member.told.fields.get("group_id"))
    for told in (reading.program, reading.affiliate, *(member.told for member in reading.memberships)):
        dated = [] if told is None else [one for one in _DATES if told.fields.get(one) is not None]
        yield from (f"{told.kind}.{one}" for one in dated if told)
    yield from reading.unread


def say_left_out(left_out: Counter[str], head: str = "Left out") -> None:
    """Say on stderr what the registry has no place for, with how many there are; nothing if that is none."""
    if left_out:
        say(f"{head}: {', '.join(f'{name} ({many})' for name, many in left_out.items())}.")


def _fate(member: ToldMembership, affiliate_key: str | None) -> str | None:
    """Return why a membership is not written; None if it is."""
    if not (key_of_membership(member, affiliate_key) and member.program and member.program.id):
        return "membership without a program"
    return OVER if member.told.fields.get("status") in _GONE else None


def _counted(records: Iterator[Exported], left_out: Counter[str]) -> Iterator[Exported]:
    for record in records:
        if record.reading is not None:
            left_out.update(left_out_of(record.reading))
        yield record


def knows(client: Client, program_id: str) -> bool:
    """Whether the server has a program. Raises Unanswered."""
    try:
        client.get(at("/v1/programs", program_id))
    except Unanswered as answer:
        if answer.facts.get("status") == NOT_FOUND:
            return False
        raise
    return True


def _numbered(records: Iterator[Exported], name: str, knows_program: Callable[[str], bool]) -> Iterator[Line]:
    """Number the operations; what a program is told to be is written once, however many members tell it."""
    number, programs = 0, set[str]()
    for record in records:
        found = [None] if record.reading is None else list(operations(record.reading, name, knows_program))
        for operation in found:
            said = json.dumps(operation, sort_keys=True)
            if operation is not None and said in programs:
                continue
            if operation is not None and operation["path"].startswith(_PROGRAMS):
                programs.add(said)
            number += 1
            yield Line(number, operation, record.problem, record.number)


def operations(reading: Reading, name: str, knows_program: Callable[[str], bool]) -> Iterator[Operation]:
    """Yield what makes the registry know what was told: programs, the affiliate, memberships."""
    for told in (reading.program, *(member.program for member in reading.memberships)):
        if told is not None and told.id:
            yield _program(told, name, knows_program)
    told = reading.affiliate or Told(kind="affiliate")
    own = own_id(told, name)
    if own is None:
        return
    yield _affiliate(told, name, own)
    for member in reading.memberships:
        known_by = key_of_membership(member, key_of_affiliate(reading))
        if known_by and _fate(member, key_of_affiliate(reading)) is None:
            yield _membership(member, known_by, name, own)


def fields(told: Told) -> dict[str, Any]:
    """Return what was told of a record and a caller may set; times as text."""
    writable = WRITABLE[told.kind]
    return {one: timed(one, value) for one, value in told.fields.items() if one in writable and value is not None}


def _program(told: Told, name: str, knows_program: Callable[[str], bool]) -> Operation:
    body = fields(told)
    if not body.get("name"):
        body.pop("name", None)
        body |= {} if knows_program(told.id or "") else {"name": str(told.id)}  # a name that can be mended later
    return {"method": "PUT", "path": _at("programs", f"ext:{name}:{told.id}"), "body": body}


def own_id(told: Told, name: str) -> str | None:
    """Return the `ext:` id of an affiliate: the platform's; of one who has none there, the address in a namespace of its own."""
    if told.id:
        return f"ext:{name}:{told.id}"
    address = address_of(told)
    return f"ext:{name}.email:{address.lower()}" if address else None


def _affiliate(told: Told, name: str, own: str) -> Operation:
    return {"method": "PUT", "path": _at("affiliates", own), "body": {**fields(told), **_outside(told, name)}}


def _membership(member: ToldMembership, known_by: str, name: str, own: str) -> Operation:
    program_id = f"ext:{name}:{member.program.id}" if member.program else ""
    return {
        "method": "PUT",
        "path": _at("memberships", f"ext:{name}:{known_by}"),
        "body": {
            **fields(member.told),
            **_outside(member.told, name),
            "affiliate_id": own,
            "program_id": program_id,
        },
    }


def _at(kind: str, own: str) -> str:
    return f"/v1/{kind}/{quote(own, safe=':')}"


def _outside(told: Told, name: str) -> dict[str, Mapping[str, str]]:
    others = {space: own for space, own in (told.fields.get("external_ids") or {}).items() if space != name}
    return {"external_ids": others} if others else {}
