"""The parameters of a URL: what a page asks of them is what it knows, and whatever it does not know is refused.

Rule: as at the API, a query that cannot be meant is an error that names the parameter, and never an empty page.
"""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import QueryParams

from affwire.errors import Malformed, Refused
from affwire.model.registry import Organization

ORGANIZATION: Final = "organization"
"""The parameter that says which organization an operator looks at: every page knows it, and none names it."""
_SLUG_MOST: Final = 20
"""Characters of a slug that every link of a page has room for."""
_NUMBERED: Final = "."
"""What the name of an organization by its number begins with; no slug does."""
_NAME_MAX: Final = 100
_DIGITS_MAX: Final = 18
NUMBER_MAX: Final = 10**_DIGITS_MAX - 1


def named(organization: Organization) -> str:
    """Return how a link names an organization: by its slug, or by its number where a page of such links would be large."""
    short = len(organization.slug) <= _SLUG_MOST
    return organization.slug if short else f"{_NUMBERED}{organization.number}"


def number_of(name: str) -> int | None:
    """Return the number by which an organization is named; None if it is named by its slug."""
    digits = name.removeprefix(_NUMBERED)
    return int(digits) if name.startswith(_NUMBERED) and is_number(digits) else None


class Parameters:
    """One request's parameters, and which of them its page has asked for."""

    def __init__(self, given: QueryParams) -> None:
        self._given = given
        self._known: set[str] = set()

    def get(self, name: str) -> str | None:
        """Return a value, None if it is not there or empty. Raises Malformed if there are two."""
        self._known.add(name)
        given = self._given.getlist(name)
        if len(given) > 1:
            raise Malformed("repeated_parameter", f"The parameter {name!r} is given more than once.", parameter=name)
        return (given and given[0]) or None

    def every(self, name: str) -> list[str]:
        """Return all values, as of check boxes."""
        self._known.add(name)
        return [value for value in self._given.getlist(name) if value]

    def choice(self, name: str, values: Collection[str]) -> str | None:
        """Return a value that is one of these, None if it is not there. Raises Refused for any other."""
        value = self.get(name)
        if value is not None and value not in values:
            raise Refused("invalid_parameter", f"{name} is one of: {', '.join(values)}.", parameter=name)
        return value

    def number(self, name: str, *, least: int = 0, most: int = NUMBER_MAX) -> int | None:
        """Return a whole number, None if it is not there. Raises Refused for what is none, or out of bounds."""
        value = self.get(name)
        if value is None:
            return None
        if not (is_number(value) and least <= int(value) <= most):
            raise Refused("invalid_parameter", f"{name} is a whole number from {least} to {most}.", parameter=name)
        return int(value)

    def refuse_others(self) -> None:
        """Raise Refused for a parameter that the page has not asked for: mistyped, it would silently narrow nothing."""
        odd = next((name[:_NAME_MAX] for name in self._given if name not in self._known), None)
        if odd is not None:
            known = sorted(self._known - {ORGANIZATION})
            there = f"there are: {', '.join(known)}" if known else "it takes none"
            raise Refused("unknown_parameter", f"This page has no parameter {odd!r}; {there}.", parameter=odd)


def is_number(text: str) -> bool:
    """Return whether a text is a whole number that any store keeps."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
