"""Bodies and values as a person reads them: JSON in lines, bytes that are no text in hexadecimal, differences marked."""

import json
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from affwire.console.words import NOTHING
from affwire.model.canonical import timed

SHOWN_MAX: Final = 65_536
"""Bytes of a body that a page shows; all of it is a click away."""
_DUMP_MAX: Final = 2_048
_LINE: Final = 16
_OPENINGS: Final = frozenset({"{", "[", "{}", "[]", "null"})
_PRINTABLE: Final = range(0x20, 0x7F)


class Shown(Struct, frozen=True):
    """A body on a page. `cut`: there is more of it than is shown. `kind`: json, text or bytes."""

    text: str
    kind: str
    cut: bool = False


class Line(Struct, frozen=True):
    """A line of one text; `differs`: the other text has none like it at this place."""

    text: str
    differs: bool


def shown(body: bytes) -> Shown:
    """Return a body: JSON over lines, other text as it is, anything else as its bytes."""
    if len(body) > SHOWN_MAX:
        return Shown(body[:SHOWN_MAX].decode("utf-8", "replace"), "text", cut=True)
    try:
        return Shown(pretty(json.loads(body)), "json")
    except (ValueError, RecursionError):
        pass
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return Shown(dump(body[:_DUMP_MAX]), "bytes", cut=len(body) > _DUMP_MAX)
    return Shown(text, "text")


def pretty(value: Any) -> str:
    """Return JSON over lines."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def dump(body: bytes) -> str:
    """Return bytes in hexadecimal, sixteen to a line, with what of them can be read beside."""
    return "\n".join(_dumped(at, body[at : at + _LINE]) for at in range(0, len(body), _LINE))


def marked(one: Sequence[str], other: Sequence[str]) -> tuple[list[Line], list[Line]]:
    """Return the lines of two texts, each with whether it tells a value that the other tells nowhere, under any name."""
    here, there = {value for line in one if (value := _value(line))}, {_value(line) for line in other}
    return (
        [Line(line, bool(value := _value(line)) and value not in there) for line in one],
        [Line(line, bool(value := _value(line)) and value not in here) for line in other],
    )


def said(field: str, value: Any) -> str:
    """Return the value of a canonical field in a line: times as text, a text as it is, the rest as JSON."""
    value = timed(field.rpartition(".")[2], value)
    if value is None:
        return NOTHING
    return value if isinstance(value, str) and value else msgspec.json.encode(value).decode()


def _value(line: str) -> str:
    """Return what a line of a request tells behind its name; empty where it tells nothing by itself."""
    value = line.partition(": ")[2].strip().rstrip(",")
    return "" if value in _OPENINGS else value


def _dumped(at: int, part: bytes) -> str:
    readable = "".join(chr(one) if one in _PRINTABLE else "." for one in part)
    return f"{at:06x}  {part.hex(' '):<47}  {readable}"
