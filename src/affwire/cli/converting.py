"""`affwire convert`: a platform's message in another platform's words, and each thing that did not come through."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET

from affwire.cli.spelling import hint, unknown_dialect
from affwire.cli.terminal import say, show_json
from affwire.dialects.base import Dialect
from affwire.dialects.converting import Conversion, convert, word_of
from affwire.errors import Refused, Undecodable, Unencodable
from affwire.model.canonical import timed
from affwire.model.events import EVENT_TYPES
from affwire.plugins import load_dialects
from affwire.rules.losses import Lost

_NAMES: Final = ("affiliate.first_name", "affiliate.last_name")


def run(source: str, target: str, event: str | None, file: Path | None, *, as_json: bool) -> bool:
    """Convert the body on stdin, or each line of a file; return whether everything was said. Raises Refused, Undecodable."""
    one, other = _dialect(source), _dialect(target)
    if event is not None and word_of(one, event) is None:
        words = [word.name for word in one.card.words]
        raise Refused("unknown_event_type", f"{source} has no word for {event!r}; {hint(event, EVENT_TYPES, words)}")
    now = time.time_ns() // 1_000_000
    if file is None:
        return _show(_converted(one, other, read_stdin(), now, event), other, as_json=as_json)
    said = []
    for number, body in _lines(file):
        try:
            done = _converted(one, other, body, now, event)
            said.append(_show(done, other, as_json=as_json, head=f"line {number}: "))
        except (Undecodable, Unencodable) as error:
            say(f"line {number}: {error.sentence}")
            said.append(False)
    return all(said)


def read_stdin() -> bytes:
    """Return the body on stdin; whoever types it is told how to end."""
    if sys.stdin.isatty():
        say("Type or paste the body, then Ctrl-D.")
    return sys.stdin.buffer.read()


def _dialect(name: str) -> Dialect:
    dialects = load_dialects()
    if name not in dialects:
        raise unknown_dialect(name, dialects)
    if dialects[name].card.inbound is None:
        raise Refused("unknown_dialect", f"{name} is only written, and cannot be read: its card has no [inbound].")
    return dialects[name]


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    with file.open("rb") as lines:
        yield from ((number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip())


def _converted(source: Dialect, target: Dialect, body: bytes, now: int, event: str | None) -> Conversion:
    try:
        return convert(source, target, body, now, event)
    except Undecodable as error:
        bare = "" if event else " A bare record needs --event, to say what happened to it."
        raise Undecodable(error.code, f"This is no message of {source.card.name}: {error.sentence}{bare}") from error


def _show(done: Conversion, target: Dialect, *, as_json: bool, head: str = "") -> bool:
    lost = [*(_told(one, target) for one in done.lost), *map(_unread, done.unread)]
    if as_json:
        sayings = [json.loads(body) for body in done.sayings]
        show_json({"word": done.word, "sayings": sayings, "lost": lost, "reason": done.reason})
    else:
        for body in done.sayings:
            sys.stdout.buffer.write(body + b"\n")
        sys.stdout.buffer.flush()
        for one in lost:
            value = f" ({_shown(one['value'])})" if one["value"] is not None else ""
            say(f"{head}lost: {one['field']}{value}: {one['why']}")
    if done.reason is not None:
        say(f"{head or 'affwire: '}Nothing is said: {done.reason}.")
    return done.reason is None


def _told(lost: Lost, target: Dialect) -> dict[str, Any]:
    """Return a loss as data; times are texts."""
    name = lost.field.rpartition(".")[2]
    value = timed(name, lost.value)
    if lost.became is not UNSET:
        became = timed(name, lost.became)
        return {
            "field": lost.field,
            "value": value,
            "became": became,
            "why": f"{target.card.name} tells {_shown(became)}",
        }
    return {"field": lost.field, "value": value, "became": None, "why": _why(lost.canonical, target)}


def _why(canonical: str, target: Dialect) -> str:
    name = target.card.name
    if canonical in _NAMES and target.card.carries("affiliate.name"):
        return f"{name} does not tell it here"
    return f"{name} does not tell it here" if target.card.carries(canonical) else f"{name} has no field for it"


def _unread(path: str) -> dict[str, Any]:
    return {
        "field": path,
        "value": None,
        "became": None,
        "why": "affwire has no field for it, so no other dialect tells it",
    }


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
