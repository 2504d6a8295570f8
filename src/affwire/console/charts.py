"""Charts as SVG, made on the server: a picture for who sees it, a title and a sentence for who hears it.

Colours come from the stylesheet by class; nothing here is computed by the browser.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup

from affwire.model.wire import ErrorClass, Timings

WIDTH: Final = 720
HEIGHT: Final = 120
_GAP: Final = 2
PHASES: Final = (
    ("dns", "Name look-up"),
    ("connect", "TCP"),
    ("tls", "TLS"),
    ("first_byte", "Waiting for the first byte"),
)
_REST: Final = "Sending, reading the answer"
_UNCONNECTED: Final = frozenset({"refused_by_guard", "dns", "connect", "tls", "timeout_connect"})
"""Errors that came before anything was sent."""


def bars(series: Mapping[str, Sequence[int]], *, title: str, described: str, ends: tuple[str, str]) -> Markup:
    """Return stacked bars, one per place of the series, which are drawn from the bottom up in their order.

    `ends`: what stands below the first and the last bar.
    """
    places = len(next(iter(series.values()), ()))
    totals = [sum(values[place] for values in series.values()) for place in range(places)]
    top = max(totals, default=0) or 1
    width = WIDTH / max(places, 1)
    drawn = Markup().join(
        _stack({name: values[place] for name, values in series.items()}, place * width, width - _GAP, HEIGHT / top)
        for place in range(places)
    )
    return Markup(
        '<figure class="chart"><svg viewBox="0 0 {w} {h}" preserveAspectRatio="none" role="img">'
        "<title>{title}</title><desc>{described}</desc>"
        '<line class="axis" x1="0" x2="{w}" y1="{h}" y2="{h}"/>{drawn}</svg>'
        '<figcaption><span>{left}</span><span class="chart-top">{top}</span><span>{right}</span></figcaption></figure>'
    ).format(
        w=WIDTH,
        h=HEIGHT,
        title=title,
        described=described,
        drawn=drawn,
        left=ends[0],
        right=ends[1],
        top=f"highest: {max(totals, default=0):,}",
    )


def sparkline(values: Sequence[float], *, title: str, width: int = 96, height: int = 20) -> Markup:
    """Return a small line of values, the lowest possible of which is 0."""
    top = max(values, default=0) or 1
    step = width / max(len(values) - 1, 1)
    points = " ".join(
        f"{place * step:.1f},{height - 1 - value / top * (height - 2):.1f}" for place, value in enumerate(values)
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
    described = ", ".join(f"{title}: {ms:.1f} ms" for _, title, ms in phases(timings, error) if ms is not None)
    return Markup(
        '<svg class="phases" viewBox="0 0 {} 24" preserveAspectRatio="none" role="img"><title>{}</title>{}</svg>'
    ).format(WIDTH, described, drawn)


def _stack(values: Mapping[str, int], left: float, width: float, scale: float) -> Markup:
    drawn, bottom = Markup(), float(HEIGHT)
    for name, value in values.items():
        height = value * scale
        bottom -= height
        if value:
            drawn += Markup('<rect class="bar bar-{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
                name, left, bottom, width, height
            )
    return drawn
