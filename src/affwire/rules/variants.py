"""Variants: what people sign, or sign with, in place of what they should. Each table maps a variant's name to how it is made.

A variant that cannot be made of what is given (a body that is no JSON, a secret that is no base64) is None and left out.
"""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import product
from typing import Any, Final

Bytes = Callable[[bytes], bytes | None]
Text = Callable[[str], str | None]
Digest = Callable[[bytes, bytes], bytes]
"""Made of a key and a text."""

AS_IS: Final = "as it is"
"""The variant that is no mistake, first in each table."""
BOM: Final = b"\xef\xbb\xbf"
PREFIX: Final = re.compile(r"\A[a-z0-9]{2,8}_(?=.)")
"""What secrets begin with on several platforms: whsec_, sk_, ..."""
_QUOTES: Final = ('"', "'")
_ORDERS: Final = (("", False), (", keys sorted", True))
_ESCAPES: Final = (("", False), (", non-ASCII characters escaped", True))
_SHAPES: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("compact JSON", {"separators": (",", ":")}),
    ("JSON with a blank behind commas and colons", {}),
    ("JSON indented by 2", {"indent": 2}),
    ("JSON indented by 4", {"indent": 4}),
)


def made(table: Mapping[str, Any], given: Any) -> Iterator[tuple[str, Any]]:
    """Yield each variant that can be made and differs from all before it."""
    seen: list[Any] = []
    for name, make in table.items():
        value = make(given)
        if value is not None and value not in seen:
            seen.append(value)
            yield name, value


def _json(**how: Any) -> Bytes:
    def dumped(body: bytes) -> bytes | None:
        try:
            return json.dumps(json.loads(body), **how).encode("utf-8", "surrogatepass")
        except (ValueError, RecursionError):
            return None

    return dumped


def _php(body: bytes) -> bytes | None:
    compact = _json(separators=(",", ":"))(body)
    return None if compact is None else compact.replace(b"/", b"\\/")


def _python(body: bytes) -> bytes | None:
    try:
        return str(json.loads(body)).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return None


def _twice(body: bytes) -> bytes | None:
    try:
        return json.dumps(body.decode("utf-8")).encode()
    except UnicodeDecodeError:
        return None


def _once(body: bytes) -> bytes | None:
    try:
        inner = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return inner.encode("utf-8", "surrogatepass") if isinstance(inner, str) else None


BODIES: Final[Mapping[str, Bytes]] = {
    AS_IS: lambda body: body,
    "with a newline at the end": lambda body: body + b"\n",
    "with CR LF at the end": lambda body: body + b"\r\n",
    "without the blanks and newlines around it": lambda body: body.strip(),
    "with LF where it has CR LF": lambda body: body.replace(b"\r\n", b"\n"),
    "with CR LF where it has LF": lambda body: body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "with a byte order mark before it": lambda body: BOM + body,
    "without the byte order mark before it": lambda body: body.removeprefix(BOM),
    "encoded as JSON once, not twice": _once,
    **{
        f"as {shape}{order}{escape}": _json(**how, sort_keys=sort, ensure_ascii=ascii_only)
        for (shape, how), (order, sort), (escape, ascii_only) in product(_SHAPES, _ORDERS, _ESCAPES)
    },
    "as compact JSON with escaped slashes": _php,
    "as Python prints it": _python,
    "encoded as JSON twice": _twice,
    "left out (an empty body)": lambda _: b"",
}


def _unquoted(secret: str) -> str | None:
    quoted = len(secret) > 1 and secret[0] == secret[-1] and secret[0] in _QUOTES
    return secret[1:-1] if quoted else None


SECRETS: Final[Mapping[str, Text]] = {
    AS_IS: lambda secret: secret,
    "without the blanks or newline around it": lambda secret: secret.strip(),
    "with a newline at the end": lambda secret: secret + "\n",
    "with a blank at the end": lambda secret: secret + " ",
    "without the quotes around it": _unquoted,
    "with double quotes around it": lambda secret: f'"{secret}"',
    "with single quotes around it": lambda secret: f"'{secret}'",
    "left out (an empty secret)": lambda _: "",
}

AS_TEXT: Final = "as text"
DECODED: Final = "decoded from base64 behind its prefix"


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _from_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) or None
    except ValueError:
        return None


def _bare(secret: str) -> str:
    return PREFIX.sub("", secret)


KEYS: Final[Mapping[str, Callable[[str], bytes | None]]] = {
    AS_TEXT: lambda secret: secret.encode("utf-8", "surrogatepass"),
    DECODED: lambda secret: _decoded(_bare(secret)),
    "as text without its prefix": lambda secret: _bare(secret).encode("utf-8", "surrogatepass"),
    "as text with whsec_ before it": lambda secret: f"whsec_{secret}".encode("utf-8", "surrogatepass"),
    "decoded from hex": lambda secret: _from_hex(_bare(secret)),
    "encoded in base64": lambda secret: base64.b64encode(secret.encode("utf-8", "surrogatepass")),
}

PLAIN: Final = "plain "
"""What an algorithm's name begins with if it is no HMAC."""


def _hmac(name: str) -> Digest:
    return lambda key, text: hmac.digest(key, text, name)


ALGORITHMS: Final[Mapping[str, Digest]] = {
    **{name: _hmac(name) for name in ("sha256", "sha1", "sha512", "md5")},
    "plain SHA-256 of the key and behind it the text": lambda key, text: sha256(key + text).digest(),
    "plain SHA-256 of the text and behind it the key": lambda key, text: sha256(text + key).digest(),
    "plain SHA-256 of the text, without any key": lambda _, text: sha256(text).digest(),
}

BODY_ALONE: Final = "the body alone"
_TEXTS: Final = {
    BODY_ALONE: "{body}",
    "time.body": "{time}.{body}",
    "id.time.body": "{id}.{time}.{body}",
    "time and body without a dot": "{time}{body}",
    "time:body": "{time}:{body}",
    "v0:time:body": "v0:{time}:{body}",
    "body.time": "{body}.{time}",
    "body and time without a dot": "{body}{time}",
    "id.body": "{id}.{body}",
    "time.id.body": "{time}.{id}.{body}",
}
"""What is signed, as a pattern."""


def texts(body: bytes, times: Sequence[str], ids: Sequence[str]) -> Iterator[tuple[str, str, bytes]]:
    """Yield each text that may have been signed: its pattern's name, the time in it, and its bytes."""
    for name, pattern in _TEXTS.items():
        for time in times if "{time}" in pattern else ("",):
            for one in ids if "{id}" in pattern else ("",):
                yield name, time, _filled(pattern, body, time, one)


def _filled(pattern: str, body: bytes, time: str, one: str) -> bytes:
    before, after = pattern.replace("{time}", time).replace("{id}", one).split("{body}")
    return before.encode() + body + after.encode()


TEXTS: Final = tuple(_TEXTS)
