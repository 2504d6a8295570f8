"""Golden vectors: requests as bytes, with the verdict on each, for verifiers and readers in any language.

`<dialect>.json` beside this file is what `python -m affwire.testing.vectors` writes from `cases`. docs/receivers.md describes
the form.
"""

import base64
from importlib.resources import files
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

FORM: Final = 1
"""Counts up if a field ever changes its meaning."""

Verdict = Literal["genuine", "not_genuine", "undecodable"]


class Vector(Struct, frozen=True, kw_only=True):
    """One request and what is to be thought of it.

    `headers` are pairs, their values latin-1. `now` is when it is judged, unix ms. `reason` is the error's code, None for a
    genuine one; `event`, `word`, `dedupe_key` and `unread` are what a genuine one says.
    """

    dialect: str
    name: str
    headers: list[tuple[str, str]]
    body_base64: str
    secrets: list[str]
    now: int
    options: dict[str, str]
    verdict: Verdict
    reason: str | None = None
    word: str | None = None
    event: str | None = None
    dedupe_key: str | None = None
    unread: list[str] = []

    @property
    def body(self) -> bytes:
        """The raw bytes."""
        return base64.b64decode(self.body_base64)


class Book(Struct, frozen=True, kw_only=True):
    """A file of vectors."""

    form: int
    dialect: str
    vectors: tuple[Vector, ...]


def load(dialect: str) -> tuple[Vector, ...]:
    """Return the golden vectors of a built-in dialect; FileNotFoundError if there are none."""
    text = files(__name__).joinpath(f"{dialect}.json").read_bytes()
    return msgspec.json.decode(text, type=Book).vectors


def dump(dialect: str, vectors: tuple[Vector, ...]) -> bytes:
    """Return the file that holds these vectors."""
    book: Any = msgspec.to_builtins(Book(form=FORM, dialect=dialect, vectors=vectors))
    return msgspec.json.format(msgspec.json.encode(book), indent=1) + b"\n"
