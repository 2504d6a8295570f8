"""Names of headers: which an endpoint's owner may set, which may carry a signature, which are one and the same.

The one rule: nothing a person sets frames, routes, describes or signs the request. Underscores count as hyphens,
since many servers fold the two (CGI, WSGI).
"""

import re
from collections.abc import Iterable
from typing import Final

NAME_CHARACTERS_MAX: Final = 128
"""Longer than any platform's header, short enough for every proxy on the way."""
VALUE_CHARACTERS_MAX: Final = 4_096
"""Half of the 8 KiB that common servers read for all headers together."""

FRAMING: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "expect"}  # routing and framing: RFC 9110 7.2, RFC 9112 6
    | {"connection", "keep-alive", "te", "trailer", "upgrade", "http2-settings"}  # hop by hop: RFC 9110 7.6.1
)
"""Headers that are the sending client's to write."""

_OURS: Final = FRAMING | {"user-agent", "accept"}
_OUR_TREES: Final = ("proxy-", "content-", "webhook-", "affwire-")
"""Hop by hop towards proxies; about the body; the signature of Standard Webhooks; affwire's marks on a request."""
_CREDENTIALS: Final = frozenset({"authorization", "cookie"})
"""An owner may set these; a signature there would be taken for a credential."""

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.6.2."""
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")


def judge_header(name: str, value: str) -> str | None:
    """Return a sentence on why an endpoint may not set this header, or None if it may."""
    if wrong := _judge_name(name):
        return wrong
    if len(value) > VALUE_CHARACTERS_MAX or not _VALUE.fullmatch(value):
        return f"The value of header {name} may hold printable ASCII only, {VALUE_CHARACTERS_MAX} characters at most."
    return None


def judge_signature_name(name: str) -> str | None:
    """Return a sentence on why a signature may not go out under this name, or None if it may."""
    if wrong := _judge_name(name):
        return wrong
    return f"The header {name} means something else already." if _folded(name) in _CREDENTIALS else None


def clash(own: Iterable[str], written: Iterable[str]) -> str | None:
    """Return the first of an endpoint's own names that a receiver could take for one the dialect writes, or None."""
    taken = {_folded(name) for name in written}
    return next((name for name in own if _folded(name) in taken), None)


def taken(name: str) -> str:
    """Return the sentence about a header that is not the owner's to set."""
    return f"The header {name} is set by affwire itself."


def _judge_name(name: str) -> str | None:
    if len(name) > NAME_CHARACTERS_MAX or not _TOKEN.fullmatch(name):
        return f"A header's name is 1 to {NAME_CHARACTERS_MAX} letters, digits, hyphens and the like."
    folded = _folded(name)
    return taken(name) if folded in _OURS or folded.startswith(_OUR_TREES) else None


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")
