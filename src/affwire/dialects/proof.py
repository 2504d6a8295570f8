"""Proof: what every dialect that authenticates asks of a message's headers, before anything of the body is read.

Whatever is wrong raises NotGenuine, and only that; texts are compared in constant time.
"""

from collections.abc import Iterable

from affwire.errors import NotGenuine
from affwire.model.wire import Message
from affwire.rules import signing


def header(message: Message, name: str) -> str:
    """Return the header that authenticates. Raises NotGenuine if it is missing, doubled, or not ASCII."""
    value = message.header(name)
    if not value:
        raise NotGenuine("no_signature", f"The header {name} is missing, or stands there twice.")
    if not value.isascii():
        raise NotGenuine("bad_header", f"The header {name} is not ASCII.")
    return value


def refuse_unknown_signer(secrets: tuple[str, ...]) -> None:
    """Raise NotGenuine for a source that has no secret: nothing ever verifies against nothing."""
    if not any(secrets):
        raise NotGenuine("no_secret", "This source has no secret, so no message can be genuine.")


def signed_by_any(given: tuple[str, ...], secrets: tuple[str, ...], signed: bytes) -> bool:
    """Whether one of the given lower-case hex signatures is one of the secrets' over these bytes, in constant time."""
    known = [signing.hexdigest(secret.encode(), signed) for secret in secrets if secret]
    return matches(given, known)


def matches(given: Iterable[str], known: Iterable[str]) -> bool:
    """Whether one of the given texts is one of the known, each compared with each in constant time."""
    known = tuple(known)
    found = [signing.same(one, other) for one in given for other in known]
    return any(found)


def refuse_stale(seconds: str, now: int, tolerance: int) -> None:
    """Raise NotGenuine for a signed time (unix seconds as text) further from now (ms) than the tolerance (s)."""
    if not seconds.isascii() or not seconds.isdigit() or len(seconds) > len("99999999999"):
        raise NotGenuine("bad_time", "The signature's time is not a number of seconds.")
    if abs(now // 1000 - int(seconds)) > tolerance:
        raise NotGenuine("stale", f"The signature's time is more than {tolerance} seconds from now.")
