"""Recognising: which dialects a message may be of, by reading it with each. The best guess comes first."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from affwire.dialects.base import Dialect
from affwire.errors import Undecodable
from affwire.model.reading import Reading
from affwire.model.wire import Message

_FAR: Final = 1_000


class Guess(Struct, frozen=True):
    """A dialect that reads the message, and what it reads."""

    dialect: Dialect
    reading: Reading


def recognised(dialects: Iterable[Dialect], message: Message) -> list[Guess]:
    """Return the dialects that can read a message: the likeliest first. Whatever the bytes are, it never raises."""
    names = {name.lower() for name, _ in message.headers}
    guesses = [guess for dialect in dialects if dialect.card.inbound and (guess := _read(dialect, message))]
    return sorted(guesses, key=lambda guess: _distance(guess, names))


def _read(dialect: Dialect, message: Message) -> Guess | None:
    try:
        dialect.identify(message)
        return Guess(dialect, dialect.decode(message))
    except Undecodable:
        return None
    except Exception:  # noqa: BLE001 -- what trips a dialect up is not a message of it
        return None


def _distance(guess: Guess, names: set[str]) -> int:
    """How unlikely it is: its headers are missing, its word means nothing, parts of the body are strange to it."""
    written = {name.lower() for name in guess.dialect.card.written({})}
    strange = min(len(guess.reading.unread), _FAR)
    return strange + (0 if guess.reading.events else _FAR) - (2 * _FAR if written & names else 0)
