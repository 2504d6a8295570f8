"""What a platform exports, as readings: its REST API's answers, its CSV, or the webhooks it sent, one per line.

Rule: a file of another shape than those in SHAPES is refused with what was found; a record that cannot be read is told.
"""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from affwire.dialects.base import Dialect
from affwire.dialects.converting import read
from affwire.dialects.reading import document
from affwire.errors import Refused, Undecodable
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.wire import Message

SHAPES: Final[Mapping[str, str]] = {
    "rewardful": 'the REST API\'s answer to GET /affiliates or /campaigns ({"data": [...]}), a JSON list of such objects, '
    "or CSV whose head line has their fields' names (id, email, first_name, ..., campaign.id)",
    "affonso": 'the REST API\'s answer to a list of affiliates ({"data": [...]}, snake_case), or a JSON list of such objects',
    "tamio": 'the REST API\'s answer to a list ({"affiliates": [...]} or {"affiliate_programs": [...]}), or a JSON list of them',
    "insert_affiliate": "CSV with the columns email, deep_link and perhaps affiliate_id, or a JSON list of such objects",
}
"""What is read of a platform besides its webhooks' bodies."""
BODIES: Final = "webhook bodies, as JSON lines or a JSON list"

_LISTS: Final = ("data", "affiliates", "affiliate_programs", "campaigns")
_KEYS_SHOWN: Final = 8
_BETWEEN: Final = re.compile(r"[^a-z0-9.]+")
_AFFONSO: Final = {"id": "affiliateId", "program_id": "affiliateProgramId"}
_UPPER: Final = frozenset({"status", "accountStatus", "partnershipStatus"})
_CAMPAIGN: Final = frozenset({"reward_type", "private", "commission_percent", "days_until_commissions_are_due"})

Record = dict[str, Any]


class Exported(NamedTuple):
    """One record of an export: its line, or its place in the list, and what it tells or what is wrong with it."""

    number: int
    reading: Reading | None
    problem: str | None = None


def read_export(file: Path, dialect: Dialect, at: int) -> Iterator[Exported]:
    """Return the records of a file. Raises Refused("invalid_import") if it has none of the shapes that are read."""
    found = _csv(file, dialect) if file.suffix.lower() == ".csv" else _json(file, dialect)
    return (_exported(number, record, dialect, at) for number, record in found)


def shapes(name: str) -> str:
    """Return in words what is read of a platform."""
    return f"{SHAPES[name]}; or {BODIES}" if name in SHAPES else BODIES


def _exported(number: int, record: Any, dialect: Dialect, at: int) -> Exported:
    if isinstance(record, str):
        return Exported(number, None, record)
    try:
        return Exported(number, _reading(dialect, record, at))
    except Undecodable as error:
        return Exported(number, None, error.sentence)


def _reading(dialect: Dialect, record: Any, at: int) -> Reading:
    if not isinstance(record, dict):
        raise Undecodable("not_an_object", "This is not a JSON object.")
    body = json.dumps(record).encode()
    document(body)
    try:
        dialect.identify(Message(headers=(), body=body))
    except Undecodable:
        return _bare(dialect, record, at)
    return dialect.decode(Message(headers=(), body=body))


def _bare(dialect: Dialect, record: Record, at: int) -> Reading:
    adapt = _ADAPTED.get(dialect.card.name)
    if adapt is None:
        raise Undecodable("not_this_dialect", f"This is no webhook of {dialect.card.name}.")
    event, shown = adapt(record)
    if dialect.card.name == "insert_affiliate":
        return _insert_affiliate(shown)
    return read(dialect, json.dumps(shown).encode(), at, event)


def _rewardful(record: Record) -> tuple[str, Record]:
    return ("campaign.updated" if _CAMPAIGN & record.keys() else "affiliate.updated"), record


def _affonso(record: Record) -> tuple[str, Record]:
    shown = {_AFFONSO.get(name, _camel(name)): value for name, value in record.items()}
    upper = {name: value.upper() for name, value in shown.items() if name in _UPPER and isinstance(value, str)}
    codes = shown.get("promoCodes")
    if isinstance(codes, list):
        shown["promoCodes"] = [
            {_camel(name): value for name, value in code.items()} if isinstance(code, dict) else code for code in codes
        ]
    return "affiliate.updated", {**shown, **upper}


