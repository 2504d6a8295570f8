"""Naming: what a platform calls a record, and which of the things it told have a place in ours.

The mirror, the relay and `convert` know a record by the same keys, so what one of them learnt serves the others.
"""

from functools import cache
from typing import Any, Final, Protocol

from msgspec import Struct, structs

from affwire.model import ids
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.registry import NUMBER_FIRST

_NUMBERS: Final = 10**12
"""How many numbers ids fold into: with NUMBER_FIRST still an integer that every JSON reader keeps exactly."""
_BY_ADDRESS: Final = "email:"
_BY_MEMBERSHIP: Final = "membership:"
_OURS: Final = frozenset(
    {"id", "organization_id", "number", "external_ids", "sequence", "touched_at", "standing"}
    | {"affiliate_id", "program_id", "membership_id", "group_id", "deleted_at", "erased_at"}
)
"""What only we can know of a record of ours: another installation's ids and ends are not ours."""


class Names(Protocol):
    """Gives records and events their ids."""

    def of(self, kind: str, key: str, told: Told) -> str:
        """Return our id of the record that the platform calls `key`."""
        ...

    def event(self, event_type: str) -> str:
        """Return the id of the message's event of that type."""
        ...


def key_of_affiliate(reading: Reading) -> str | None:
    """Return what the platform calls the affiliate; who has no id there is known by the address, else by a membership."""
    told, member = reading.affiliate, reading.membership
    if told and told.id:
        return told.id
    address = address_of(told)
    if address:
        return _BY_ADDRESS + address.lower()
    return by_membership(member.told.id) if member and member.told.id else None


def by_membership(membership_id: str) -> str:
    """Return the key of an affiliate who is known by nothing but a membership."""
    return _BY_MEMBERSHIP + membership_id


def address_of(told: Told | None) -> str | None:
    """Return the e-mail address that was told, None if none was; an empty one is none."""
    return str((told.fields.get("email") if told else None) or "").strip() or None


def key_of_membership(member: ToldMembership, affiliate_key: str | None) -> str | None:
    """Return what the platform calls a membership: its id, else both its parents'."""
    if member.told.id:
        return member.told.id
    program = member.program.id if member.program else None
    return f"{affiliate_key}:{program}" if affiliate_key and program else None


def fields_of(kind: type[Struct], told: Told) -> dict[str, Any]:
    """Return what was told of a record and has a place in it. None stays out where the record must have a value."""
    places = _places(kind)
    return {
        name: value for name, value in told.fields.items() if name in places and (value is not None or places[name])
    }


@cache
def _places(kind: type[Struct]) -> dict[str, bool]:
    """Return the fields of a record that may be told, and of each whether it may be None. For our few kinds of records."""
    return {one.name: one.default is None for one in structs.fields(kind) if one.name not in _OURS}


def number_of(record_id: str) -> int:
    """Return a number for a record that no registry numbered: always the same for the same id."""
    return NUMBER_FIRST + ids.number_of(record_id) % _NUMBERS
