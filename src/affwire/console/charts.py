"""Small pictures as SVG, made on the server: a picture for who sees it, a title and a sentence for who hears it.

Colours come from the stylesheet by class; nothing here is computed by the browser.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from affwire.console.words import span
from affwire.model.wire import ErrorClass, Timings

WIDTH: Final = 720
PHASES: Final = (
    ("dns", "Name look-up"),
    ("connect", "TCP"),
    ("tls", "TLS"),
    ("first_byte", "Waiting for the first byte"),
)
_REST: Final = "Sending, reading the answer"
_UNCONNECTED: Final = frozenset({"refused_by_guard", "dns", "connect", "tls", "timeout_connect"})
"""Errors that came before anything was sent."""


def sparkline(values: Sequence[float], *, title: str, width: int = 96, height: int = 20) -> Markup:
    """Return a small line of shares from 0 to 1: all lines have this one scale, so that any two can be compared."""
    step = width / max(len(values) - 1, 1)
    points = " ".join(
        f"{place * step:.1f},{height - 1 - value * (height - 2):.1f}" for place, value in enumerate(values)
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img"><title>{title}</title>'
        '<polyline points="{points}"/></svg>'
    ).format(w=width, h=height, title=title, points=points)


def phases(timings: Timings, error: ErrorClass | None = None) -> list[tuple[str, str, float | None]]:
    """Return the phases of a request in order: name, title, ms.

    The last is what is left of the total: sending and reading, or connecting where an `error` kept it from that. Where no
    first byte came, nothing was read: what is left was spent waiting for it.
    """
    took = [(name, title, getattr(timings, f"{name}_ms")) for name, title in PHASES]
    known = sum(ms or 0 for _, _, ms in took)
    rest = None if timings.total_ms is None else max(timings.total_ms - known, 0)
    if error in _UNCONNECTED:
        return [*took, ("rest", "Trying to connect", rest)]
    if timings.first_byte_ms is None:
        return [*took[:-1], (*PHASES[-1], rest), ("rest", _REST, None)]
    return [*took, ("rest", _REST, rest)]


def phase_bar(timings: Timings, error: ErrorClass | None = None) -> Markup:
    """Return the phases of a request as one bar, as long as the whole of it."""
    total, left, drawn = timings.total_ms or 1, 0.0, Markup()
    for name, title, ms in phases(timings, error):
        width = (ms or 0) / total * WIDTH
        drawn += Markup(
            '<rect class="phase-{}" x="{:.1f}" y="0" width="{:.1f}" height="24"><title>{}</title></rect>'
        ).format(name, left, width, title)
        left += width
    described = ", ".join(f"{title}: {span(ms)}" for _, title, ms in phases(timings, error) if ms is not None)
    return Markup(
        '<svg class="phases" viewBox="0 0 {} 24" preserveAspectRatio="none" role="img"><title>{}</title>{}</svg>'
    ).format(WIDTH, described, drawn)
