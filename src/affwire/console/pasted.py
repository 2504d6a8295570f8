"""What is pasted into a field: headers as lines, and a body whose line ends are a browser's."""

from collections.abc import Iterator
from typing import Final

from affwire.errors import Refused
from affwire.model.wire import Headers, Message

BODY_MAX: Final = 65_536
"""Bytes of a pasted body: no platform sends as much, and to look for mistakes in so many takes a second."""
HEADERS_MAX: Final = 200


def headers(text: str) -> Headers:
    """Return headers written as lines, `Name: value`. Raises Refused for a line that is none, by its number."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        name, colon, value = line.partition(":")
        if not line.strip() or line.startswith(("POST ", "HTTP/")):
            continue
        if not colon or not name.strip():  # it may hold a token: it is counted, never shown
            raise Refused("malformed_header", f"Line {number} of the headers is none: write a name, a colon, a value.")
        found.append((name.strip(), value.strip()))
    if len(found) > HEADERS_MAX:
        raise Refused("malformed_header", f"There are more than {HEADERS_MAX} headers.")
    return tuple(found)


def bodies(text: str) -> Iterator[bytes]:
    """Yield the bytes that a pasted body may have had: a browser makes every line end CR LF, whatever it was.

    Raises Refused for none at all, and for one that is too large.
    """
    plain = text.replace("\r\n", "\n")
    if not plain.strip():
        raise Refused("no_body", "There is no body: paste what the platform sent.")
    if len(plain.encode()) > BODY_MAX:
        raise Refused("body_too_large", f"The body is larger than {BODY_MAX:,} bytes.")
    yield plain.encode()
    if "\n" in plain:
        yield text.encode()
        yield plain.removesuffix("\n").encode()


def trimmed(text: str, judged: bytes) -> str | None:
    """Return how the body that was judged differs from the one that was pasted; None if it does not."""
    if judged == text.replace("\r\n", "\n").encode():
        return None
    if b"\r\n" in judged:
        return "the line ends of the body taken as CR LF"
    return "the body without the line end at its end"


def messages(head: str, body: str) -> list[Message]:
    """Return the requests that a paste may have been, the likeliest first. Raises Refused as `headers` and `bodies`."""
    given = headers(head)
    return [Message(headers=given, body=one) for one in dict.fromkeys(bodies(body))]
