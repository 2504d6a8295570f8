"""Compares what a dialect renders with its sample: the same keys, values of the same types.

A sample shows one value per key: null, {} and [] say nothing about what else may stand there.
"""

from collections.abc import Iterator
from typing import Any

from affwire.dialects.base import Card
from affwire.rules.matching import covers


def differences(card: Card, sample: Any, rendered: Any, path: str = "") -> Iterator[str]:
    """Yield a sentence for each place where `rendered` is not of the sample's shape (card: nullable, optional)."""
    if sample is None or (rendered is None and _listed(card.nullable, path)):
        return
    if isinstance(sample, dict) and isinstance(rendered, dict):
        yield from _keys(card, sample, rendered, path)
    elif isinstance(sample, list) and isinstance(rendered, list):
        for item in rendered if sample else []:
            yield from differences(card, sample[0], item, f"{path}[]")
    elif _type(rendered) not in _allowed(sample):
        yield f"{path or 'the body'} is {_type(rendered)}, in the sample {_type(sample)}"


def find(body: Any, path: str) -> Any:
    """Return the value at a dotted path of objects; KeyError if there is none."""
    for name in path.split("."):
        if not isinstance(body, dict):
            raise KeyError(path)
        body = body[name]
    return body


def without(body: Any, paths: tuple[str, ...], at: str = "") -> Any:
    """Return the body without the values at these paths."""
    if not isinstance(body, dict):
        return body
    return {
        name: without(value, paths, _join(at, name)) for name, value in body.items() if _join(at, name) not in paths
    }


def _keys(card: Card, sample: dict[str, Any], rendered: dict[str, Any], path: str) -> Iterator[str]:
    for name in sample.keys() - rendered.keys():
        if not _listed(card.optional, _join(path, name)):
            yield f"{_join(path, name)} is missing"
    for name in rendered.keys() - sample.keys() if sample else ():
        if not _listed(card.optional, f"{path}.*"):
            yield f"{_join(path, name)} stands in no sample"
    for name in sample.keys() & rendered.keys():
        yield from differences(card, sample[name], rendered[name], _join(path, name))


def _listed(patterns: tuple[str, ...], path: str) -> bool:
    return any(covers(pattern, path) for pattern in patterns)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _type(value: Any) -> str:
    return type(value).__name__


def _allowed(sample: Any) -> tuple[str, ...]:
    return ("int", "float") if isinstance(sample, float) else (_type(sample),)
