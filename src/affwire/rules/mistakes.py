"""Mistakes: which known one reproduces a signature that does not verify. At most two are combined.

The same search, run on what a dialect signs itself, tells what it expects: its Way. What differs from that is the mistake.
"""

import base64
import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from operator import ne
from typing import Any, Final

from msgspec import Struct, structs

from affwire.model.wire import Headers
from affwire.rules import variants
from affwire.rules.variants import AS_IS

COMBINED_MAX: Final = 2
"""Mistakes in one signature; with three, chance and patience would decide."""
_DIGEST: Final = re.compile(
    r"(?:(?P<form>[A-Za-z0-9]{1,8}[=,:] ?)|(?<![\w+/=-]))"
    r"(?P<digest>[0-9a-fA-F]{128}|[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32}"
    r"|[\w+/-]{86}(?:==)?|[\w+/-]{43}=?|[\w+/-]{27}=?|[\w+/-]{22}==)(?![\w+/=-])",
    re.ASCII,
)
_TIME: Final = re.compile(r"(?<![\w.])(\d{10}|\d{13})(?![\w.])", re.ASCII)
AS_TOLD: Final = "as told"
OTHER_UNIT: Final = "another unit than it is told in"

Accepts = Callable[[Headers, int | None], bool]

_ID_MAX: Final = 256
UNPADDED: Final = "base64 without its = at the end"
_MS_DIGITS: Final = 13


class Way(Struct, frozen=True, kw_only=True):
    """How a signature was made and carried; all in words that a person reads."""

    header: str
    form: str
    encoding: str
    algorithm: str
    signed: str
    time_from: str
    unit: str
    secret: str
    key: str
    body: str

    def differs(self, other: "Way") -> tuple[str, ...]:
        """Return the names of the fields in which another way differs from this one; what is not signed has no time."""
        names = [one.name for one in structs.fields(Way) if getattr(self, one.name) != getattr(other, one.name)]
        timeless = not (self.time_from and other.time_from)
        return tuple(name for name in names if not (timeless and name in {"time_from", "unit"}))


class Finding(Struct, frozen=True, kw_only=True):
    """A way that makes the given signature, the right one it comes closest to, the time it signs (empty: none), its mistakes."""

    way: Way
    right: Way
    time: str
    mistakes: tuple[str, ...]


class Carried(Struct, frozen=True):
    """A digest as a header carries it."""

    header: str
    form: str
    encoding: str
    digest: bytes
    text: str


def carried(headers: Headers) -> tuple[Carried, ...]:
    """Return everything in the headers that may be a signature."""
    return tuple(
        Carried(name.lower(), (found["form"] or "").strip(), encoding, digest, found["digest"])
        for name, value in headers
        for found in _DIGEST.finditer(value)
        for encoding, digest in _read(found["digest"])
    )


def expected(headers: Headers, body: bytes, secret: str) -> Way | None:
    """Return the way of a signature that is known to be right; None if it is none of the ways known here."""
    return next((one.way for one in _search(headers, body, secret, None, plain=True)), None)


def rights(headers: Headers, body: bytes, secret: str, right: Way, accepts: Accepts) -> tuple[Way, ...]:
    """Return every right way to sign this request: where a header carries some digest, the right one is tried in its place.

    So a dialect that takes several forms is held against the one that was meant. `accepts` is told headers and time (ms).
    """
    key, headers = variants.KEYS[right.key](secret), _in_seconds(headers)
    stamps = dict.fromkeys(_times(headers)) or {("", ""): None}
    found = [right]
    for one in carried(headers) if key else ():
        for place, time in stamps:
            for signed_name, stamp, signed in variants.texts(body, [time] if time else [], _ids(headers)):
                digest = hmac.digest(key or b"", signed, right.algorithm)
                for form in dict.fromkeys((one.form, right.form)):
                    if not accepts(_with_digest(headers, one, digest, form), _ms(stamp or time)):
                        continue
                    carriage = {"header": one.header, "form": form, "encoding": one.encoding}
                    told = {"time_from": place, "unit": AS_TOLD} if stamp else {"time_from": "", "unit": ""}
                    found.append(structs.replace(right, signed=signed_name, **carriage, **told))
    return tuple(dict.fromkeys(found))


def explain(
    headers: Headers, body: bytes, secrets: Sequence[str], ways: Sequence[Way], combined: int = COMBINED_MAX
) -> Finding | None:
    """Return how one of the signatures given was made, with the fewest mistakes against one of the right ways; or None."""
    for allowed in range(combined + 1):
        found = (
            one
            for secret in secrets
            for right in ways
            for one in _search(headers, body, secret, right, allowed=allowed)
        )
        if first := next(found, None):
            return first
    return None


def missing(headers: Headers, right: Way) -> str:
    """Return what the right way signs and no header tells: "time", "id" or nothing."""
    if "time" in right.signed and not _times(headers):
        return "time"
    return "id" if "id" in right.signed.split(".") and not _ids(headers) else ""


