"""A word of a dialect at the terminal: which dialect has it, and which event type has it said.

Rule: without a named dialect a word is Standard Webhooks' own, whose words are the canonical event types; else its only owner's.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from affwire.cli.spelling import hint, installed_cards, unknown_dialect
from affwire.cli.trigger import ACTIONS
from affwire.dialects.base import Card, Word
from affwire.errors import Refused

CANONICAL: Final = "standard"
MISSPELT: Final = 0.8
"""So alike (difflib's ratio) that the end of an open word is a slip of the fingers, not a status of somebody's own."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A word as it was meant. `fields` go to the record that the event is about."""

    dialect: str
    event_type: str
    fields: Mapping[str, Any]
    elsewhere: tuple[tuple[str, str], ...]
    """Other dialects that have this word, each with the event type that has them say it, where it is another one."""


def meant(typed: str, named: str | None) -> Meant:
    """Return what a word means in the dialect named, or in the one that has it.

    Raises NotFound("unknown_dialect"), Refused("unknown_event_type", "ambiguous_word", "untriggerable_word").
    """
    cards = installed_cards()
    dialect = owner(typed, named, cards)
    word = cards[dialect].word(typed)
    event_type = _event_type(word)
    if word is None or event_type is None:
        raise Refused(
            "untriggerable_word",
            f"{dialect} says {typed} for what no call can make happen; --sample sends its sample.",
        )
    elsewhere = () if named else tuple(_elsewhere(typed, event_type, cards))
    return Meant(dialect, event_type, _fields(typed, word), elsewhere)


def owner(typed: str, named: str | None, cards: Mapping[str, Card]) -> str:
    """Return the dialect whose word this is. Raises as `meant` does."""
    if named is not None and named not in cards:
        raise unknown_dialect(named, cards)
    having = [name for name, card in cards.items() if named in {None, name} and card.word(typed)]
    if not having:
        raise _unknown(typed, named, cards)
    for name in having:
        _check_end(typed, cards[name])
    if CANONICAL in having or len(having) == 1:
        return CANONICAL if CANONICAL in having else having[0]
    raise Refused("ambiguous_word", f"{typed} is a word of {', '.join(having)}: name one by --dialect.")


def _unknown(typed: str, named: str | None, cards: Mapping[str, Card]) -> Refused:
    """Tell whose word it is, which may have been meant, or what there is: the dialect's words, or the event types."""
    words = [word.name for name, card in cards.items() if named in {None, name} for word in card.words]
    if named is None:
        return Refused("unknown_event_type", f"There is no event type or word {typed!r}; {hint(typed, ACTIONS, words)}")
    owners = ", ".join(name for name, card in cards.items() if card.word(typed))
    told = f"it is one of {owners}." if owners else hint(typed, words)
    return Refused("unknown_event_type", f"There is no word {typed!r} in {named}; {told}")


def _check_end(typed: str, card: Card) -> None:
    """Refuse a misspelt word that an open one would swallow. Raises Refused("unknown_event_type")."""
    word = card.word(typed)
    if word is None or not word.open or word.name == typed:
        return
    family = word.name[:-1]
    ends = [other.name.removeprefix(family) for other in card.words if other.name.startswith(family) and not other.open]
    near = difflib.get_close_matches(typed.removeprefix(family), ends, n=1, cutoff=MISSPELT)
    if near:
        raise Refused("unknown_event_type", f"There is no word {typed!r}; did you mean {family + near[0]!r}?")


def _event_type(word: Word | None) -> str | None:
    return next((name for name in word.canonical if name in ACTIONS), None) if word else None


def _fields(typed: str, word: Word) -> Mapping[str, Any]:
    """The end of an open word is the status that it tells of."""
    return {"status": typed.removeprefix(word.name[:-1])} if word.open and typed != word.name else {}


def _elsewhere(typed: str, event_type: str, cards: Mapping[str, Card]) -> Iterator[tuple[str, str]]:
    for name, card in cards.items():
        other = _event_type(card.word(typed))
        if other not in {None, event_type}:
            yield name, str(other)
