"""The inbox: messages are kept before anybody understands them, and looked at, judged anew or set aside by hand.

Rule: what was answered as received is never lost; what is not genuine is kept only to be looked at.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, Literal

from msgspec import Struct, structs

from affwire.dialects.base import Dialect, Identity, Trust
from affwire.errors import Conflict, NotFound, NotGenuine, Undecodable
from affwire.model.inbound import HOP_HEADER, Kept, Source
from affwire.model.wire import Headers, Message
from affwire.services import credentials, sources
from affwire.store.tx import Tx

REJECTED_MAX: Final = 1_000
"""Messages of a source that were not genuine: enough to see what is wrong, little enough that a flood fills no disk."""
REJECTED_BYTES_MAX: Final = 16 * 1_048_576
PARKED_MAX: Final = 1_000
"""Unreadable messages of a source that proves nothing: anybody may send them, so their number is bounded too."""
PARKED_BYTES_MAX: Final = 16 * 1_048_576
KEY_CHARACTERS_MAX: Final = 300
"""A longer dedupe key is kept as its digest."""
WORD_CHARACTERS_MAX: Final = 200
RETENTION_DAYS_MIN: Final = 7
"""Days that a settled message is remembered at least: the longest a platform goes on repeating one (Standard Webhooks and
Rewardful end within 4 days), so that a repeat is known as one."""
_DAY_MS: Final = 86_400_000
MASK: Final = "****"
BY_HAND: Final = "set aside by hand"
_HOP_NAME: Final = HOP_HEADER.lower()
_LOOKED_FOR: Final = credentials.NAMES | {_HOP_NAME}
_HOPS_MAX: Final = 1_000
"""Far beyond any limit on loops."""
_DIGITS_MAX: Final = 4

Fate = Literal["kept", "repeated", "full", "stale"]


class Arrival(Struct, frozen=True):
    """A message as the door judged it, under the source as it knew it."""

    source: Source
    message: Kept


def keep(tx: Tx, arrivals: Sequence[Arrival]) -> list[Fate]:
    """Keep what arrived, in this order, and say what became of each.

    `stale`: the source is not as the door knew it, so nothing was kept: judge it anew. `full`: it proves nothing, cannot
    be read, and too many such are kept already. `repeated`: it was there.
    """
    as_read = _as_read(tx, arrivals)
    fates: list[Fate] = ["kept" if as_read[arrival.source.id] else "stale" for arrival in arrivals]
    room = {source_id: _room(tx, source_id) for source_id in _unproven(arrivals)}
    for place, arrival in enumerate(arrivals if room else ()):
        if fates[place] == "kept" and arrival.source.id in room and arrival.message.status == "parked":
            room[arrival.source.id] -= 1
            fates[place] = "kept" if room[arrival.source.id] >= 0 else "full"
    chosen = [_guarded(tx, arrival.message) for arrival, fate in zip(arrivals, fates, strict=True) if fate == "kept"]
    kept = tx.inbox.keep(chosen)
    if any(message.status == "received" for message in chosen):
        tx.wake()
    if all(kept):
        return fates
    new = iter(kept)
    return ["repeated" if fate == "kept" and not next(new) else fate for fate in fates]


def trim(tx: Tx, source_ids: Iterable[str]) -> None:
    """Drop the oldest messages that were not genuine of these sources, beyond what is kept of one."""
    for source_id in source_ids:
        tx.inbox.trim_rejected(source_id, count_max=REJECTED_MAX, bytes_max=REJECTED_BYTES_MAX)


def identified(dialect: Dialect, message: Message) -> Identity | str:
    """Return what a message is called, or why it cannot be told: a sentence. Whatever the bytes are, it never raises.

    A key that is very long is its digest.
    """
    try:
        named = dialect.identify(message)
    except Undecodable as error:
        return error.sentence
    except Exception as error:  # noqa: BLE001 -- a dialect's own fault must not lose the message
        return f"The dialect could not read it ({type(error).__name__})."
    if not (_is_storable(named.word) and _is_storable(named.dedupe_key or "")):
        return "Its name or its id holds characters that no text may hold."
    key = named.dedupe_key
    if key is not None and len(key) > KEY_CHARACTERS_MAX:
        key = "sha256:" + sha256(key.encode()).hexdigest()
    return Identity(named.word[:WORD_CHARACTERS_MAX], key)


def _is_storable(text: str) -> bool:
    return "\0" not in text and (text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text))


def doubt(dialect: Dialect, message: Message, trust: Trust, now: int) -> NotGenuine | None:
    """Return why a message is not genuine, None if it is. Whatever the bytes are, it never raises."""
    try:
        dialect.verify(message, trust, now)
    except NotGenuine as error:
        return error
    except Exception as error:  # noqa: BLE001 -- what trips a dialect up is not proven, so it is not genuine
        return NotGenuine("unverifiable", f"The dialect could not verify it ({type(error).__name__}).")
    return None


def hops_of(message: Message) -> int:
    """Return how many installations of affwire a message says it went through; 0 if it says nothing that is a number."""
    values = [value.strip() for name, value in message.headers if name.lower() == _HOP_NAME]
    numbers = [int(value) if len(value) <= _DIGITS_MAX else _HOPS_MAX for value in values if _is_number(value)]
    return min(max(numbers, default=0), _HOPS_MAX)


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit()


def is_plain(headers: Headers) -> bool:
    """Whether none of the headers is one that `hops_of` or `without_credentials` looks for: most have none."""
    return _LOOKED_FOR.isdisjoint([name.lower() for name, _ in headers])


def without_credentials(headers: Headers) -> Headers:
    """Return headers as they are kept of a genuine message: what proves somebody's identity is masked."""
    return tuple((name, MASK if name.lower() in credentials.NAMES else value) for name, value in headers)


