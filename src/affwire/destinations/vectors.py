"""Run address vectors (lists of URLs to refuse or allow) against the guard as it is, with the operator's defaults.

The one rule: never real DNS. A vector brings its own answers; a name without any is an empty answer, which is refused.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from itertools import chain
from typing import Any, Final

from affwire.destinations import addresses, urls
from affwire.destinations.addresses import Address
from affwire.destinations.guard import Guard, Rules
from affwire.errors import Refused

SELF: Final = "$SELF"
_OWN_ADDRESS: Final = "192.30.252.1"
"""Stands for $SELF: public by its number, so that only the rule against calling oneself can refuse it."""
_STEERING: Final = frozenset({"location", "alt-svc", "refresh", "content-location", "link"})
"""Response headers that name a second target."""


async def run(vectors: Iterable[Any]) -> AsyncIterator[dict[str, str]]:
    """Yield {"input", "verdict": "refuse" | "allow", "why"} per vector, in order.

    A vector is a dict with `input` (a URL) and, optionally: `dns` (a list of address texts per lookup, each judged),
    `cname` (a name), `header` ([name, value]), `response` ({"status", "location", "headers"}: a second target is never
    dialled, so it is refused). Null counts as absent. Raises ValueError, naming the vector's number, if one is not of that shape.
    """
    for number, vector in enumerate(vectors, 1):
        parts = _present(vector)
        _check(parts, number)
        why = await _refusal(parts)
        yield {
            "input": parts["input"],
            "verdict": "refuse" if why else "allow",
            "why": why or "public and well-formed",
        }


class _Answers:
    """A resolver that gives a vector's answers in turn, then none. ValueError if one holds what is no address."""

    def __init__(self, answers: list[list[str]]) -> None:
        self._left = [tuple(addresses.parse(text.replace(SELF, _OWN_ADDRESS)) for text in answer) for answer in answers]

    def remembered(self, host: str) -> None:
        """Every answer counts."""

    async def lookup(self, host: str, timeout_ms: int) -> tuple[Address, ...]:  # noqa: ARG002 - the contract's arguments
        return self._left.pop(0) if self._left else ()

    def close(self) -> None:
        """Nothing to let go."""


async def _refusal(vector: dict[str, Any]) -> str | None:
    url = vector["input"].replace(SELF, _OWN_ADDRESS)
    lookups = vector.get("dns") or [[]]
    try:
        own = frozenset({(_OWN_ADDRESS, _port(url))} if _names_self(vector["input"], lookups) else ())
        guard = Guard(Rules(), _Answers(lookups), lambda: own)
        parsed = guard.judge_url(url)
    except Refused as refusal:
        return refusal.sentence
    except ValueError:
        return "An answer holds what is no address."
    for _ in lookups:
        resolution = await guard.resolve(parsed)
        if not resolution.addresses:
            return resolution.refusal or "The name has no address."
    return _steering(vector, guard)


def _steering(vector: dict[str, Any], guard: Guard) -> str | None:
    if "cname" in vector and _is_bad_name(guard, vector["cname"]):
        return "The name is an alias of a name that is not allowed."
    if _names_second_target(vector.get("response", {})):
        return "The answer names a second target, which is never dialled."
    return guard.judge_header(*vector["header"]) if "header" in vector else None


def _is_bad_name(guard: Guard, name: str) -> bool:
    try:
        guard.judge_url(f"https://{name}/")
    except Refused:
        return True
    return False


def _names_second_target(response: dict[str, Any]) -> bool:
    return bool(response.get("location")) or not _STEERING.isdisjoint(map(str.lower, response.get("headers", {})))


def _port(url: str) -> int:
    try:
        return urls.parse(url).port
    except Refused:
        return 0


def _present(vector: Any) -> Any:
    """Return the vector without the optional parts that are null."""
    if not isinstance(vector, dict):
        return vector
    return {name: part for name, part in vector.items() if part is not None or name not in _SHAPES}


def _names_self(url: str, lookups: list[list[str]]) -> bool:
    return any(SELF in text for text in (url, *chain.from_iterable(lookups)))


def _check(vector: Any, number: int) -> None:
    if not isinstance(vector, dict) or not isinstance(vector.get("input"), str):
        raise ValueError(f"vector {number} is not an object with an input text")  # noqa: TRY004 - bad data, not a bad call
    for field, is_shaped in _SHAPES.items():
        if field in vector and not is_shaped(vector[field]):
            raise ValueError(f"vector {number}: {field} does not have the shape it should")


def _is_answers(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(answer, list) and _are_texts(answer) for answer in value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == len(("name", "value")) and _are_texts(value)


def _is_response(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("headers", {}), dict)


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


_SHAPES: Final[dict[str, Callable[[Any], bool]]] = {
    "dns": _is_answers,
    "cname": lambda value: isinstance(value, str),
    "header": _is_pair,
    "response": _is_response,
}