def _tamio(record: Record) -> tuple[str, Record]:
    if "label" in record and "affiliate_program_id" not in record:
        return "affiliate-program-updated", record
    return ("affiliate-approved" if record.get("approved") else "affiliate-signup"), record


def _insert_affiliate(record: Record) -> Reading:
    """Return an affiliate known by the address; the platform's id is in no dashboard's list."""
    email, own = record.get("email"), record.get("affiliate_id") or None
    if not isinstance(email, str) or "@" not in email:
        raise Undecodable("missing", "email is missing.", path="email")
    link = record.get("deep_link")
    membership = ToldMembership(told=Told(kind="membership", fields={"deep_link": link}))
    return Reading(
        word="affiliate.created",
        affiliate=Told(kind="affiliate", id=own, fields={"email": email}),
        memberships=(membership,) if link else (),
    )


_ADAPTED: Final[dict[str, Callable[[Record], tuple[str, Record]]]] = {
    "rewardful": _rewardful,
    "affonso": _affonso,
    "tamio": _tamio,
    "insert_affiliate": lambda record: ("affiliate.created", record),
}
"""A bare record as its webhook would show it, and the word of that webhook."""


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _json(file: Path, dialect: Dialect) -> Iterator[tuple[int, Any]]:
    content = file.read_bytes()
    try:
        whole = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return _lines(file, content)
    if isinstance(whole, dict):
        named = next((name for name in _LISTS if isinstance(whole.get(name), list)), None)
        if named is None and content.strip().count(b"\n") == 0:
            return iter([(1, whole)])  # JSON lines, of which there is one
        whole = whole[named] if named else whole
    if not isinstance(whole, list):
        raise _unlike(file, dialect, f"it is a JSON object with the keys {_some(whole)}" if whole else "it is empty")
    return enumerate(whole, start=1)


def _lines(file: Path, content: bytes) -> Iterator[tuple[int, Any]]:
    found = [(number, _line(text)) for number, text in enumerate(content.splitlines(), start=1) if text.strip()]
    if found and all(isinstance(record, str) for _, record in found):
        raise Refused("invalid_import", f"{file} holds neither JSON nor JSON lines in UTF-8; CSV has to be named .csv.")
    return iter(found)


def _line(text: bytes) -> Any:
    try:
        return json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return "This is not JSON in UTF-8."


def _csv(file: Path, dialect: Dialect) -> Iterator[tuple[int, Any]]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as content:
        head = next(csv.reader(content), [])
    names = [_BETWEEN.sub("_", cell.strip().lower()).strip("_") for cell in head]
    needed = {"rewardful": "id", "insert_affiliate": "email"}.get(dialect.card.name)
    if needed is None or needed not in names:
        raise _unlike(file, dialect, f"it is CSV with the columns {', '.join(head[:_KEYS_SHOWN]) or '(none)'}")
    return _rows(file, names)


def _rows(file: Path, names: list[str]) -> Iterator[tuple[int, Any]]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as content:
        rows = csv.reader(content)
        next(rows, None)
        try:
            for row in rows:
                if row:
                    yield rows.line_num, _row(names, row)
        except csv.Error as error:
            yield rows.line_num, f"This is not CSV: {error}."


def _row(names: list[str], row: list[str]) -> Record | str:
    if len(row) > len(names):
        return "It has more cells than the head line has names."
    record: Record = {}
    for name, text in zip(names, row, strict=False):
        head, _, member = name.partition(".")
        if text and member:
            record.setdefault(head, {})[member] = text
        elif text:
            record[head] = text
    return record


def _unlike(file: Path, dialect: Dialect, found: str) -> Refused:
    name = dialect.card.name
    return Refused("invalid_import", f"{file} is no export of {name} that is read: {found}. Read are: {shapes(name)}.")


def _some(whole: Mapping[str, Any]) -> str:
    return ", ".join(list(whole)[:_KEYS_SHOWN])
