"""`affwire dialects`: the cards of the installed dialects, as a table or one of them whole."""

import msgspec

from affwire.cli.spelling import installed_card, installed_cards
from affwire.cli.terminal import show_facts, show_json, show_line, show_prose, show_table
from affwire.dialects.base import Card, Promise, Word


def show_all(*, as_json: bool) -> None:
    """Print one row per dialect."""
    cards = installed_cards().values()
    if as_json:
        show_json([msgspec.to_builtins(card) for card in cards])
        return
    headings = ("name", "says", "authentication", "promise", "dedupe on", "endpoints")
    show_table(headings, [_row(card) for card in cards])


def show_one(name: str, *, as_json: bool) -> None:
    """Print one card whole. Raises NotFound("unknown_dialect")."""
    card = installed_card(name)
    if as_json:
        show_json(msgspec.to_builtins(card))
        return
    show_prose("", f"{card.title} ({card.name}): {card.summary}")
    show_line("")
    show_facts(_facts(card))
    show_line("")
    show_table(("word", "said for", "meaning"), [_word(word) for word in card.words])
    for heading, lines in (("it cannot say", card.cannot), ("notes", card.notes)):
        if lines:
            show_line("")
            show_line(heading, "bold")
        for line in lines:
            show_prose("- ", line)


def _row(card: Card) -> tuple[str, ...]:
    return (
        card.name,
        f"{len(card.words)} words",
        card.authentication.kind,
        _promised(card.promise),
        ", ".join(card.dedupe),
        _endpoints(card),
    )


def _facts(card: Card) -> list[tuple[str, str]]:
    options = [
        (f"option {name}", f"{option.meaning} Default: {option.default}.") for name, option in card.options.items()
    ]
    return [
        ("source", card.source),
        ("promise", f"{_promised(card.promise)} ({card.promise.sources})"),
        ("authentication", card.authentication.summary),
        ("dedupe on", ", ".join(card.dedupe)),
        ("endpoints", _endpoints(card)),
        ("objects (?as=)", ", ".join(card.objects)),
        *options,
    ]


def _word(word: Word) -> tuple[str, str, str]:
    asked = " Only to endpoints that ask for it by name." if word.explicit else ""
    return word.name, ", ".join(word.canonical), word.meaning + asked


def _endpoints(card: Card) -> str:
    return "many" if card.endpoints_max is None else str(card.endpoints_max)


def _promised(promise: Promise) -> str:
    retries = len(promise.retry_schedule)
    counts = "any 2xx" if promise.success == "2xx" else "exactly 200"
    tried = f"{retries} retries in {_span(sum(promise.retry_schedule))}" if retries else "no retries"
    return f"{counts} within {promise.total_timeout:g} s, {tried}"


def _span(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
