"""Headers: which custom ones an endpoint may ask for, how they go out, how an answer's are read.

The one rule: nothing a person sets frames, routes or signs the request. Underscores count as hyphens,
since many servers fold the two (CGI, WSGI).
"""

import re
from typing import Final

from affwire.model.wire import Headers

NAME_CHARACTERS_MAX: Final = 128
VALUE_CHARACTERS_MAX: Final = 4_096
"""Half of the 8 KiB that common servers read for all headers together."""

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")
FRAMING: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "expect"}  # routing and framing: RFC 9110 7.2, RFC 9112 6
    | {"connection", "keep-alive", "te", "trailer", "upgrade", "http2-settings"}  # hop by hop: RFC 9110 7.6.1
)
"""Headers that are the sending client's to write."""

_OUR_TREES: Final = ("proxy-", "webhook-")
"""Hop by hop towards proxies; the signature of Standard Webhooks."""


def judge_header(name: str, value: str) -> str | None:
    """Return a sentence on why an endpoint may not set this header, or None if it may."""
    if len(name) > NAME_CHARACTERS_MAX or not _TOKEN.fullmatch(name):
        return "A header's name is made of letters, digits and hyphens."
    folded = name.lower().replace("_", "-")
    if folded in FRAMING or folded.startswith(_OUR_TREES):
        return f"The header {name} is set by affwire itself."
    if len(value) > VALUE_CHARACTERS_MAX or not _VALUE.fullmatch(value):
        return f"The value of header {name} may hold printable ASCII only, {VALUE_CHARACTERS_MAX} characters at most."
    return None


def write_lines(headers: Headers) -> list[str]:
    """Return the headers as libcurl wants them; ValueError if one cannot or may not be sent.

    That is: CR, LF, NUL or anything beyond ASCII; and what is libcurl's to write.
    `Expect:`, `Accept:` and, if the request has none, `Content-Type:` keep libcurl from adding its own.
    """
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in headers]
    text = "\n".join(lines)
    if not text.isascii() or text.count("\n") >= max(1, len(lines)) or "\r" in text or "\0" in text:
        raise ValueError("a header holds what HTTP cannot carry")
    names = {name.lower() for name, _ in headers}
    if not names.isdisjoint(FRAMING):
        raise ValueError("a header would frame or route the request")
    lines += ["Expect:", "Accept:"]
    return lines if "content-type" in names else [*lines, "Content-Type:"]


def read_lines(lines: list[bytes]) -> Headers:
    """Return the headers of an answer; bytes beyond ASCII are read as Latin-1 (RFC 9112, section 2.2)."""
    pairs = (line.decode("latin-1").partition(":") for line in lines)
    return tuple((name.strip(), value.strip()) for name, _, value in pairs)
