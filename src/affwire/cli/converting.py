"""`affwire convert`: a platform's message in another platform's words, and each thing that did not come through."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from affwire.cli.spelling import hint, unknown_dialect
from affwire.cli.terminal import say, show_json
from affwire.dialects import accounting
from affwire.dialects.base import Dialect
from affwire.dialects.converting import Conversion, convert, word_of
from affwire.errors import Refused, Undecodable, Unencodable
from affwire.model.events import EVENT_TYPES
from affwire.plugins import load_dialects


def run(source: str, target: str, event: str | None, file: Path | None, *, as_json: bool) -> bool:
    """Convert the body on stdin, or each line of a file; return whether everything was said. Raises Refused, Undecodable."""
    one, other = _dialect(source), _dialect(target)
    if event is not None and word_of(one, event) is None:
        words = [word.name for word in one.card.words]
        raise Refused("unknown_event_type", f"{source} has no word for {event!r}; {hint(event, EVENT_TYPES, words)}")
    now = time.time_ns() // 1_000_000
    if file is None:
        return _show(_converted(one, other, read_stdin(), now, event), one, other, as_json=as_json)
    said = []
    for number, body in _lines(file):
        try:
            done = _converted(one, other, body, now, event)
            said.append(_show(done, one, other, as_json=as_json, line=number))
        except (Undecodable, Unencodable) as error:
            _show_refused(error.sentence, number, as_json=as_json)
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
    if not body.strip():
        raise Undecodable("not_json", "There is no body: nothing came.")
    try:
        return convert(source, target, body, now, event)
    except Undecodable as error:
        bare = " A bare record needs --event, to say what happened to it." if not event and _is_foreign(error) else ""
        raise Undecodable(error.code, f"This is no message of {source.card.name}: {error.sentence}{bare}") from error


def _is_foreign(error: Undecodable) -> bool:
    """Whether the body is sound JSON, and only not in the form of the dialect's messages."""
    return error.code == "not_this_dialect"


def _show(done: Conversion, source: Dialect, target: Dialect, *, as_json: bool, line: int | None = None) -> bool:
    lost, made_up = accounting.lost(done, target), accounting.made_up(done)
    head = "" if line is None else f"line {line}: "
    if as_json:
        sayings = [json.loads(body) for body in done.sayings]
        shown = {"word": done.word, "sayings": sayings, "lost": lost, "made_up": made_up, "reason": done.reason}
        show_json(shown if line is None else {"line": line, **shown})
    else:
        for body in done.sayings:
            sys.stdout.buffer.write(body + b"\n")
        sys.stdout.buffer.flush()
        for one in lost:
            say(f"{head}lost: {one['field']}{_bracketed(one['value'])}: {one['why']}")
        for one in made_up:
            say(f"{head}made up: {one['field']}{_bracketed(one['value'])}: {source.card.name} does not tell it here")
    if done.reason is not None:
        say(f"{head or 'affwire: '}Nothing is said: {done.reason}.")
    return done.reason is None


def _show_refused(sentence: str, line: int, *, as_json: bool) -> None:
    if as_json:
        show_json({"line": line, "word": None, "sayings": [], "lost": [], "made_up": [], "reason": sentence})
    say(f"line {line}: {sentence}")


def _bracketed(value: Any) -> str:
    return "" if value is None else f" ({accounting.said(value)})"
