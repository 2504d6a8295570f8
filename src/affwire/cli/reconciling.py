"""`affwire reconcile`: the drift between the registry and a platform's export, and on wish the writes that end it.

Rule: nothing is taken away on a list's word; what is missing there is only told.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from affwire.cli.client import Client, Unanswered
from affwire.cli.drift import Drift, Found, Here, There, compared, find
from affwire.cli.exports import read_export
from affwire.cli.seeding import NOT_FOUND, OVER, knows, left_out_of, operations, say_left_out
from affwire.cli.spelling import unknown_dialect
from affwire.cli.talking import at
from affwire.cli.terminal import say, show_json, show_table
from affwire.dialects.base import Dialect
from affwire.model.reading import Reading
from affwire.plugins import load_dialects

_PAGE: Final = 200
_CHUNK: Final = 200
"""Writes of one batch."""
_KINDS: Final = {"program": "programs", "affiliate": "affiliates", "membership": "memberships"}
_CONFIRMED: Final = "confirmed_at"

Operation = dict[str, Any]


def reconcile(client: Client, file: Path, source: str, *, apply: bool, as_json: bool) -> bool:
    """Show the drift; return whether there is none (any more). Raises Refused for a file that is no export."""
    dialects = load_dialects()
    if source not in dialects:
        raise unknown_dialect(source, dialects)
    dialect = dialects[source]
    readings, bad = _readings(file, dialect)
    there = There()
    for reading in readings:
        there.take(reading)
    here = Here(*(list(_all(client, f"/v1/{kind}")) for kind in _KINDS.values()))
    found = _with_identities(client, find(there, here, source), there, source)
    drift = list(compared(dialect.card, there, here, found))
    written, refused = _apply(client, dialect, drift, readings) if apply else (0, [])
    uncompared = Counter(name for reading in readings for name in left_out_of(reading) if name != OVER)
    _show(drift, refused, uncompared, apply=apply, written=written, as_json=as_json)
    left = [one for one in drift if one.how == "missing there" or not apply]
    return not (left or refused or bad)


def _readings(file: Path, dialect: Dialect) -> tuple[list[Reading], int]:
    records = list(read_export(file, dialect, time.time_ns() // 1_000_000))
    for record in records:
        if record.problem is not None:
            say(f"line {record.number}: {record.problem}")
    readings = [record.reading for record in records if record.reading is not None]
    return readings, len(records) - len(readings)


def _all(client: Client, path: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = client.get(path, limit=_PAGE, cursor=cursor)
        yield from page["data"]
        cursor = page["next_cursor"]
        if not cursor:
            return


def _with_identities(client: Client, found: Found, there: There, source: str) -> Found:
    """Return what was found, and what a mirror knows under the platform's id without carrying it."""

    def more(kind: str, keys: Sequence[str]) -> dict[str, Any]:
        asked = {key: _looked_up(client, f"/v1/{kind}", f"ext:{source}:{key}") for key in keys}
        return {key: record for key, record in asked.items() if record is not None}

    programs = more("programs", [key for key in there.programs if key not in found.programs])
    affiliates = more("affiliates", [key for key in there.affiliates if key not in found.affiliates])
    return Found({**found.programs, **programs}, {**found.affiliates, **affiliates})


def _looked_up(client: Client, path: str, record_id: str) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = client.get(at(path, record_id))
    except Unanswered as answer:
        if answer.facts.get("status") == NOT_FOUND:
            return None
        raise
    return record


def _apply(
    client: Client, dialect: Dialect, drift: Sequence[Drift], readings: Sequence[Reading]
) -> tuple[int, list[str]]:
    """Write what is missing or differs here, with events.

    Return the number of writes, one per record and confirmation, and what the server refused, in sentences.
    """
    name = dialect.card.name
    wished = [*_missing(drift, readings, name, cache(lambda own: knows(client, f"ext:{name}:{own}"))), *_changed(drift)]
    refused: list[str] = []
    for start in range(0, len(wished), _CHUNK):
        rest = wished[start : start + _CHUNK]
        while rest:
            try:
                client.post("/v1/batches", {"emit": True, "operations": rest})
                break
            except Unanswered as answer:
                index = answer.facts.get("operation")
                if not isinstance(index, int) or not 0 <= index < len(rest):
                    raise
                refused.append(f"{rest[index]['path']}: {answer.sentence}")
                del rest[index]
    for sentence in refused:
        say(sentence)
    return len(wished) - len(refused), refused


def _missing(
    drift: Sequence[Drift], readings: Sequence[Reading], name: str, knows_program: Callable[[str], bool]
) -> Iterator[Operation]:
    """Yield the writes of records that are missing here, in the order in which they build on each other."""
    wanted = {(one.kind, one.id) for one in drift if one.how == "missing here"}
    made: dict[str, Operation] = {}
    for reading in readings:
        for operation in operations(reading, name, knows_program):
            if _named(operation) in wanted:
                made[operation["path"]] = operation  # the last word counts, in the place of the first
    return iter(made.values())


def _named(operation: Operation) -> tuple[str, str]:
    _, _, noun, own = operation["path"].split("/")
    kind = next(one for one, many in _KINDS.items() if many == noun)
    namespace, _, value = unquote(own).removeprefix("ext:").partition(":")
    return kind, f"email:{value}" if namespace.endswith(".email") else value


def _changed(drift: Sequence[Drift]) -> Iterator[Operation]:
    """Yield one write per record that differs."""
    bodies: dict[str, dict[str, Any]] = {}
    for one in drift:
        if one.how == "differs" and one.field != _CONFIRMED:
            bodies.setdefault(f"/v1/{_KINDS[one.kind]}/{one.ours}", {})[one.field] = one.there
        elif one.how == "differs" and one.here is None:
            yield {"method": "POST", "path": f"/v1/affiliates/{one.ours}/confirm"}
    for path, body in bodies.items():
        yield {"method": "PATCH", "path": path, "body": body}


def _show(
    drift: Sequence[Drift],
    refused: Sequence[str],
    uncompared: Counter[str],
    *,
    apply: bool,
    written: int,
    as_json: bool,
) -> None:
    gone = sum(one.how == "missing there" for one in drift)
    if as_json:
        shown = [one.as_dict() for one in drift]
        apart = dict(uncompared)
        show_json({"drift": shown, "applied": written, "refused": list(refused), "not_compared": apart})
        return
    if drift:
        rows = [(one.kind, one.id, one.ours, one.how, one.field, one.there, one.here) for one in drift]
        show_table(("kind", "there", "here", "drift", "field", "is there", "is here"), rows)
    say_left_out(uncompared, "Not compared")
    told = f"{len(drift)} difference{'s' * (len(drift) != 1)}" if drift else "There is no drift"
    say(f"{told}." if not apply or not drift else f"{told}; those that could be written here were, with events.")
    if apply and gone:
        say(f"{gone} missing there were left as they are: nothing is taken away on a list's word.")
