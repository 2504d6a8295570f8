"""affwire as a library: one call between a platform's webhook and a program's own code.

    received = receive("rewardful", request.headers, raw_body, secret)

It verifies before it reads, keeps nothing and opens no connection. Installed dialects count like the built-in ones.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from affwire.dialects.base import Dialect, Trust
from affwire.model import canonical
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.times import ms_of
from affwire.model.wire import Headers, Message
from affwire.plugins import find_dialect

Text = str | bytes
Now = int | datetime | None

_SECRET_TYPES: Final = "a secret is a text, several of them during a rotation, or None"  # noqa: S105 -- a sentence


class Received(Struct, frozen=True, kw_only=True):
    """What a genuine message says.

    `event` is the canonical type (the first, if the message means several: `events`), None for a word that means nothing to
    affwire; `word` is the platform's own. `records` are shaped like a `standard` message's `data` and hold only what was
    told, the platform's ids as external ids. `dedupe_key` is the same whenever the platform sends this message again; None
    where it tells nothing to know a repeat by. `occurred_at` is in ms, None if untold. `unread`: paths of the body that no
    canonical field stands for.
    """

    event: str | None
    records: dict[str, Any]
    dedupe_key: str | None
    dialect: str
    word: str
    events: tuple[str, ...] = ()
    occurred_at: int | None = None
    unread: tuple[str, ...] = ()


def receive(
    dialect: str | Dialect,
    headers: Mapping[str, Text] | Iterable[tuple[Text, Text]],
    body: bytes,
    secret: str | Sequence[str] | None,
    now: Now = None,
    *,
    options: Mapping[str, str] | None = None,
    unverified: bool = False,
) -> Received:
    """Return what a webhook says, once it is known to be its platform's.

    `body` are the raw bytes, as they came. `secret` is what the platform signs with (or the bearer token it sends), the
    old and the new one during a rotation; None for a platform that proves nothing (`growi`). `now` is unix time in ms or
    an aware datetime; None: the clock's. `options` are the dialect's own, named on its card. `unverified=True` takes a
    message without proof, from a platform that could give one and was not told to.

    Raises NotGenuine or Undecodable, each with a `code` and an `http_status` to answer with. A mistake in the call
    itself (a parsed body, an unknown dialect) is a TypeError or a ValueError.
    """
    speaker = find_dialect(dialect) if isinstance(dialect, str) else dialect
    if speaker.card.inbound is None:
        raise ValueError(f"{speaker.card.name} is only written: its card has no [inbound]")
    secrets = _secrets(speaker, secret, unverified=unverified)
    trust = Trust(secrets=secrets, options=_options(speaker, options or {}))
    message = Message(headers=_headers(headers), body=_raw(body))
    if not unverified:
        speaker.verify(message, trust, _ms(now))
    identity = speaker.identify(message)
    reading = speaker.decode(message)
    return Received(
        event=reading.events[0] if reading.events else None,
        records=_records(speaker.card.name, reading),
        dedupe_key=identity.dedupe_key,
        dialect=speaker.card.name,
        word=reading.word,
        events=reading.events,
        occurred_at=reading.occurred_at,
        unread=reading.unread,
    )


def _secrets(speaker: Dialect, secret: str | Sequence[str] | None, *, unverified: bool) -> tuple[str, ...]:
    several = (secret,) if isinstance(secret, str) else tuple(secret or ())
    if not all(isinstance(one, str) for one in several):
        raise TypeError(_SECRET_TYPES)
    name = speaker.card.name
    if several and unverified:
        raise ValueError("unverified=True with a secret: leave one of them out, or nobody knows which is meant")
    if several and speaker.card.authentication.kind == "none":
        raise ValueError(f"{name} signs nothing, so no secret can prove anything: pass secret=None")
    return several


def _options(speaker: Dialect, options: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(options.keys() - speaker.card.options.keys())
    if unknown:
        known = ", ".join(speaker.card.options) or "none"
        raise ValueError(f"{speaker.card.name} has no option {unknown[0]!r}; it has: {known}")
    return dict(options)


def _headers(headers: Mapping[str, Text] | Iterable[tuple[Text, Text]]) -> Headers:
    """Return the headers as pairs. Every framework's mapping lists a header that came twice twice, or joins them."""
    pairs = headers.items() if isinstance(headers, Mapping) or hasattr(headers, "items") else headers
    return tuple((_text(name), _text(value)) for name, value in pairs)


def _text(value: Text) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise TypeError(f"a header's name and value are str or bytes, not {type(value).__name__}")
    return value


def _raw(body: object) -> bytes:
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    raise TypeError(
        f"the body must be the raw bytes that came, not {type(body).__name__}: the signature covers them byte for byte,"
        " and no parsed or decoded body can be turned back into them"
    )


def _ms(now: Now) -> int:
    if now is None:
        return time.time_ns() // 1_000_000
    if isinstance(now, datetime):
        return ms_of(now)
    return now


def _records(namespace: str, reading: Reading) -> dict[str, Any]:
    """Return what was told, under the names that a `standard` message's `data` has."""
    memberships = [_membership(namespace, one) for one in reading.memberships]
    program = reading.program or (reading.membership.program if reading.membership else None)
    shown: dict[str, Any] = {
        kind: _record(namespace, told)
        for kind, told in (
            ("organization", reading.organization),
            ("program", program),
            ("affiliate", reading.affiliate),
        )
        if told is not None
    }
    if memberships:
        shown["memberships"] = memberships
    if reading.own is not None:
        shown["membership"] = memberships[reading.own]
    if reading.links is not None:
        shown["links"] = [_record(namespace, one) for one in reading.links]
    return shown


def _membership(namespace: str, member: ToldMembership) -> dict[str, Any]:
    shown = _record(namespace, member.told)
    if member.program is not None:
        shown["program"] = _record(namespace, member.program)
    if member.group is not None:
        shown["group"] = _record(namespace, member.group)
    if member.promo_codes is not None:
        shown["promo_codes"] = [_record(namespace, one) for one in member.promo_codes]
    return shown


def _record(namespace: str, told: Told) -> dict[str, Any]:
    fields = {name: canonical.timed(name, value) for name, value in told.fields.items()}
    if told.id is not None:
        fields["external_ids"] = {**(fields.get("external_ids") or {}), namespace: told.id}
    return fields
