"""`--set k=v`: fields of a record typed at a terminal.

`plan.name=gold` sets a member of an object; a value that is JSON is taken as such (true, 20, ["a"], null), any other as text.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from affwire.errors import Refused

SEPARATOR: Final = "="
STEP: Final = "."


def assigned(pairs: Sequence[str], fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return `fields` with the pairs on top. Raises Refused("malformed_assignment")."""
    record: dict[str, Any] = dict(fields or {})
    for pair in pairs:
        name, found, text = pair.partition(SEPARATOR)
        if not found or not all(name.split(STEP)):
            raise Refused("malformed_assignment", f"--set {pair!r}: write a field, =, and its value.")
        _put(record, name.split(STEP), _value(text), pair)
    return record


def _put(record: dict[str, Any], steps: list[str], value: Any, pair: str) -> None:
    for step in steps[:-1]:
        record = record.setdefault(step, {})
        if not isinstance(record, dict):
            raise Refused(
                "malformed_assignment", f"--set {pair!r}: {step} is set to something without members already."
            )
    record[steps[-1]] = value


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
