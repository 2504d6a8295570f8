"""The reading suite's strangers: whatever is not what the sender signed is NotGenuine, and nothing but that is ever raised.

A dialect that signs nothing has nothing to forge; it refuses nobody.
"""

import re
from collections.abc import Iterator
from typing import Final

from hypothesis import strategies as st
from msgspec import structs

from affwire.dialects.base import Dialect, Trust
from affwire.model.wire import Headers, Message
from affwire.testing.card_suite import Check, demand
from affwire.testing.stage import FIRST, message_of, over, requests_of, secret_of, trust_of, verifies

_DAY: Final = 86_400_000
_NEAR: Final = ("", "é", "ÿ" * 99, "\ud800", "t=,v1=", "t=,s=", "v1,", "sha256=", "Bearer ")
"""What looks like the beginnings of a proof."""
_DIGEST: Final = re.compile(r"[0-9A-Za-z+/=]{40,}")


def every_changed_byte_is_refused(dialect: Dialect) -> None:
    """No body but the one that was signed is genuine: not with one bit changed, one byte less, or one more."""
    if not _signs(dialect):
        return
    for message in _genuine(dialect):
        for body in _mutated(message.body):
            _refused(dialect, structs.replace(message, body=body), f"a body of {len(body)} bytes that nobody signed")


def every_changed_header_is_refused(dialect: Dialect) -> None:
    """What authenticates is taken only as it was sent, and once: not changed, doubled, cut, empty, or beyond ASCII."""
    if dialect.card.authentication.kind == "none":
        return
    for message in _genuine(dialect):
        for title in _needed(dialect, message):
            for headers in _with_other(message, title):
                if not _still_proven(dialect, message.headers, headers):
                    _refused(dialect, structs.replace(message, headers=headers), f"a changed {title}: {headers}")


def only_the_secret_verifies(dialect: Dialect) -> None:
    """Another secret, none and an empty one verify nothing; during a rotation each of the secrets does."""
    if dialect.card.authentication.kind == "none":
        return
    good, other = trust_of(dialect).secrets, secret_of(dialect.card, 9) if _signs(dialect) else "another-token"
    for message in _genuine(dialect):
        for secrets in _strange(good[0], other):
            _refused(dialect, message, f"secrets {len(secrets)}", Trust(secrets=secrets))
        for among in ((other, *good), (*good, other), ("", *good)):
            demand(
                verifies(dialect, message, Trust(secrets=among), FIRST.at), "a secret of a rotation verifies nothing"
            )


def a_stale_time_is_refused(dialect: Dialect) -> None:
    """Where a time is signed it is of about now: up to the card's tolerance, both ways, and no further."""
    tolerance = dialect.card.inbound.tolerance if dialect.card.inbound else 0
    if dialect.card.authentication.kind != "hmac+time" or not dialect.card.inbound:
        return
    demand(tolerance > 0, "a signed time needs a tolerance")
    for message in _genuine(dialect):
        for away in (-tolerance, tolerance):
            now = (FIRST.at // 1000 + away) * 1000
            demand(verifies(dialect, message, trust_of(dialect), now), f"a message of {away} s from now is refused")
        for away in (-_DAY // 1000, -tolerance - 1, tolerance + 1, _DAY // 1000):
            now = (FIRST.at // 1000 + away) * 1000
            _refused(dialect, message, f"a message of {away} s from now", now=now)


def strangers_get_nothing_but_not_genuine(dialect: Dialect) -> None:
    """Whatever the bytes of headers and body are: NotGenuine, and no other error."""
    if dialect.card.inbound is None:
        return
    names = (*dialect.card.written({}), "Authorization", "X")
    header = st.tuples(st.sampled_from(names), st.text(max_size=80) | st.from_regex(r"t=\d+,(v1|s)=[0-9a-f]{0,64}"))
    messages = st.builds(Message, headers=st.lists(header, max_size=4).map(tuple), body=st.binary(max_size=200))

    def check(message: Message) -> None:
        if dialect.card.authentication.kind == "none":
            demand(
                verifies(dialect, message, trust_of(dialect), FIRST.at), "a dialect that signs nothing refuses somebody"
            )
        else:
            _refused(dialect, message, "a message of a stranger")

    over(messages, check)


FORGERY_CHECKS: Final[tuple[Check, ...]] = (
    every_changed_byte_is_refused,
    every_changed_header_is_refused,
    only_the_secret_verifies,
    a_stale_time_is_refused,
    strangers_get_nothing_but_not_genuine,
)


def _signs(dialect: Dialect) -> bool:
    return dialect.card.inbound is not None and dialect.card.authentication.kind.startswith("hmac")


def _genuine(dialect: Dialect) -> list[Message]:
    return [message_of(one) for one in requests_of(dialect)] if dialect.card.inbound else []


def _refused(dialect: Dialect, message: Message, what: str, trust: Trust | None = None, now: int = FIRST.at) -> None:
    demand(not verifies(dialect, message, trust or trust_of(dialect), now), f"{what} is taken as genuine")


def _strange(good: str, other: str) -> list[tuple[str, ...]]:
    return [(), ("",), (other,), ("", other), (good + "x",)]


def _mutated(body: bytes) -> Iterator[bytes]:
    for place, byte in enumerate(body):
        yield body[:place] + bytes([byte ^ 1]) + body[place + 1 :]
    yield from (b"", body[:-1], body[1:], body + b"\n", b" " + body)


def _needed(dialect: Dialect, message: Message) -> list[str]:
    """Return the headers without which the message is not genuine; the others may be whatever they are."""
    trust = trust_of(dialect)
    return [
        title
        for title in dialect.card.written({})
        if not verifies(dialect, structs.replace(message, headers=_without(message, title)), trust, FIRST.at)
    ]


def _without(message: Message, title: str) -> Headers:
    return tuple(one for one in message.headers if one[0].lower() != title.lower())


def _with_other(message: Message, title: str) -> Iterator[Headers]:
    """Yield the message's headers with another value, or two, of one of them."""
    rest, value = _without(message, title), message.header(title) or ""
    for place, char in enumerate(value):
        yield *rest, (title, value[:place] + chr(ord(char) ^ 1) + value[place + 1 :])
    if value.swapcase() != value:
        yield *rest, (title, value.swapcase())
    for other in (*_NEAR, value[:-1], value + "0", value + "é", value + "\0"):
        yield *rest, (title, other)
    yield *rest, (title, value), (title.upper(), value)


def _still_proven(dialect: Dialect, before: Headers, after: Headers) -> bool:
    """Whether only what is not signed was changed: where no time is signed, whatever stands around the digest."""
    digests = [_DIGEST.findall(" ".join(value for _, value in headers)) for headers in (before, after)]
    doubled = len({title.lower() for title, _ in after}) < len(after)
    return dialect.card.authentication.kind == "hmac" and digests[0] == digests[1] and not doubled