def known() -> int:
    """Return how many mistakes are known, counted one by one."""
    tables = (variants.BODIES, variants.SECRETS, variants.KEYS, variants.ALGORITHMS, variants.TEXTS)
    carriage = len({"header", "form", "time_from", "unit"}) + len({"HEX", "base64", "base64url", UNPADDED})
    return sum(len(table) - 1 for table in tables) + carriage


def _search(
    headers: Headers,
    body: bytes,
    secret: str,
    right: Way | None,
    *,
    allowed: int = COMBINED_MAX,
    plain: bool = False,
) -> Iterator[Finding]:
    digests = carried(headers)
    if not digests:
        return
    bodies = [(AS_IS, body)] if plain else list(variants.made(variants.BODIES, body))
    cleaned = [(AS_IS, secret)] if plain else list(variants.made(variants.SECRETS, secret))
    times, ids = _times(headers), _ids(headers)
    stamps = {text: place for place, text in times}
    converted = {} if plain else {other: text for text in stamps for other in _other_units(text)}
    for (clean, text), (body_name, variant) in product(cleaned, bodies):
        if right and (clean != right.secret) + (body_name != right.body) > allowed:
            continue
        for key_name, key in variants.made(variants.KEYS, text):
            so_far = (clean, body_name, key_name)
            if right and sum(map(ne, so_far, (right.secret, right.body, right.key))) > allowed:
                continue
            for signed_name, time, signed in variants.texts(variant, [*stamps, *converted], ids):
                source = converted.get(time, time)
                half = {
                    "signed": signed_name,
                    "time_from": stamps.get(source, ""),
                    "unit": "" if not time else OTHER_UNIT if time in converted else AS_TOLD,
                    "secret": clean,
                    "key": key_name,
                    "body": body_name,
                }
                yield from _matching(digests, key, signed, half, time=source, right=right, allowed=allowed)


def _matching(
    digests: Sequence[Carried],
    key: bytes,
    signed: bytes,
    half: dict[str, Any],
    *,
    time: str,
    right: Way | None,
    allowed: int,
) -> Iterator[Finding]:
    if right and sum(half[name] != getattr(right, name) for name in ("signed", "secret", "key", "body")) > allowed:
        return
    for algorithm, made in variants.ALGORITHMS.items():
        digest = made(key, signed)
        for one in digests:
            if hmac.compare_digest(one.digest, digest):
                way = Way(header=one.header, form=one.form, encoding=one.encoding, algorithm=algorithm, **half)
                mistakes = right.differs(way) if right else ()
                if len(mistakes) <= allowed:
                    yield Finding(way=way, right=right or way, time=time, mistakes=mistakes)


def _read(text: str) -> Iterator[tuple[str, bytes]]:
    if len(text) in {32, 40, 64, 128} and re.fullmatch(r"[0-9a-fA-F]+", text):
        yield ("hex" if text == text.lower() else "upper-case hex"), bytes.fromhex(text)
        return
    url = "-" in text or "_" in text
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    decode = base64.urlsafe_b64decode if url else base64.b64decode
    yield "base64url" if url else "base64" if padded == text else UNPADDED, decode(padded)


def _times(headers: Headers) -> list[tuple[str, str]]:
    """Return every header that tells a time in unix seconds or milliseconds, with the time."""
    return [(name.lower(), found[1]) for name, value in headers for found in _TIME.finditer(_DIGEST.sub("", value))]


def _ms(time: str) -> int | None:
    """Return a time told in seconds as ms; None if it is told in anything else."""
    return int(time) * 1000 if time and len(time) < _MS_DIGITS else None


def _with_digest(headers: Headers, one: Carried, digest: bytes, form: str) -> Headers:
    """Return the headers with another digest in one's place, behind this form."""
    written = form + _WRITTEN[one.encoding](digest)
    place = re.compile(f"{re.escape(one.form)} ?{re.escape(one.text)}")
    return tuple(
        (name, place.sub(lambda _: written, value) if name.lower() == one.header else value) for name, value in headers
    )


def _in_seconds(headers: Headers) -> Headers:
    for _, time in _times(headers):
        if len(time) == _MS_DIGITS:
            headers = tuple((name, value.replace(time, time[:-3])) for name, value in headers)
    return headers


def _other_units(time: str) -> tuple[str, ...]:
    return (time[:-3],) if len(time) == _MS_DIGITS else (f"{time}000",)


def _ids(headers: Headers) -> list[str]:
    named = (value for name, value in headers if name.lower().endswith("id") and len(value) <= _ID_MAX)
    return list(dict.fromkeys(named))


_WRITTEN: Final[dict[str, Callable[[bytes], str]]] = {
    "hex": bytes.hex,
    "upper-case hex": lambda digest: digest.hex().upper(),
    "base64": lambda digest: base64.b64encode(digest).decode(),
    "base64url": lambda digest: base64.urlsafe_b64encode(digest).decode().rstrip("="),
    UNPADDED: lambda digest: base64.b64encode(digest).decode().rstrip("="),
}
