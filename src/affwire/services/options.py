"""A dialect's own settings, as an owner may choose them for an endpoint or a source: checked against its card."""

from collections.abc import Mapping
from typing import Final

from affwire.dialects.base import Card, names_header
from affwire.errors import Refused
from affwire.rules import headers as names

_FIELD: Final = "options"


def check_options(card: Card, options: Mapping[str, str | None]) -> None:
    """Raise Refused ("unknown_option", "invalid_option") for one that the dialect does not have, or not so. None takes away."""
    for name, value in options.items():
        option = card.options.get(name)
        if option is None:
            raise Refused(
                "unknown_option",
                f"{card.title} has no option {name!r}; it has: {sorted(card.options) or 'none'}.",
                field=_FIELD,
            )
        if value is not None and option.choices and value not in option.choices:
            raise Refused("invalid_option", f"{name} is one of {', '.join(option.choices)}.", field=_FIELD)
        wrong = names.judge_signature_name(value) if value is not None and names_header(name) else None
        if wrong:
            raise Refused("invalid_option", f"{name}: {wrong}", field=_FIELD)
