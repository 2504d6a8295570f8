"""A form: its fields, declared once. From that come its page, what it holds of a record, and what it sends, checked.

Rule: every fault is named at once, beside its field, and what was typed is never lost. Limits are the API's own.
"""

import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Literal, Self

from affwire.model.money import MINOR_UNITS_MAX
from affwire.rules.forms import (
    DAYS_MAX,
    EMAIL_MAX,
    LINE_MAX,
    LIST_MAX,
    PERCENT_MAX,
    TEXT_MAX,
    URL_MAX,
    is_email,
    is_line,
    is_web_url,
)
from affwire.services import countries, currencies
from affwire.services.sources import BEARER_TOKEN_MAX

Kind = Literal["line", "text", "email", "url", "whole", "days", "percent", "check", "lines", "choice", "secret"]
Choices = Sequence[tuple[str, str]]

_MOST: Final[Mapping[Kind, int]] = {
    "text": TEXT_MAX,
    "lines": TEXT_MAX,
    "email": EMAIL_MAX,
    "url": URL_MAX,
    "secret": BEARER_TOKEN_MAX,
}
_CHECKED: Final = "1"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `empty`: what leaving it empty means. `part`: the heading that it stands under.

    `choices` of a `choice`: values and what they are called; a `line` offers them, and takes others too. A `secret` is never
    shown again, not even in a form that is not right.
    """

    name: str
    title: str
    kind: Kind = "line"
    hint: str = ""
    required: bool = False
    empty: Any = None
    part: str = ""
    choices: Callable[[], Choices] | None = None

    @property
    def most(self) -> int:
        """The characters that it may have."""
        return _MOST.get(self.kind, LINE_MAX)

    def text(self, value: Any) -> str:
        """Return a record's value as the field shows it."""
        if isinstance(value, bool):
            return _CHECKED if value else ""
        if isinstance(value, list):
            return "\n".join(map(str, value))
        return "" if value is None else str(value).removesuffix(".0") if isinstance(value, float) else str(value)

    def read(self, text: str) -> Any:
        """Return the value of what was typed. Raises ValueError, a sentence that says what is wrong with it."""
        if self.kind == "check":
            return text == _CHECKED
        if not text:
            if self.required:
                raise ValueError("This must be filled in.")
            return [] if self.kind == "lines" and self.empty is None else self.empty
        if len(text) > self.most:
            raise ValueError(f"This has more than {self.most} characters.")
        if not all(map(is_line, text.split("\n") if self.kind in {"text", "lines"} else [text])):
            raise ValueError("This holds characters that cannot be kept.")
        return self._checked(text)

    def _checked(self, text: str) -> Any:
        if self.kind == "choice" and self.choices and text not in dict(self.choices()):
            raise ValueError("This is not one of the list.")
        return _READ.get(self.kind, str)(text)


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it is filled in: what its fields show, what they mean, and what is wrong with them, by name.

    `seen`: the tag of the record that it was filled in from (services/versions.py), "" for a new one.
    """

    fields: tuple[Field, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    seen: str = ""

    @classmethod
    def of(cls, fields: tuple[Field, ...], record: Any = None, **texts: str) -> Self:
        """Return the form as a record fills it in."""
        own = {one.name: one.text(getattr(record, one.name, None)) for one in fields}
        return cls(fields, {**own, **texts})

    @classmethod
    def sent(cls, fields: tuple[Field, ...], sent: Callable[[str], str], record: Any = None) -> Self:
        """Return the form as somebody filled it in. `sent`: what was sent under a name, "" if nothing.

        What is as the `record` has it stays so to the letter, even where it could not be typed.
        """
        texts, values, faults = dict[str, str](), dict[str, Any](), dict[str, str]()
        for one in fields:
            text = texts[one.name] = _typed(sent(one.name))
            if record is not None and text == _typed(one.text(getattr(record, one.name))):
                values[one.name] = getattr(record, one.name)
                continue
            try:
                values[one.name] = one.read(text)
            except ValueError as error:
                faults[one.name] = str(error)
        return cls(fields, texts, values, faults)

    def changes(self, record: Any) -> dict[str, Any]:
        """Return what is to become of the record: the values that are not as it has them."""
        return {name: value for name, value in self.values.items() if getattr(record, name) != value}

    def refused(self, name: str | None, sentence: str) -> Self:
        """Return the form with what a service has against it, beside the field that it names."""
        known = name if name in {one.name for one in self.fields} else ""
        return replace(self, faults={**self.faults, known or "": sentence})


def country_choices() -> Choices:
    """Return the countries."""
    return list(countries.names().items())


def currency_choices() -> Choices:
    """Return the currencies."""
    return [(code, f"{code} \u2013 {name}") for code, name in currencies.names().items()]


@lru_cache(1)
def timezone_choices() -> Choices:
    """Return the time zones."""
    return [(name, name) for name in sorted(zoneinfo.available_timezones())]


def _typed(text: str) -> str:
    """Browsers send lines with CR LF, and people type spaces at ends."""
    return "\n".join(text.split("\r\n")).strip()


def _email(text: str) -> str:
    if not is_email(text):
        raise ValueError("This is not an e-mail address such as name@example.com.")
    return text


def _url(text: str) -> str:
    if not is_web_url(text):
        raise ValueError("This is not a full URL such as https://example.com/page.")
    return text


def _whole(text: str, most: int = MINOR_UNITS_MAX) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(most)) or int(text) > most:
        raise ValueError(f"This is not a whole number from 0 to {most:,}.")
    return int(text)


def _percent(text: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = -1
    if not 0 <= value <= PERCENT_MAX:
        raise ValueError("This is not a number from 0 to 100.")
    return value


def _lines(text: str) -> list[str]:
    found = [line.strip() for line in text.split("\n") if line.strip()]
    if len(found) > LIST_MAX or any(len(line) > LINE_MAX for line in found):
        raise ValueError(f"At most {LIST_MAX} lines of {LINE_MAX} characters each.")
    return found


_READ: Final[Mapping[Kind, Callable[[str], Any]]] = {
    "email": _email,
    "url": _url,
    "whole": _whole,
    "days": lambda text: _whole(text, DAYS_MAX),
    "percent": _percent,
    "lines": _lines,
}