def get(tx: Tx, organization_id: str, message_id: str) -> Kept:
    """Return a message, credentials masked; raises NotFound, alike for what is not there and what is another's."""
    kept = _found(tx, organization_id, message_id)
    return structs.replace(kept, headers=without_credentials(kept.headers))


def reprocess(tx: Tx, organization_id: str, dialects: Mapping[str, Dialect], message_id: str) -> Kept:
    """Have a message processed once more, as if it came now for the first time.

    Raises NotFound, Conflict: "message_rejected", "message_quarantined", "message_forgotten", "message_repeated".
    """
    kept = _found(tx, organization_id, message_id)
    if kept.status == "rejected":
        raise Conflict("message_rejected", f"{kept.id} was not genuine; verify it first, with the right secret.")
    if kept.status == "quarantined":
        raise Conflict("message_quarantined", f"{kept.id} is quarantined; release it.")
    return kept if kept.status == "received" else _again(tx, dialects, kept)


def quarantine(tx: Tx, organization_id: str, message_id: str) -> Kept:
    """Set a message aside: it is neither processed nor dropped. Raises NotFound, Conflict("message_rejected")."""
    kept = _found(tx, organization_id, message_id)
    if kept.status == "rejected":
        raise Conflict("message_rejected", f"{kept.id} was not genuine, so it is not processed anyway.")
    if kept.status != "quarantined":
        tx.inbox.move(kept, "quarantined", BY_HAND)
    return get(tx, organization_id, message_id)


def release(tx: Tx, organization_id: str, dialects: Mapping[str, Dialect], message_id: str) -> Kept:
    """Have a quarantined message processed. Raises NotFound, Conflict: "message_not_quarantined", and as `reprocess`."""
    kept = _found(tx, organization_id, message_id)
    if kept.status != "quarantined":
        raise Conflict(
            "message_not_quarantined", f"{kept.id} is {kept.status}; only a quarantined message is released."
        )
    return _again(tx, dialects, kept)


def verify(
    tx: Tx, organization_id: str, dialects: Mapping[str, Dialect], message_id: str, secret: str | None
) -> tuple[Kept, NotGenuine | None]:
    """Judge a message anew, as at the time it came: with `secret`, or else with those its source has now.

    A rejected one that is genuine after all is taken in. Returns it as it is now, and why it is not genuine, if so.
    Raises NotFound, Conflict("message_forgotten", "message_repeated", "dialect_missing"), and "credentials_forgotten" for
    one that was taken in and proved itself by what is masked since.
    """
    kept = _found(tx, organization_id, message_id)
    _refuse_forgotten(kept)
    source = tx.registry.get_even_deleted(Source, organization_id, kept.source_id)
    if source is None:
        raise NotFound("source_not_found", f"The source of {kept.id} is not there any more.")
    secrets = (secret,) if secret is not None else tuple(sources.opened_secrets(tx, source))
    message = structs.replace(kept.message, headers=credentials.opened_headers(tx, kept))
    trust = Trust(secrets=secrets, options=source.options)
    doubts = doubt(_dialect(dialects, kept), message, trust, kept.received_at)
    if doubts is not None and MASK in (value for name, value in message.headers if name.lower() in credentials.NAMES):
        raise Conflict("credentials_forgotten", f"{kept.id} was taken in; the credentials it came with are not kept.")
    if doubts is None and kept.status == "rejected":
        tx.inbox.rewrite_headers(kept.id, without_credentials(kept.headers))
        tx.tell("message.accepted", id=kept.id, source_id=source.id)
        return _again(tx, dialects, kept), None
    return get(tx, organization_id, message_id), doubts


