"""Home: how it goes just now, and what needs somebody."""

from collections.abc import Mapping
from typing import Any, Final

from affwire.console import charts
from affwire.console.app_paths import HOME
from affwire.console.routes import Nav, Page, Route
from affwire.console.visit import Visit
from affwire.console.words import Words
from affwire.services import overview
from affwire.services.overview import MINUTE_MS, MINUTES, Overview
from affwire.store.tx import Tx


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return the overview of the organization; without one, how to begin."""
    if visit.organization is None:
        return {"title": "Home", "overview": None}
    found = overview.of(tx, visit.organization.id)
    return {"title": "Home", "overview": found, "chart": _chart(found, visit.words)}


def _chart(found: Overview, words: Words) -> str:
    said = {name: sum(values) for name, values in found.series.items()}
    return charts.bars(
        found.series,
        title="Attempts per minute",
        described=f"Of the last hour: {said['ok']} succeeded, {said['failed']} failed, {said['unknown']} unknown.",
        ends=(words.span(MINUTES * MINUTE_MS) + " ago", "now"),
    )


NAV: Final = (Nav("Program", "Home", HOME),)
ROUTES: Final[tuple[Route, ...]] = (Page(HOME, "home/page.html", view),)
