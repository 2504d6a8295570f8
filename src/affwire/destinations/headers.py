"""Headers on the wire: how the request's go out, how an answer's are read.

The one rule: only the sending client frames and routes. Which headers an owner may set is told in rules/headers.py.
"""

from typing import Final

from affwire.model.wire import Headers
from affwire.rules.headers import FRAMING

_BLANK: Final = (b"\r\n", b"\n")


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


def final(lines: list[bytes]) -> list[bytes] | None:
    """Return the header lines of the final answer; None if they are not complete. 1xx answers and trailers are none."""
    found: list[bytes] = []
    interim = True
    for line in lines:
        if line.startswith(b"HTTP/"):
            found, interim = [], line.partition(b" ")[2].lstrip()[:1] == b"1"
        elif line not in _BLANK:
            found.append(line)
        elif not interim:
            return found
    return None


def read_lines(lines: list[bytes]) -> Headers:
    """Return the headers of an answer; bytes beyond ASCII are read as Latin-1 (RFC 9112, section 2.2)."""
    pairs = [line.decode("latin-1").partition(":") for line in lines]
    return tuple([(name.strip(), value.strip()) for name, _, value in pairs])