def forget(tx: Tx, retention_ms: int, *, limit: int) -> int:
    """Drop up to `limit` messages that were settled longer ago than the retention, or than repeats may come; return how many."""
    return tx.inbox.forget(tx.now - max(retention_ms, RETENTION_DAYS_MIN * _DAY_MS), limit=limit)


def _guarded(tx: Tx, message: Kept) -> Kept:
    """Return a message as it is stored: one that was not genuine may be judged anew, so its credentials are sealed."""
    if message.status != "rejected" or is_plain(message.headers):
        return message
    return structs.replace(message, headers=credentials.sealed_headers(tx, message.source_id, message.headers))


def _again(tx: Tx, dialects: Mapping[str, Dialect], kept: Kept) -> Kept:
    """Put a message in line; what it is called is read anew, since what reads it may have learned since."""
    _refuse_forgotten(kept)
    named = identified(_dialect(dialects, kept), kept.message)
    if isinstance(named, Identity):
        _refuse_repeat(tx, kept, named.dedupe_key)
        kept = structs.replace(kept, word=named.word, dedupe_key=named.dedupe_key)
    tx.inbox.move(kept, "received")
    tx.wake()
    return get(tx, kept.organization_id, kept.id)


def _refuse_repeat(tx: Tx, kept: Kept, dedupe_key: str | None) -> None:
    other = dedupe_key and tx.inbox.key_taken(kept.source_id, dedupe_key, besides=kept.id)
    if other:
        raise Conflict("message_repeated", f"{kept.id} repeats {other}, which was taken in already.", existing_id=other)


def _refuse_forgotten(kept: Kept) -> None:
    if kept.body is None:
        raise Conflict("message_forgotten", f"What {kept.id} said was erased; only that it came is still known.")


def _dialect(dialects: Mapping[str, Dialect], kept: Kept) -> Dialect:
    if kept.dialect not in dialects:
        raise Conflict("dialect_missing", f"The dialect {kept.dialect!r} of {kept.id} is not installed.")
    return dialects[kept.dialect]


def _found(tx: Tx, organization_id: str, message_id: str) -> Kept:
    kept = tx.inbox.get(organization_id, message_id)
    if kept is None:
        raise NotFound("message_not_found", f"There is no message {message_id} in this organization.")
    return kept


def _as_read(tx: Tx, arrivals: Sequence[Arrival]) -> dict[str, bool]:
    """Note that the sources were heard; return which of them are still as the door knew them."""
    read = {arrival.source.id: arrival.source for arrival in arrivals}
    genuine = Counter([arrival.source.id for arrival in arrivals if arrival.message.status != "rejected"])
    mixed = {one.source.id for one in arrivals if one.source.updated_at != read[one.source.id].updated_at}
    return {source_id: source_id not in mixed and _noted(tx, read[source_id], genuine[source_id]) for source_id in read}


def _noted(tx: Tx, source: Source, genuine: int) -> bool:
    """Note that a source was heard, if it was; return whether it is still as the door knew it."""
    return tx.sources.heard(source, genuine, tx.now) if genuine else tx.sources.is_as_read(source)


def _unproven(arrivals: Sequence[Arrival]) -> set[str]:
    """Return the sources that take what proves nothing, of those something unreadable came from."""
    return {one.source.id for one in arrivals if one.message.status == "parked" and not one.source.secrets}


def _room(tx: Tx, source_id: str) -> int:
    count, size = tx.inbox.parked(source_id)
    return PARKED_MAX - count if size < PARKED_BYTES_MAX else 0
