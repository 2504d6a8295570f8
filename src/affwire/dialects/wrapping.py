"""Wrapping: a bare record, as a platform's REST API answers it, as the message the platform would have sent of it.

The word's sample is the pattern: the record goes where the sample has its own, and the envelope around it is filled in.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from affwire.dialects.base import Card, Dialect, load_samples
from affwire.dialects.reading import ENVELOPE
from affwire.errors import Undecodable
from affwire.model.times import rfc3339
from affwire.rules.signing import fingerprint

_TIMES: Final = ("updated_at", "updatedAt", "occurred_at", "created_at", "createdAt")
"""What a record may call the time of its last change, the best first."""
_WHEN: Final = "event.occurred_at"

Node = dict[str, Any]


def wrapped(dialect: Dialect, word: str, record: Mapping[str, Any], at: int) -> Node:
    """Return the message; `at` (ms) is its time if the record tells none. Raises Undecodable if no place fits the record."""
    samples = load_samples(type(dialect).__module__)
    if word not in samples:
        raise Undecodable("no_sample", f"There is no sample of {word} to wrap the record by.")
    pattern: Node = json.loads(samples[word])
    place = _place(pattern, record)
    if place is None:
        raise Undecodable(
            "not_this_dialect", f"The body is neither a message of {dialect.card.name} nor a record of it."
        )
    shown = renamed(dialect, _envelope(dialect.card, pattern, place, record, at), word)
    return with_path(shown, place, record if place else {**shown, **record})


def renamed(dialect: Dialect, body: Mapping[str, Any], word: str) -> Node:
    """Return a message with another word, where the dialect's messages have theirs."""
    path = word_path(dialect)
    return with_path(body, path, word)


def word_path(dialect: Dialect) -> tuple[str, ...]:
    """Return where in a message its word stands, as the samples show it. Raises Undecodable if none shows it."""
    for word, sample in load_samples(type(dialect).__module__).items():
        for path, value in _leaves(json.loads(sample)):
            if value == word:
                return path
    raise Undecodable("no_sample", f"No sample of {dialect.card.name} shows where a message has its word.")


def _place(pattern: Node, record: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the path of the sample's object that has the most keys in common with the record, the outer one of two; or None."""
    ranked = [(len(node.keys() & record.keys()), path) for path, node in _nodes(pattern)]
    shared, place = max(ranked, key=lambda one: (one[0], -len(one[1])))
    return place if shared >= min(2, len(record)) and shared else None


def _envelope(card: Card, pattern: Node, place: tuple[str, ...], record: Mapping[str, Any], at: int) -> Node:
    """Return the sample with an id and a time of the record's own; flat dialects keep nothing else of it."""
    digest = fingerprint("wrapped", card.name, json.dumps(record, sort_keys=True))
    told_at = next((record[name] for name in _TIMES if isinstance(record.get(name), str)), rfc3339(at))
    shown: Node = {}
    for path, value in _leaves(pattern):
        name = ".".join(path)
        stands_for = _WHEN if name == "occurred_at" else card.reads.get(name, ENVELOPE)
        if stands_for not in {ENVELOPE, _WHEN} or (place and path[: len(place)] == place):
            continue
        made = str(UUID(bytes=digest[:16])) if name in card.dedupe and name != "occurred_at" else value
        shown = with_path(shown, path, told_at if stands_for == _WHEN else made)
    return shown


def _nodes(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
    yield path, node
    for name, value in node.items():
        if isinstance(value, dict):
            yield from _nodes(value, (*path, name))


def _leaves(node: Node) -> Iterator[tuple[tuple[str, ...], Any]]:
    for path, one in _nodes(node):
        yield from (((*path, name), value) for name, value in one.items() if not isinstance(value, dict))


def at_path(node: Any, path: tuple[str, ...]) -> Any:
    """Return what stands at a path of objects; None if nothing does."""
    for name in path:
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


def with_path(node: Mapping[str, Any], path: tuple[str, ...], value: Any) -> Node:
    """Return the object with another value at a path; what is on the way is made."""
    if not path:
        return dict(value)
    inner = node.get(path[0])
    below = value if len(path) == 1 else with_path(inner if isinstance(inner, Mapping) else {}, path[1:], value)
    return {**node, path[0]: below}
