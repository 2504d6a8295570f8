"""The account of a conversion: what was lost, what was made up, and why, as data and in words."""

import json
from typing import Any, Final

from msgspec import UNSET

from affwire.dialects.base import Dialect
from affwire.dialects.converting import Conversion
from affwire.model.canonical import timed
from affwire.rules.losses import Lost

_NAMES: Final = ("affiliate.first_name", "affiliate.last_name")
_SHOWN_MAX: Final = 200
"""Characters of a value in words: more than an address or a URL has."""


def lost(done: Conversion, target: Dialect) -> list[dict[str, Any]]:
    """Return what did not come through: field, value, what it became, and why. Times are texts."""
    return [*(_told(one, target) for one in done.lost), *(_unread(*one) for one in done.unread.items())]


def made_up(done: Conversion) -> list[dict[str, Any]]:
    """Return what is told though the message did not tell it: field and value."""
    return [{"field": one.field, "value": timed(_name(one.field), one.value)} for one in done.made_up]


def said(value: Any) -> str:
    """Return a value in words, cut where it is long."""
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}... ({len(text)} characters)"


def _told(lost: Lost, target: Dialect) -> dict[str, Any]:
    """Return a loss as data; times are texts."""
    name = _name(lost.field)
    value = timed(name, lost.value)
    if lost.became is not UNSET:
        became = timed(name, lost.became)
        return {
            "field": lost.field,
            "value": value,
            "became": became,
            "why": f"{target.card.name} tells {said(became)}",
        }
    return {"field": lost.field, "value": value, "became": None, "why": _why(lost.canonical, target)}


def _why(canonical: str, target: Dialect) -> str:
    name = target.card.name
    if canonical in _NAMES and target.card.carries("affiliate.name"):
        return f"{name} does not tell it here"
    return f"{name} does not tell it here" if target.card.carries(canonical) else f"{name} has no field for it"


def _unread(path: str, value: Any) -> dict[str, Any]:
    return {
        "field": path,
        "value": value,
        "became": None,
        "why": "affwire has no field for it, so no other dialect tells it",
    }


def _name(field: str) -> str:
    return field.rpartition(".")[2]
