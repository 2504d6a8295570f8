"""The lines of a file to import, as operations of a batch. A line that cannot be read is told, not raised.

CSV: a head line with field names, `external_ids.crm` for a member of an object, `a;b` for a list, an empty cell for nothing.
"""

import csv
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import UnionType
from typing import Any, Final, NamedTuple, get_args, get_origin, get_type_hints
from urllib.parse import quote

from affwire.cli.spelling import hint
from affwire.errors import Refused
from affwire.model.registry import Affiliate, Group, Link, Membership, Program, PromoCode

KINDS: Final[dict[str, Any]] = {
    "affiliates": Affiliate,
    "programs": Program,
    "memberships": Membership,
    "groups": Group,
    "links": Link,
    "promo-codes": PromoCode,
}
BY_OWN_ID: Final = ("affiliates", "programs", "memberships")

_OPERATION: Final = {"method", "path", "body"}


class Line(NamedTuple):
    """One record of the file: where it begins, and the operation that it is or what is wrong with it.

    `place`: what a person is told in place of the number, where one record is several operations.
    """

    number: int
    operation: dict[str, Any] | None
    problem: str | None = None
    place: int | None = None

    @property
    def shown(self) -> int:
        """Where a person finds it in the file."""
        return self.number if self.place is None else self.place


def read_lines(file: Path, kind: str, by: str | None) -> Iterator[Line]:
    """Return the lines of a .csv file, or else of JSON lines. Raises Refused("invalid_import") for a kind that is none."""
    if kind not in KINDS:
        raise Refused("invalid_import", f"There is no kind {kind!r}; {hint(kind, KINDS)}")
    if by is not None and kind not in BY_OWN_ID:
        raise Refused("invalid_import", f"Ids of your own are for {', '.join(BY_OWN_ID)}; {kind} have none.")
    read = _csv if _is_csv(file) else _jsonl
    return (_line(number, record, kind, by) for number, record in read(file, kind))


def count(file: Path) -> int:
    """Return how many records a file holds, without looking into them: no head line, no blank ones."""
    if not _is_csv(file):
        with file.open("rb") as lines:
            return sum(1 for text in lines if text.strip())
    found = 0
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as content, suppress(csv.Error):
        for row in csv.reader(content):
            found += bool(row)
    return max(found - 1, 0)


def _is_csv(file: Path) -> bool:
    return file.suffix.lower() == ".csv"


def _line(number: int, record: Any, kind: str, by: str | None) -> Line:
    if isinstance(record, str):
        return Line(number, None, record)
    if "method" in record and record.keys() <= _OPERATION:
        return Line(number, record)
    if by is None:
        return Line(number, {"method": "POST", "path": f"/v1/{kind}", "body": record})
    own = record.get("external_ids")
    value = own.get(by) if isinstance(own, dict) else None
    if not isinstance(value, str) or not value:
        return Line(number, None, f"It has no external_ids.{by}.")
    return Line(number, {"method": "PUT", "path": f"/v1/{kind}/ext:{by}:{quote(value, safe='')}", "body": record})


def _jsonl(file: Path, kind: str) -> Iterator[tuple[int, Any]]:  # noqa: ARG001 -- JSON has types of its own
    with file.open("rb") as lines:
        for number, text in enumerate(lines, start=1):
            if text.strip():
                yield number, _object(text)


def _object(text: bytes) -> dict[str, Any] | str:
    try:
        record = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return "This is not JSON in UTF-8."
    return record if isinstance(record, dict) else "This is not a JSON object."


def _csv(file: Path, kind: str) -> Iterator[tuple[int, Any]]:
    hints = get_type_hints(KINDS[kind])
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as content:
        rows = csv.DictReader(content)
        try:
            for row in rows:
                yield rows.line_num, _record(row, hints)
        except csv.Error as error:
            yield rows.line_num, f"This is not CSV: {error}."


def _record(row: dict[Any, Any], hints: dict[str, Any]) -> dict[str, Any] | str:
    if None in row:
        return "It has more cells than the head line has names."
    record: dict[str, Any] = {}
    for name, text in row.items():
        if not text:
            continue
        head, _, member = name.strip().partition(".")
        try:
            if member:
                record.setdefault(head, {})[member] = text
            else:
                record[head] = _value(text, hints.get(head, str))
        except ValueError:
            return f"{head}: {text[:50]!r} is not what belongs here."
    return record


def _value(text: str, hint: Any) -> Any:
    """Return a cell as its field's type has it; times stay texts, as the API takes them."""
    kinds = {get_origin(one) or one for one in (get_args(hint) if isinstance(hint, UnionType) else (hint,))}
    if bool in kinds:
        return _FLAGS[text.strip().lower()] if text.strip().lower() in _FLAGS else _raise(text)
    if float in kinds:
        return float(text)
    if int in kinds and text.strip().lstrip("-").isdigit():
        return int(text)
    if list in kinds:
        return [part.strip() for part in text.split(";") if part.strip()]
    return text


_FLAGS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _raise(text: str) -> bool:
    raise ValueError(text)
