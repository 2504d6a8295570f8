"""A listing: many records of a kind, declared once as columns, facets and a function that loads a page of them.

From that come its page, its exports (.json, .jsonl, .csv with the same URL) and its live rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from starlette.responses import Response

from affwire.console import charts, exports
from affwire.console.routes import Answer, Do, Page, Route
from affwire.errors import Refused
from affwire.model import times
from affwire.store.tx import Tx

if TYPE_CHECKING:
    from affwire.console.visit import Visit

LIMIT: Final = 50
"""Rows of a page: it stays below 60 KB."""
LIMIT_MAX: Final = 200
PERIODS: Final = {"15m": 900_000, "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000}
SINCE: Final = (("15m", "15 minutes"), ("1h", "hour"), ("24h", "day"), ("7d", "7 days"))
_PLACE_DIGITS_MAX: Final = 18

Kind = Literal["text", "code", "id", "badge", "share", "time", "ago", "ms", "number"]
Tone = Literal["good", "bad", "warn", "calm", "info"]


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in a word; `tone` is its colour, which never says more than the word."""

    text: str
    tone: Tone = "calm"


@dataclass(frozen=True, slots=True)
class Share:
    """A share from 0 to 1, and how it went over time; None where nothing was measured."""

    rate: float | None
    points: Sequence[float] = ()

    @property
    def text(self) -> str | None:
        """The share in percent, rounded down: 100 % is only what is whole."""
        return None if self.rate is None else f"{int(self.rate * 1000) / 10:g}%"

    @property
    def picture(self) -> str:
        """A small line of its course."""
        points = self.points if len(self.points) > 1 else [*self.points] * 2
        return charts.sparkline(points, title=f"{self.text} succeeded") if points else ""


@dataclass(frozen=True, slots=True)
class Column:
    """What a listing shows of each record. `value`: ms for times and durations, a Badge for badges.

    `href`: the path it leads to. `first`: shown on narrow screens too. `chosen`: shown unless others are chosen.
    `filed`: in files also where the page does not show it.
    """

    name: str
    title: str
    value: Callable[[Any], Any]
    kind: Kind = "text"
    href: Callable[[Any], str | None] | None = None
    first: bool = True
    chosen: bool = True
    filed: bool = False


Choices = Sequence[tuple[str, str]]
"""Values and what they are called."""


@dataclass(frozen=True, slots=True)
class Facet:
    """A parameter of the URL that narrows a listing. `chips`: its choices stand side by side, and one click takes one.

    Without choices its field is shown where the URL has it; one that is `typed` is shown always.
    """

    name: str
    title: str
    choices: Callable[["Visit", Tx], Choices] | None = None
    chips: bool = False
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What a URL asks of a listing. `place`: the number behind which the page begins."""

    values: Mapping[str, str]
    place: int | None
    limit: int
    oldest: bool

    def get(self, name: str) -> str | None:
        """Return the value of a facet, None if it is not narrowed."""
        return self.values.get(name)

    def since(self, now: int, name: str = "since") -> int | None:
        """Return the time (ms) of a facet that is a period (1h) or an RFC 3339 time. Raises Refused."""
        text = self.values.get(name)
        if text is None:
            return None
        if text in PERIODS:
            return now - PERIODS[text]
        try:
            return times.parse(text.replace(" ", "+"))
        except ValueError:
            raise Refused("invalid_time", f"{name} is {', '.join(PERIODS)} or an RFC 3339 time.") from None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A page's records, the number behind which the next begins (None: there is none), and what to say of the search."""

    rows: Sequence[Any]
    following: int | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Bulk:
    """What can be done to chosen rows: a POST with their ids as `id` to `path`, which shows first what it would do."""

    title: str
    path: str
    key: str = ""
    scope: str = "registry"


@dataclass(frozen=True, slots=True)
class Live:
    """How rows stay up to date: the position to begin from, and the rows that changed behind one, with positions."""

    newest: Callable[["Visit", Tx], int]
    changes: Callable[["Visit", Tx, Query, int], tuple[list[tuple[int, Any]], int]]


