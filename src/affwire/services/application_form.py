"""What somebody who applies fills in, read from a page's form: trimmed, checked, every fault named at once.

What strangers typed is never put into a mail: whoever abuses the page writes to nobody.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from affwire.errors import Refused
from affwire.rules.forms import EMAIL_MAX, LINE_MAX, URL_MAX, is_email, is_line, is_web_url
from affwire.services import countries

LIMITS: Final[dict[str, int]] = {
    "email": EMAIL_MAX,
    "first_name": 100,
    "last_name": 100,
    "company": LINE_MAX,
    "country": 2,
    "website": URL_MAX,
    "note": 2_000,
}
"""The fields and how many characters each may have: the API's own limits, or less where a person types."""
REQUIRED: Final = ("email", "first_name")
TRAP: Final = "homepage"
"""A field that people do not see. Whoever fills it in is a program, and is told that all went well."""


class Form(Struct, frozen=True, kw_only=True):
    """An application that can be carried out. `trapped`: a program filled it in."""

    email: str
    first_name: str
    last_name: str | None = None
    company: str | None = None
    country: str | None = None
    website: str | None = None
    note: str | None = None
    trapped: bool = False

    @property
    def affiliate(self) -> dict[str, Any]:
        """What of it belongs to the affiliate."""
        own = {name: getattr(self, name) for name in ("email", "first_name", "last_name", "company", "country")}
        return {**own, "metadata": _named(website=self.website)}

    @property
    def membership(self) -> dict[str, Any]:
        """What of it belongs to the membership."""
        return {"metadata": _named(note=self.note)}


def read(values: Mapping[str, str]) -> Form:
    """Return the form of a page's fields; what is not one of them is ignored.

    Raises Refused("invalid_application") with `fields`: what is wrong, by name.
    """
    given = {name: _trimmed(name, values.get(name, "")) for name in LIMITS}
    given["country"] = given["country"].upper()
    wrong = {name: fault for name, text in given.items() if (fault := _fault(name, text))}
    if wrong:
        raise Refused("invalid_application", f"{'; '.join(wrong.values())}.", fields=wrong)
    return Form(trapped=bool(values.get(TRAP)), **{name: text for name, text in given.items() if text})


def _trimmed(name: str, text: str) -> str:
    """A note keeps its lines, each trimmed; browsers send them with CR LF."""
    if name != "note":
        return text.strip()
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _fault(name: str, text: str) -> str | None:
    spoken = name.replace("_", " ")
    if not text:
        return f"The {spoken} is missing" if name in REQUIRED else None
    if len(text) > LIMITS[name]:
        return f"The {spoken} has more than {LIMITS[name]} characters"
    lines = text.split("\n") if name == "note" else [text]
    if not all(map(is_line, lines)):
        return f"The {spoken} holds control characters"
    if name == "email" and not is_email(text):
        return "The e-mail address is not like name@example.com"
    if name == "country" and text not in countries.names():
        return "The country is not one of the list"
    return "The website is not like https://example.com" if name == "website" and not is_web_url(text) else None


def _named(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}
