"""Exports: what a listing shows, as JSON (a page), JSON Lines or CSV (everything that matches, up to a limit).

Rule: no cell of a CSV can start a formula, whatever a name holds (OWASP ASVS 1.2.10). A file that is not whole says so in
its last line, and how to go on.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.responses import Response, StreamingResponse

from affwire.errors import Busy, Unauthorized
from affwire.model.problem import MEDIA_TYPE, Problem
from affwire.model.times import rfc3339

if TYPE_CHECKING:
    from affwire.console.listing import Column, Listing, Loaded, Query
    from affwire.console.visit import Visit

ENDINGS: Final = ("json", "jsonl", "csv")
ROWS_MAX: Final = 50_000
"""Rows of one file; its last line says with which cursor the next one begins."""
ROWS_MAX_HEADER: Final = "Affwire-Rows-Max"
_PAGE: Final = 200
_FORMULA: Final = re.compile(r"""[\s"'`\u200b\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]""")
"""What a spreadsheet takes for a formula, its wide forms too, also behind quotes and blanks that some of them drop."""
_MARK: Final = b"\xef\xbb\xbf"
"""Without it Excel reads a file as of its own country's letters, not as UTF-8."""
_KINDS: Final = {"json": "application/json", "jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


def is_data(path: str) -> bool:
    """Return whether a path is that of a file, so that what goes wrong is told as the API tells it."""
    return path.rpartition(".")[2] in ENDINGS


def problem(found: Problem) -> Response:
    """Return the answer that tells a program what went wrong."""
    body = found.body(HTTPStatus(found.status).phrase)
    return Response(body, found.status, headers=found.headers, media_type=MEDIA_TYPE)


async def answer(listing: "Listing", visit: "Visit", ending: str) -> Response:
    """Return a listing as a file."""
    query, columns = listing.query(visit), listing.filed(visit)
    name = listing.path.strip("/").replace("/", "-")
    headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
    if ending == "json":
        loaded = await visit.read(lambda tx: listing.loaded(visit, tx, query))
        page = {"data": [record(columns, row) for row in loaded.rows], "next_cursor": loaded.following}
        return Response(msgspec.json.encode(page), media_type=_KINDS[ending])
    await visit.read(lambda tx: listing.check(visit, tx, query))
    headers[ROWS_MAX_HEADER] = str(ROWS_MAX)
    lines = _lines(listing, visit, query, columns, ending)
    return StreamingResponse(lines, media_type=_KINDS[ending], headers=headers)


def record(columns: "Sequence[Column]", row: Any) -> dict[str, Any]:
    """Return a row as a JSON object: its columns by name, times as RFC 3339."""
    return {column.name: plain(column, row) for column in columns}


def plain(column: "Column", row: Any) -> Any:
    """Return a column's value as a file has it."""
    value = column.value(row)
    if value is None:
        return None
    if column.kind in {"time", "ago"}:
        return rfc3339(value)
    return value.text if column.kind in {"badge", "share"} else value


def harmless(value: Any) -> Any:
    """Return a value as a cell that a spreadsheet shows and never computes."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


async def _lines(
    listing: "Listing", visit: "Visit", query: "Query", columns: "Sequence[Column]", ending: str
) -> AsyncIterator[bytes]:
    if ending == "csv":
        yield _MARK + _csv([[column.name for column in columns]])
    query, count = replace(query, limit=_PAGE), 0
    while count < ROWS_MAX:
        try:
            loaded = await _loaded(listing, visit, query)
        except (Unauthorized, Busy):
            break  # the answer has begun: all that can be done is to say where it ends
        count += len(loaded.rows)
        yield _encoded(columns, loaded.rows, ending)
        if loaded.following is None:
            return
        query = replace(query, place=loaded.following)
    yield _cut(query.place, ending)


async def _loaded(listing: "Listing", visit: "Visit", query: "Query") -> "Loaded":
    return await visit.follow(lambda tx: listing.load(visit, tx, query))


def _cut(place: int | None, ending: str) -> bytes:
    """Return the last line of a file that is not whole."""
    if ending == "jsonl":
        return msgspec.json.encode({"next_cursor": place}) + b"\n"
    return _csv([[f"not all: the next file begins at cursor={place}" if place is not None else "not all"]])


def _encoded(columns: "Sequence[Column]", rows: Sequence[Any], ending: str) -> bytes:
    if ending == "jsonl":
        return msgspec.json.Encoder().encode_lines([record(columns, row) for row in rows])
    return _csv([[harmless(plain(column, row)) for column in columns] for row in rows])


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
