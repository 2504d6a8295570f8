"""Identifiers: a kind's prefix + a UUIDv7 in 26 characters of Crockford's base32 (lower case).

They sort by creation time, and the 128 bits can be taken out again as a UUID for dialects that speak UUIDs.
"""

from typing import Final
from uuid import UUID

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = tuple(first + second for first in ALPHABET for second in ALPHABET)
_VALUES: Final = {char: value for value, char in enumerate(ALPHABET)}
_LOW_BITS: Final = (1 << 60) - 1
_TEXT_LENGTH: Final = 26

PREFIXES: Final = {
    "organization": "org",
    "key": "key",
    "program": "prg",
    "affiliate": "aff",
    "membership": "mem",
    "group": "grp",
    "link": "lnk",
    "promo_code": "pc",
    "event": "evt",
    "endpoint": "ep",
    "delivery": "dlv",
    "attempt": "att",
    "request": "req",
    "job": "job",
    "source": "src",
    "message": "msg",
    "mail": "mail",
    "application": "app",
    "user": "usr",
}
_KINDS: Final = {prefix: kind for kind, prefix in PREFIXES.items()}


def make(kind: str, now: int, bits: int) -> str:
    """Return a new id of `kind` made at `now` (ms), with 74 random `bits` (more are cut off)."""
    random_a, random_b = (bits >> 62) & 0xFFF, bits & ((1 << 62) - 1)
    number = (now & ((1 << 48) - 1)) << 80 | 7 << 76 | random_a << 64 | 2 << 62 | random_b
    return f"{PREFIXES[kind]}_{text(number)}"


def derived(kind: str, at: int, digest: bytes) -> str:
    """Return the id that a digest of 10 bytes or more stands for: always the same, and of the time `at` (ms)."""
    return make(kind, at, int.from_bytes(digest[:10]))


def text(number: int) -> str:
    """Return 128 bits as 26 characters whose order is the numbers' order."""
    high, low, pairs = number >> 60, number & _LOW_BITS, _PAIRS  # written out: ids are made for every message and try
    return (
        f"{pairs[high >> 60 & 1023]}{pairs[high >> 50 & 1023]}{pairs[high >> 40 & 1023]}{pairs[high >> 30 & 1023]}"
        f"{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}{pairs[high & 1023]}{pairs[low >> 50]}"
        f"{pairs[low >> 40 & 1023]}{pairs[low >> 30 & 1023]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}"
        f"{pairs[low & 1023]}"
    )


def number_of(identifier: str) -> int:
    """Return the 128 bits of an id; ValueError if it is not one."""
    body = identifier.rpartition("_")[2]
    if len(body) != _TEXT_LENGTH or body[0] > "7":
        raise ValueError(f"not an id: {identifier!r}")
    number = 0
    for char in body:
        if char not in _VALUES:
            raise ValueError(f"not an id: {identifier!r}")
        number = number << 5 | _VALUES[char]
    return number


def uuid_of(identifier: str) -> str:
    """Return an id's 128 bits as a UUID in text, as Rewardful and Tamio write them."""
    return str(UUID(int=number_of(identifier)))


def body_of(identifier: str) -> str:
    """Return an id without its prefix."""
    return identifier.rpartition("_")[2]


def kind_of(identifier: str) -> str | None:
    """Return the kind an id's prefix names, or None if it is no id of ours."""
    try:
        number_of(identifier)
    except ValueError:
        return None
    return _KINDS.get(identifier.rpartition("_")[0])
