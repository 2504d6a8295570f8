"""What may have been meant by a name that is not there. Rule: one way of saying it, for whatever has names."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Final

from affwire.dialects.base import Card, Dialect
from affwire.errors import NotFound
from affwire.plugins import load_dialects

_NAME_MAX: Final = 100
"""Characters compared; no name is longer, and what is typed could be."""


def hint(name: str, known: Iterable[str], also: Iterable[str] = ()) -> str:
    """Return the end of a sentence: the name that comes closest, `also` among them, or else all that are known."""
    names = list(known)
    near = difflib.get_close_matches(name[:_NAME_MAX], [*names, *also], n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}."


def unknown_dialect(name: str, known: Iterable[str]) -> NotFound:
    """Return the refusal of a dialect that is not there."""
    return NotFound("unknown_dialect", f"There is no dialect {name!r}; {hint(name, known)}")


def installed_cards() -> Mapping[str, Card]:
    """Return the cards of the installed dialects by name."""
    return {name: dialect.card for name, dialect in load_dialects().items()}


def installed_card(name: str) -> Card:
    """Return the card of an installed dialect. Raises NotFound("unknown_dialect")."""
    return installed(name).card


def installed(name: str) -> Dialect:
    """Return an installed dialect. Raises NotFound("unknown_dialect")."""
    dialects = load_dialects()
    if name not in dialects:
        raise unknown_dialect(name, dialects)
    return dialects[name]
