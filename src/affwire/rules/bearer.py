"""Bearer tokens that do not fit: what was done to the token, or to the header that carries it."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Final

from affwire.model.wire import Headers

HEADER: Final = "authorization"
SCHEME: Final = "Bearer"
KNOWN: Final = 10
"""Mistakes that are told apart here."""


def explain(headers: Headers, tokens: Sequence[str]) -> tuple[str, str] | None:
    """Return what was done otherwise and how to mend it; None if no known mistake makes this of one of the tokens."""
    given = [value for name, value in headers if name.lower() == HEADER]
    if not given:
        return _elsewhere(headers, tokens)
    if len(given) > 1:
        return "The header Authorization stands there twice.", "Send it once."
    return next((found for token in tokens for found in _told(given[0], token)), None)


def _told(value: str, token: str) -> Iterator[tuple[str, str]]:
    scheme, _, rest = value.partition(" ")
    bare, wanted = rest.strip(), token.strip()
    send = f"Send Authorization: {SCHEME} and the token, with one blank between."
    if value.strip() == wanted:
        yield f"The token stands there without {SCHEME} before it.", send
    elif scheme.lower() == SCHEME.lower() and rest == wanted and scheme != SCHEME:
        yield f"The scheme is written {scheme}, not {SCHEME}.", send
    elif scheme.lower() == SCHEME.lower() and (rest == wanted or bare == token):
        yield "Blanks or a newline stand around the token.", "Copy it anew, without anything before or behind it."
    elif bare == wanted:
        yield f"The scheme is {scheme}, not {SCHEME}.", send
    elif bare.strip("\"'") == wanted.strip("\"'"):
        yield "Quotes stand around the token.", "Copy it anew, without quotes."
    elif bare == f"{SCHEME} {wanted}":
        yield f"{SCHEME} stands there twice.", send
    elif bare.lower() == wanted.lower():
        yield "The token's capital and small letters differ.", "Copy it as it is."
    elif wanted in _basic(bare):
        yield "The token is sent as Basic authentication, in base64.", send


def _basic(text: str) -> list[str]:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8").split(":")
    except (binascii.Error, ValueError):
        return []


def _elsewhere(headers: Headers, tokens: Sequence[str]) -> tuple[str, str] | None:
    found = next((name for name, value in headers for token in tokens if token and token in value), None)
    if found is None:
        return None
    return f"The token stands in the header {found}, not in Authorization.", "Send it in Authorization."
