"""The reading suite's garbage: a genuine sender may still send nonsense. It is read, or Undecodable, and nothing else.

Whatever is read after all can also be said: no value gets into a Reading that a record cannot hold.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from hypothesis import strategies as st
from msgspec import structs

from affwire.dialects.base import Dialect, encode
from affwire.errors import Undecodable, Unencodable
from affwire.model import canonical, ids
from affwire.model.reading import Reading, Told
from affwire.model.wire import Message
from affwire.rules.assembly import Scene, assemble
from affwire.rules.signing import fingerprint
from affwire.testing import events as build
from affwire.testing.card_suite import Check, demand
from affwire.testing.stage import over, request_of, samples_of

_LOST: Final = "zz_of_nobody"
"""A key, and a word, that no dialect has."""
_DEEP: Final = 10_000
_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**15,
    1e308,
    "",
    "x",
    "é" * 300,
    [],
    {},
    [[]],
    [None],
    {"": ""},
    {"id": {}},
)
"""What may stand where another type is expected."""

NASTY: Final[dict[str, bytes]] = {
    "nothing": b"",
    "blank": b" \r\n\t",
    "no JSON": b"hello",
    "half an object": b'{"event":',
    "no object": b"[1,2]",
    "null": b"null",
    "a text": b'"event"',
    "a number": b"17",
    "not UTF-8": b'{"event":"\xff\xfe"}',
    "UTF-16": '{"event":"x"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "deep lists": b"[" * _DEEP + b"]" * _DEEP,
    "deep objects": b'{"a":' * _DEEP + b"1" + b"}" * _DEEP,
    "NaN": b'{"event":NaN}',
    "infinite": b'{"event":1e999}',
    "a huge integer": b'{"event":' + b"9" * 5_000 + b"}",
    "an integer beyond 64 bits": b'{"event":18446744073709551616}',
    "half a surrogate pair": b'{"event":"\\ud800"}',
    "a NUL": b'{"event":"\\u0000"}',
    "a raw NUL": b'{"event":"\x00"}',
    "a key twice": b'{"event":"a","event":"b"}',
    "trailing bytes": b"{}{}",
}
"""Bodies that are no message of anybody."""
SPLICED: Final = (
    b'"\\ud800"',
    b'"\\u0000"',
    b"NaN",
    b"1e999",
    b"9" * 30,
    b'"' + b"a" * 5_000 + b'"',
    b'{"a":' * 99 + b"1" + b"}" * 99,
)
"""Raw values that stand in for another value of a message."""


def nonsense_is_undecodable(dialect: Dialect) -> None:
    """Bodies that are no messages are refused by identify or decode, never with another error."""
    if dialect.card.inbound is None:
        return
    for what, body in NASTY.items():
        demand(_read(dialect, body) is None, f"{what} is read as a message")
    for sample in samples_of(dialect).values():
        whole = encode(sample)
        demand(_read(dialect, whole[:-1] + b',"%s":1,"%s":2}' % ((_LOST.encode(),) * 2)) is None, "a key twice is read")
    over(st.binary(max_size=300), lambda body: demand(_read(dialect, body) is None, "random bytes are read"))


def any_value_anywhere_is_survived(dialect: Dialect) -> None:
    """Whatever stands at a path of a message, it is undecodable, or what is read of it can be said again."""
    if dialect.card.inbound is None:
        return
    tried: set[str] = set()
    for sample in samples_of(dialect).values():
        for path, place in _places(sample):
            if path not in tried:
                tried.add(path)
                for value in _VALUES:
                    _survived(dialect, encode(_with(sample, place, value)))
                for raw in SPLICED:
                    body = encode(_with(sample, place, _LOST)).replace(b'"%s"' % _LOST.encode(), raw)
                    _survived(dialect, body)
                _survived(dialect, encode(_with(sample, place, ...)))


def unknown_keys_are_listed(dialect: Dialect) -> None:
    """A key that nobody knows is listed as unread, and changes nothing else of what is read."""
    if dialect.card.inbound is None:
        return
    for word, sample in samples_of(dialect).items():
        plain = _read(dialect, encode(sample))
        for at in ("", *_branches(dialect, sample)):
            inner = {**sample, at: {**sample[at], _LOST: 1}} if at else {**sample, _LOST: 1}
            reading = _read(dialect, encode(inner))
            demand(plain and reading, f"{word}: one key more is not read")
            path = f"{at}.{_LOST}" if at else _LOST
            demand(reading and path in reading.unread, f"{word}: {path} is not listed as unread")
            same = plain and reading and structs.replace(reading, unread=()) == structs.replace(plain, unread=())
            demand(same, f"{word}: {path} changes what is read")


def unknown_words_mean_nothing(dialect: Dialect) -> None:
    """A word that no card has is kept as it is, and is no event."""
    if dialect.card.inbound is None:
        return
    for word, sample in samples_of(dialect).items():
        body = encode(sample).replace(f'"{word}"'.encode(), b'"%s"' % _LOST.encode())
        reading = _read(dialect, body)
        demand(reading and reading.word == _LOST, f"{_LOST} in the place of {word} is not identified")
        demand(reading and not reading.events, f"{_LOST} in the place of {word} is taken for an event")


GARBAGE_CHECKS: Final[tuple[Check, ...]] = (
    nonsense_is_undecodable,
    any_value_anywhere_is_survived,
    unknown_keys_are_listed,
    unknown_words_mean_nothing,
)


def _read(dialect: Dialect, body: bytes) -> Reading | None:
    """Return what is read, None if it is undecodable; identify and decode are both asked."""
    message = Message(headers=(), body=body)
    with suppress(Undecodable):
        dialect.identify(message)
    try:
        return dialect.decode(message)
    except Undecodable:
        return None


class _Names:
    def of(self, kind: str, key: str, told: Told) -> str:  # noqa: ARG002 -- the key is enough
        return ids.derived(kind, build.SINCE, fingerprint(kind, key))

    def event(self, event_type: str) -> str:
        return ids.derived("event", build.SINCE, fingerprint("event", event_type))


def _survived(dialect: Dialect, body: bytes) -> None:
    reading = _read(dialect, body)
    if reading is None:
        return
    scene = Scene(
        dialect=dialect.card.name, organization=build.organization(), at=build.NOW, request_id=build.id_of("request")
    )
    for event in assemble(reading, scene, _Names()):
        encode(canonical.event(event))
        for saying in dialect.says(event):
            try:
                request_of(dialect, saying, event)
            except Unencodable:
                continue


Place = tuple[str | int, ...]


def _places(node: Any, path: str = "", place: Place = ()) -> Iterator[tuple[str, Place]]:
    """Yield every path of a body, and the keys and indexes that lead there; of a list, its first item's."""
    if place:
        yield path, place
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _places(value, f"{path}.{name}", (*place, name))
    elif isinstance(node, list) and node:
        yield from _places(node[0], f"{path}[]", (*place, 0))


def _with(node: Any, place: Place, value: Any) -> Any:
    """Return a body with another value at a place; `...` takes the key away."""
    first, *rest = place
    changed: Any = dict(node) if isinstance(node, dict) else list(node)
    changed[first] = _with(node[first], tuple(rest), value) if rest else value
    if value is ... and not rest:
        del changed[first]
    return changed


def _branches(dialect: Dialect, sample: dict[str, Any]) -> list[str]:
    """Return the objects right under the root that the card reads into."""
    return [
        name
        for name, value in sample.items()
        if isinstance(value, dict) and any(path.startswith(f"{name}.") for path in dialect.card.reads)
    ]
