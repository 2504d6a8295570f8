"""A listing: many records of a kind, declared once as columns, facets and a function that loads a page of them.

From that come its page, its exports (.json, .jsonl, .csv with the same URL) and its live rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Self
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.responses import Response

from affwire.console import charts, exports, live_rows
from affwire.console.facets import PERIODS, Facet, Offered
from affwire.console.parameters import is_number
from affwire.console.routes import Answer, Do, Page, Route
from affwire.errors import Refused
from affwire.model import times
from affwire.services import spans
from affwire.store.tx import Tx

if TYPE_CHECKING:
    from affwire.console.visit import Visit

LIMIT: Final = 40
"""Rows of a page: it stays below 60 KB, whatever they are called."""
LIMIT_MAX: Final = LIMIT
ORDERS: Final = ("newest", "oldest")

_LABELLED: Final = frozenset({"number", "ms", "ago", "share"})
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

    @property
    def marks(self) -> Markup:
        """What tells its cells from others: nothing for a plain text; what a narrow screen writes before a number."""
        classes = " ".join([*([f"is-{self.kind}"] if self.kind != "text" else []), *([] if self.first else ["later"])])
        label = Markup(' data-label="{}"').format(self.title) if self.kind in _LABELLED else Markup()
        return (Markup(' class="{}"').format(classes) if classes else Markup()) + label


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

    def since(self, now: int) -> int | None:
        """Return the time (ms) of the facet `since`: a period (1h) or an RFC 3339 time. Raises Refused."""
        text = self.values.get("since")
        if text is None:
            return None
        if text in PERIODS:
            return now - PERIODS[text]
        try:
            at = times.parse(text.replace(" ", "+"))
        except (ValueError, OverflowError):
            at = -1
        if at < 0:
            raise Refused("invalid_time", f"since is {', '.join(PERIODS)} or an RFC 3339 time.", parameter="since")
        return spans.begun(at, now)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A page's records, the number behind which the next begins (None: there is none), and what to say of the search.

    `window`: how many were looked through, where the look ended because they were so many, and not because the page is full.
    """

    rows: Sequence[Any]
    following: int | None = None
    note: str | None = None
    window: int | None = None

    @classmethod
    def looked(cls, rows: Sequence[Any], looked_to: int | None, *, full: bool, window: int) -> Self:
        """Return a page of what is looked through in windows; it says so where few of many fit."""
        if full or looked_to is None:
            return cls(rows, looked_to)
        note = f"No more among the {window:,} looked through; the next page goes on from there." if rows else None
        return cls(rows, looked_to, note, window)


@dataclass(frozen=True, slots=True)
class Bulk:
    """What can be done to chosen rows: `path` with their ids as `id` shows what it would do (previews.py).

    `statuses`: for what the facet of the status may be; None: for whatever it is.
    """

    title: str
    path: str
    key: str = ""
    scope: str = "registry"
    statuses: frozenset[str | None] | None = None

    def offered(self, visit: "Visit", query: "Query") -> bool:
        """Return whether it can be done: to whoever may, with what the list is narrowed to."""
        return visit.may(self.scope) and (self.statuses is None or query.get("status") in self.statuses)


@dataclass(frozen=True, slots=True)
class Live:
    """How rows stay up to date: the position to begin from, and the rows that changed behind one, with positions."""

    newest: Callable[["Visit", Tx], int]
    changes: Callable[["Visit", Tx, Query, int], tuple[list[tuple[int, Any]], int]]


