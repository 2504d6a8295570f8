"""The card's part of the dialect suite: a card is complete and does not contradict itself."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

from affwire.dialects.base import Dialect
from affwire.dialects.fitting import is_field
from affwire.dialects.passing import PLACES
from affwire.dialects.reading import ENVELOPE
from affwire.model.events import EVENT_TYPES, OPERATIONAL
from affwire.model.ids import PREFIXES
from affwire.rules import retry

Check = Callable[[Dialect], None]

TIMEOUT_MAX: Final = 60.0
"""Seconds: a longest request holds a connection and a lease; no platform waits longer than 30."""
WAIT_MAX: Final = 7 * 86_400.0
"""Seconds: a longer wait than a week is no retry any more."""


class Unfit(AssertionError):
    """The dialect breaks its contract; the sentence says where."""


def demand(met: Any, sentence: str) -> None:
    """Raise Unfit with the sentence unless the demand is met."""
    if not met:
        raise Unfit(sentence)


def card_words_are_complete(dialect: Dialect) -> None:
    """Every word has a meaning and comes from canonical events that exist; no word stands there twice."""
    card = dialect.card
    names = [word.name for word in card.words]
    demand(names and len(names) == len(set(names)), f"words of {card.name}: at least one, and none twice")
    for word in card.words:
        demand(word.meaning.strip(), f"{word.name} needs a meaning")
        demand(word.canonical, f"{word.name} needs the canonical events it comes from")
        unknown = set(word.canonical) - EVENT_TYPES.keys() - OPERATIONAL.keys()
        demand(not unknown, f"{word.name} comes from {sorted(unknown)}, which no event is called")
        demand(word.open == word.name.endswith("*"), f"{word.name}: `open` and `*` at the end belong together")


def card_says_who_and_where_from(dialect: Dialect) -> None:
    """Title, summary, source, dedupe fields and the promise's sources are there; options default to a choice."""
    card = dialect.card
    for part in (card.name, card.title, card.summary, card.source, card.promise.sources, card.authentication.summary):
        demand(part.strip(), f"the card of {card.name!r} has an empty name, title, summary or source")
    demand(card.dedupe, "the card names nothing a receiver may dedupe on")
    demand(set(card.objects) <= PREFIXES.keys(), f"objects are of {sorted(PREFIXES)}")
    for title, option in card.options.items():
        demand(option.meaning.strip(), f"option {title} needs a meaning")
        demand(not option.choices or option.default in option.choices, f"option {title}: the default is no choice")


def card_promise_is_sound(dialect: Dialect) -> None:
    """Waits never shrink and stay within bounds; connect and read fit into the total."""
    policy = dialect.card.policy()
    waits = policy.retry_schedule
    demand(len(waits) <= retry.STEPS_MAX, f"at most {retry.STEPS_MAX} retries")
    demand(all(0 < wait <= WAIT_MAX for wait in waits), f"a wait is more than 0 and at most {WAIT_MAX} s")
    demand(all(earlier <= later for earlier, later in pairwise(waits)), "a wait is shorter than the one before")
    demand(policy.total_timeout <= TIMEOUT_MAX, f"a request takes at most {TIMEOUT_MAX} s")
    parts = (policy.connect_timeout, policy.read_timeout)
    demand(all(0 < part <= policy.total_timeout for part in parts), "connect and read are longer than the total")


def card_authentication_is_consistent(dialect: Dialect) -> None:
    """A dialect that signs has a secret, a header and a rotation; one that does not has no secret."""
    auth = dialect.card.authentication
    signs = auth.kind.startswith("hmac")
    demand(signs == (auth.secret != "none"), "a secret and a signature belong together")  # noqa: S105 -- the form's name
    demand(signs == (auth.rotation != "none"), "a rotation and a signature belong together")
    demand((auth.kind == "none") == (auth.header is None), "what authenticates stands in a named header")


def card_reading_is_declared(dialect: Dialect) -> None:
    """What is read, coarse and put in anew is of fields and values that exist; a signed time has a tolerance."""
    card = dialect.card
    if card.inbound is None:
        demand(not (card.reads or card.coarse or card.addressed), "without [inbound], nothing is read")
        return
    demand(card.inbound.paste.strip(), "the card does not say where the ingest URL is pasted")
    demand(card.reads, "the card says nothing about what is read")
    unknown = {target for target in card.reads.values() if target != ENVELOPE and not is_field(target)}
    demand(not unknown, f"{sorted(unknown)} are fields of no record")
    demand(all(map(is_field, card.coarse)), f"{sorted(card.coarse)}: one is no record's field")
    demand(set(card.addressed.values()) <= PLACES.keys(), f"what is put in anew is one of {sorted(PLACES)}")
    demand(all(card.reads.get(path) == ENVELOPE for path in card.addressed), "what is put in anew means something")
    timed = card.authentication.kind == "hmac+time"
    demand(card.inbound.tolerance > 0 if timed else card.inbound.tolerance >= 0, "a signed time needs a tolerance")


CARD_CHECKS: Final[tuple[Check, ...]] = (
    card_words_are_complete,
    card_says_who_and_where_from,
    card_promise_is_sound,
    card_authentication_is_consistent,
    card_reading_is_declared,
)
