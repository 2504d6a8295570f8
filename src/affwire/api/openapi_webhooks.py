"""The `webhooks` of the OpenAPI description: every word of every dialect, made from its card and its samples.

The one rule: nothing is written here that a card or a sample does not say.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from affwire.dialects.base import Card, Dialect, Word, load_samples
from affwire.rules.matching import covers

TOKEN: Final = "endpointToken"  # noqa: S105 -- the name of a scheme
TOKEN_SCHEME: Final = {"type": "http", "scheme": "bearer", "description": "Sent if the endpoint has a token."}
_SCALARS: Final = {bool: "boolean", int: "integer", float: "number", str: "string"}
ITEM: Final = "[]"
"""Stands for a list's items in the paths of a card."""


def webhooks(dialects: Mapping[str, Dialect]) -> dict[str, Any]:
    """Return the path items by dialect and word ("rewardful affiliate.confirmed"), in order of the cards."""
    return {
        f"{name} {said}": {"post": _operation(dialect.card, word, said, sample)}
        for name, dialect in dialects.items()
        for word, said, sample in _words(dialect)
    }


def _words(dialect: Dialect) -> list[tuple[Word, str, Any]]:
    """Return each word with what stands on the wire and its sample; an open word once for each sample of its family."""
    card = dialect.card
    samples = {said: msgspec.json.decode(body) for said, body in load_samples(type(dialect).__module__).items()}
    return [(word, said, sample) for word in card.words for said, sample in samples.items() if card.word(said) == word]


def _operation(card: Card, word: Word, said: str, sample: Any) -> dict[str, Any]:
    media = {"schema": schema_of(card, sample), "example": sample}
    return {
        "operationId": f"{card.name}_{said}",
        "tags": [f"webhooks: {card.name}"],
        "summary": word.meaning,
        "description": f"{card.title}. May be said for: {', '.join(word.canonical)}. Dedupe on: {', '.join(card.dedupe)}.",
        "security": [{}, {TOKEN: []}] if card.authentication.kind == "bearer" else [],
        "parameters": _headers(card),
        "requestBody": {"required": True, "content": {"application/json": media}},
        "responses": {card.promise.success: {"description": _promise(card)}},
    }


def _headers(card: Card) -> list[dict[str, Any]]:
    """Return the headers that authenticate; a bearer token is a security scheme instead."""
    form, defaults = card.authentication, {name: option.default for name, option in card.options.items()}
    return [
        {
            "name": header,
            "in": "header",
            "required": True,
            "schema": {"type": "string"},
            "description": form.summary,
        }
        for header in card.written(defaults)
        if form.kind != "bearer"
    ]


def _promise(card: Card) -> str:
    tries, seconds = len(card.promise.retry_schedule), card.promise.total_timeout
    again = f"is tried again up to {tries} times" if tries else "is not tried again"
    return f"Received. Any other answer, or none within {seconds:g} s, {again}."


def schema_of(card: Card, sample: Any, path: str = "") -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a dialect's bodies that look like this sample.

    What the card lists as nullable may be null, what it lists as optional is not required; a null in a sample may be
    anything, and a list may be empty.
    """
    described = _typed(card, sample, path)
    if _listed(path, card.nullable) and "type" in described:
        described["type"] = [described["type"], "null"]
    return described


def _typed(card: Card, sample: Any, path: str) -> dict[str, Any]:
    if isinstance(sample, dict):
        return _object(card, sample, path)
    if isinstance(sample, list):
        return {"type": "array", "items": _item(card, sample, f"{path}{ITEM}")}
    return {} if sample is None else {"type": _SCALARS[type(sample)]}


def _item(card: Card, items: list[Any], path: str) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = []
    for item in items:
        described = schema_of(card, item, path)
        if described not in kinds:
            kinds.append(described)
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {}


def _object(card: Card, sample: dict[str, Any], path: str) -> dict[str, Any]:
    members = {name: f"{path}.{name}" if path else name for name in sample}
    required = [name for name, place in members.items() if not _listed(place, card.optional)]
    described = {name: schema_of(card, sample[name], place) for name, place in members.items()}
    return {"type": "object", "properties": described, **({"required": required} if required else {})}


def _listed(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a path is among a card's; `*` at a pattern's end stands for all that follows."""
    return any(covers(pattern, path) for pattern in patterns)