@dataclass(frozen=True, slots=True)
class Listing:
    """The declaration. `empty`: a sentence and the command that fills it. `everything`: what can be done to all that fits."""

    path: str
    title: str
    one: str
    columns: tuple[Column, ...]
    load: Callable[["Visit", Tx, Query], Loaded]
    row_id: Callable[[Any], str]
    row_path: Callable[[Any], str]
    empty: tuple[str, str]
    facets: tuple[Facet, ...] = ()
    bulk: tuple[Bulk, ...] = ()
    everything: Bulk | None = None
    live: Live | None = None
    template: str = "listing.html"
    scope: str = "read"
    ordered: bool = True
    """Whether the oldest may come first."""
    more: Callable[["Visit", Tx], Mapping[str, Any]] = field(default=lambda _visit, _tx: {})

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of the listing, its exports and its live rows."""
        exported = (Answer(f"{self.path}.{ending}", self._exported(ending), self.scope) for ending in exports.ENDINGS)
        live = (Answer(f"{self.path}/live", self._follow, self.scope),) if self.live else ()
        return (Page(self.path, self.template, self.view, self.scope), *exported, *live)

    def view(self, visit: "Visit", tx: Tx) -> Mapping[str, Any]:
        """Return what the page shows."""
        query = self.query(visit)
        loaded = self.load(visit, tx, query)
        return {
            "title": self.title,
            "listing": self,
            "query": query,
            "columns": self.shown(visit),
            "rows": loaded.rows,
            "following": loaded.following,
            "note": loaded.note,
            "choices": {one.name: one.choices(visit, tx) for one in self.facets if one.choices},
            "everything": self.everything if self.everything and visit.may(self.everything.scope) else None,
            "bulk": [one for one in self.bulk if visit.may(one.scope)],
            "live_from": self.live.newest(visit, tx)
            if self.live and query.place is None and not query.oldest
            else None,
            **self.more(visit, tx),
        }

    def query(self, visit: "Visit") -> Query:
        """Return what the URL asks for. Raises Refused("invalid_cursor")."""
        asked = {one.name: visit.asked(one.name) for one in self.facets}
        cursor, limit = visit.asked("cursor"), visit.asked("limit") or ""
        if cursor is not None and not _is_number(cursor):
            raise Refused("invalid_cursor", "The cursor is not one that a page before this had.")
        return Query(
            values={name: value for name, value in asked.items() if value is not None},
            place=None if cursor is None else int(cursor),
            limit=min(int(limit), LIMIT_MAX) if _is_number(limit) and int(limit) else LIMIT,
            oldest=visit.asked("order") == "oldest",
        )

    def shown(self, visit: "Visit") -> list[Column]:
        """Return the columns that the URL chooses, or those that are chosen by themselves."""
        return self._wanted(visit) or [one for one in self.columns if one.chosen]

    def filed(self, visit: "Visit") -> list[Column]:
        """Return the columns of a file: the record's id first, whatever is chosen; by it a file can be worked with."""
        columns = self._wanted(visit) or [one for one in self.columns if one.chosen or one.filed]
        own = next((one for one in self.columns if one.name == "id"), Column("id", "Id", self.row_id, "id"))
        return [own, *(one for one in columns if one is not own)]

    def _wanted(self, visit: "Visit") -> list[Column]:
        wanted = set(",".join(visit.request.query_params.getlist("columns")).split(",")) - {""}
        return [one for one in self.columns if one.name in wanted]

    def beside(self, columns: Sequence[Column], row: Any) -> str | None:
        """Return where a row leads, unless its first link leads there."""
        path = self.row_path(row)
        links = (column.href(row) for column in columns if column.href and column.value(row) is not None)
        return None if next(filter(None, links), None) == path else path

    def _exported(self, ending: str) -> Do:
        return lambda visit: exports.answer(self, visit, ending)

    async def _follow(self, visit: "Visit") -> Response:
        live = self.live
        assert live is not None  # noqa: S101 -- else there is no such route
        query, columns = self.query(visit), self.shown(visit)
        asked = visit.asked("after") or ""
        last = visit.request.headers.get("last-event-id") or visit.asked("last_event_id")
        start = int(asked) if _is_number(asked) else await visit.read(lambda tx: live.newest(visit, tx))

        async def look(position: int) -> tuple[list[tuple[int, Any]], int]:
            rows, seen = await visit.follow(lambda tx: live.changes(visit, tx, query, position))
            return [(at, self._told(visit, columns, row)) for at, row in rows], seen

        return visit.desk.live(start, look, last)

    def _told(self, visit: "Visit", columns: Sequence[Column], row: Any) -> dict[str, str]:
        """Return a row as the script puts it into the table."""
        context = {"listing": self, "columns": columns, "row": row, "url": visit.url, "say": visit.words}
        selectable = any(visit.may(one.scope) for one in self.bulk)
        html = visit.guest.templates.render("row.html", selectable=selectable, **context)
        return {"id": self.row_id(row), "html": html}


def cut(rows: Sequence[Any], limit: int, place: Callable[[Any], int]) -> Loaded:
    """Return a page of `limit` rows from one row more, which tells whether there is a next page."""
    here = rows[:limit]
    return Loaded(here, place(here[-1]) if len(rows) > limit else None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _PLACE_DIGITS_MAX
