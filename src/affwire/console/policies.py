"""A policy as a form: what an endpoint overrides of its dialect's promise, in seconds and counts, within the API's limits."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from affwire.console.forms import Field, Form
from affwire.console.words import span
from affwire.rules.retry import IN_FLIGHT_MAX, RATE_MAX, STEPS_MAX, SUCCESS_NAMES, TIMEOUT_MAX_S, WAIT_MAX_S, Policy

_PART: Final = "Policy: leave empty what the dialect promises"
_SECOND: Final = 1_000
_ORDERINGS: Final = ("none", "affiliate")
FIELDS: Final = (
    Field("retry_schedule", "Waits between tries", hint="Seconds: 5, 60, 259200 is 5 s, 1 min, 3 days", part=_PART),
    Field("success", "What counts as received", "choice", choices=lambda: [(one, one) for one in SUCCESS_NAMES]),
    Field("connect_timeout", "Connect timeout", hint="Seconds"),
    Field("read_timeout", "Read timeout", hint="Seconds"),
    Field("total_timeout", "Total timeout", hint="Seconds"),
    Field("max_in_flight", "At most at a time", hint="Requests under way"),
    Field("rate_per_second", "At most a second", hint="Requests; empty: no limit"),
    Field("ordering", "Order", "choice", choices=lambda: [(one, one) for one in _ORDERINGS]),
)


def texts(own: Mapping[str, Any]) -> dict[str, str]:
    """Return what an endpoint overrides as the form shows it."""
    return {one.name: _text(own.get(one.name)) for one in FIELDS}


def read(form: Form) -> tuple[dict[str, Any], Form]:
    """Return the parts that the form sets (None: the dialect's), and the form with whatever is wrong with them."""
    parts = dict[str, Any]()
    for one in FIELDS:
        try:
            parts[one.name] = _READ[one.name](form.texts[one.name]) if form.texts[one.name] else None
        except ValueError as error:
            form = form.refused(one.name, str(error))
    return parts, form


def shown(policy: Policy, own: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Return the policy in force: title, value, whether it is the endpoint's own."""
    return [(one.title, _said(one.name, getattr(policy, one.name)), own.get(one.name) is not None) for one in FIELDS]


def _said(name: str, value: Any) -> str:
    if value is None:
        return "no limit"
    if name == "retry_schedule":
        return ", ".join(span(wait * _SECOND) for wait in value) or "never tried again"
    return span(value * _SECOND) if name.endswith("_timeout") else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(f"{one:g}" for one in value)
    return f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)


def _number(text: str, most: float, *, least: float = 0) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not least <= value <= most:
        raise ValueError(f"This is not a number from {least:g} to {most:,.0f}.")
    return value


def _schedule(text: str) -> list[float]:
    waits = [_number(part.strip(), WAIT_MAX_S) for part in text.split(",") if part.strip()]
    if len(waits) > STEPS_MAX:
        raise ValueError(f"At most {STEPS_MAX} waits.")
    return waits


def _timeout(text: str) -> float:
    return _number(text, TIMEOUT_MAX_S, least=0.001)


def _in_flight(text: str) -> int:
    value = _number(text, IN_FLIGHT_MAX, least=1)
    if value != int(value):
        raise ValueError("This is not a whole number.")
    return int(value)


_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "retry_schedule": _schedule,
    "success": str,
    "connect_timeout": _timeout,
    "read_timeout": _timeout,
    "total_timeout": _timeout,
    "max_in_flight": _in_flight,
    "rate_per_second": lambda text: _number(text, RATE_MAX, least=0.001),
    "ordering": str,
}