@dataclass(frozen=True, slots=True)
class Listing:
    """The declaration. `empty`: a sentence and the commands that fill it. `everything`: what can be done to all that fits."""

    path: str
    title: str
    one: str
    columns: tuple[Column, ...]
    load: Callable[["Visit", Tx, Query], Loaded]
    row_id: Callable[[Any], str]
    row_path: Callable[[Any], str]
    empty: tuple[str, str] | Callable[["Visit", Tx], tuple[str, str]]
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
        live = (Answer(f"{self.path}/live", self._followed, self.scope),) if self.live else ()
        return (Page(self.path, self.template, self.view, self.scope), *exported, *live)

    def view(self, visit: "Visit", tx: Tx) -> Mapping[str, Any]:
        """Return what the page shows."""
        query = self.query(visit)
        loaded = self.loaded(visit, tx, query)
        return {
            "title": self.title,
            "listing": self,
            "query": query,
            "columns": self.shown(visit),
            "rows": loaded.rows,
            "following": loaded.following,
            "empty": self.empty(visit, tx) if callable(self.empty) else self.empty,
            "note": loaded.note,
            "window": loaded.window,
            "choices": {one.name: Offered.of(one.choices(visit, tx)) for one in self.facets if one.choices},
            "everything": self.everything if self.everything and self.everything.offered(visit, query) else None,
            "bulk": [one for one in self.bulk if one.offered(visit, query)],
            "live_from": self.live.newest(visit, tx)
            if self.live and query.place is None and not query.oldest
            else None,
            **self.more(visit, tx),
        }

    def query(self, visit: "Visit") -> Query:
        """Return what the URL asks for. Raises Refused for what cannot be meant."""
        asked = {one.name: visit.asked(one.name) for one in self.facets}
        cursor = visit.asked("cursor")
        if cursor is not None and not is_number(cursor):
            raise Refused("invalid_cursor", "The cursor is not one that a page before this had.", parameter="cursor")
        return Query(
            values={name: value for name, value in asked.items() if value is not None},
            place=None if cursor is None else int(cursor),
            limit=visit.parameters.number("limit", least=1, most=LIMIT_MAX) or LIMIT,
            oldest=self.ordered and visit.parameters.choice("order", ORDERS) == "oldest",
        )

    def checked(self, visit: "Visit", tx: Tx) -> Query:
        """Return what the URL asks for. Raises Refused for what cannot be meant, NotFound for a record that there is not."""
        query = self.query(visit)
        self.check(visit, tx, query)
        return query

    def loaded(self, visit: "Visit", tx: Tx, query: Query) -> Loaded:
        """Return a page of records. Raises Refused for a facet's value that there is not, NotFound for a record."""
        self.check(visit, tx, query)
        return self.load(visit, tx, query)

    def check(self, visit: "Visit", tx: Tx, query: Query) -> None:
        """Raise Refused for a facet's value that there is not, NotFound for a record that there is not."""
        for facet in self.facets:
            if (value := query.get(facet.name)) is not None:
                facet.check(visit, tx, value)
        query.since(tx.now)

    def narrowed(self, visit: "Visit") -> str:
        """Return the path of the list, narrowed as the URL narrows it."""
        asked = urlencode(self.query(visit).values)
        return f"{self.path}?{asked}" if asked else self.path

    def shown(self, visit: "Visit") -> list[Column]:
        """Return the columns that the URL chooses, or those that are chosen by themselves."""
        return self._wanted(visit) or [one for one in self.columns if one.chosen]

    def filed(self, visit: "Visit") -> list[Column]:
        """Return the columns of a file: the record's id first, whatever is chosen; by it a file can be worked with."""
        columns = self._wanted(visit) or [one for one in self.columns if one.chosen or one.filed]
        own = next((one for one in self.columns if one.name == "id"), Column("id", "Id", self.row_id, "id"))
        return [own, *(one for one in columns if one is not own)]

    def _wanted(self, visit: "Visit") -> list[Column]:
        wanted = set(",".join(visit.asked_all("columns")).split(",")) - {""}
        known = [one.name for one in self.columns]
        if not wanted.issubset(known):
            raise Refused("invalid_parameter", f"columns are some of: {', '.join(known)}.", parameter="columns")
        return [one for one in self.columns if one.name in wanted]

    def beside(self, columns: Sequence[Column], row: Any) -> str | None:
        """Return where a row leads, unless its first link leads there."""
        path = self.row_path(row)
        links = (column.href(row) for column in columns if column.href and column.value(row) is not None)
        return None if next(filter(None, links), None) == path else path

    async def _followed(self, visit: "Visit") -> Response:
        return await live_rows.answer(self, visit)

    def _exported(self, ending: str) -> Do:
        return lambda visit: exports.answer(self, visit, ending)


def cut(rows: Sequence[Any], limit: int, place: Callable[[Any], int]) -> Loaded:
    """Return a page of `limit` rows from one row more, which tells whether there is a next page."""
    here = rows[:limit]
    return Loaded(here, place(here[-1]) if len(rows) > limit else None)
