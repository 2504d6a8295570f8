"""What a line, an e-mail address and a web address look like, and how long they are, wherever somebody types one in."""

import re
from typing import Final
from urllib.parse import urlsplit

LINE_MAX: Final = 255
"""Characters of a one-line text: names, streets, codes; what the platforms' own columns hold."""
TEXT_MAX: Final = 10_000
"""Characters of a description: a few pages, and a snapshot carries it in every event."""
EMAIL_MAX: Final = 254
"""RFC 5321, 4.5.3.1.3: a path of 256 with its angle brackets."""
URL_MAX: Final = 2_048
"""What browsers, proxies and the platforms take."""
LIST_MAX: Final = 100
"""Items of a list; a snapshot carries them all."""
DAYS_MAX: Final = 3_650
"""Days of a delay: ten years."""
PERCENT_MAX: Final = 100

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SPACE: Final = re.compile(r"\s")
_LOCAL_PART: Final = re.compile(r'[^\s@<>()\[\],;:\\"]{1,64}')
_LABEL: Final = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")


def is_line(text: str) -> bool:
    """Whether a text is one line: no control characters, no line breaks of any alphabet, no half characters."""
    return _CONTROL.search(text) is None


def one_line(text: str) -> str:
    """Return a text as one line, with a space for whatever is none."""
    return " ".join(_CONTROL.sub(" ", text).split())


def is_email(text: str) -> bool:
    """Whether a line has the shape of an e-mail address such as name@example.com."""
    local, _, domain = text.rpartition("@")
    labels = domain.split(".")
    dotted = local[:1] != "." and local[-1:] != "." and ".." not in local
    named = len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    return bool(dotted and named and _LOCAL_PART.fullmatch(local))


def is_web_url(text: str) -> bool:
    """Whether a line is a full URL such as https://example.com/page."""
    return scheme_of(text) in {"http", "https"} and bool(urlsplit(text).hostname)


def scheme_of(text: str) -> str | None:
    """Return a URL's scheme in lower case; None if it has none, or can be read in more than one way."""
    found = _SCHEME.match(text)
    try:
        urlsplit(text)
    except ValueError:
        return None
    if found is None or text[found.end() : found.end() + 1] != ":" or _SPACE.search(text):
        return None
    return found[0].lower()
