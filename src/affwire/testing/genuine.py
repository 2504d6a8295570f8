"""Genuine requests of every dialect, as its platform would send them, and the nearest wrong ones: for receivers' tests.

    signed = genuine.request("rewardful", "affiliate.created", object__email="kim@example.com")
    my_receiver(signed.headers, signed.body)

The bodies are the dialects' samples; the same arguments make the same bytes.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import EllipsisType
from typing import Any, Final

from msgspec import Struct, structs

from affwire.dialects.base import Attempt, Dialect, Recipient, Trust, encode, load_samples
from affwire.errors import NotGenuine
from affwire.model import ids
from affwire.model.wire import Message
from affwire.plugins import find_dialect
from affwire.rules import signing

TOKEN: Final = "a-token-of-the-test-kit"  # noqa: S105 -- of nobody
_ENDPOINT: Final = ids.make("endpoint", 0, 1)
_RETRY_MS: Final = 5_000

Change = str | int | float | bool | list[Any] | dict[str, Any] | EllipsisType | None


class Signed(Struct, frozen=True, kw_only=True):
    """One request and all that its signature stands on. Unpacks as `headers, body, secret`.

    `secret` is None where the platform proves nothing; `at` is when it was signed (unix ms). `now`, for a receiver that can
    be told the time, is `at` unless the request is stale.
    """

    dialect: str
    headers: dict[str, str]
    body: bytes
    secret: str | None
    at: int
    now: int
    options: dict[str, str] = {}

    @property
    def message(self) -> Message:
        """The request as a dialect reads it."""
        return Message(headers=tuple(self.headers.items()), body=self.body)

    def is_genuine(self) -> bool:
        """Whether the dialect itself takes it at `now`."""
        trust = Trust(secrets=() if self.secret is None else (self.secret,), options=self.options)
        try:
            find_dialect(self.dialect).verify(self.message, trust, self.now)
        except NotGenuine:
            return False
        return True

    def forgeries(self) -> dict[str, "Signed"]:
        """Return what a receiver must refuse, by name. None at all where the platform proves nothing."""
        kind = find_dialect(self.dialect).card.authentication.kind
        if kind == "none":
            return {}
        wrong = {"unsigned": self.unsigned(), "forged": self.forged()}
        if kind != "bearer":
            wrong["tampered"] = self.tampered()
        with suppress(ValueError):
            wrong["stale"] = self.stale()
        return wrong

    def __iter__(self) -> Iterator[Any]:
        return iter((self.headers, self.body, self.secret))

    def tampered(self, at: int = -2) -> "Signed":
        """Return it with one bit of the body's byte `at` changed on the way: no signature covers that."""
        body = bytearray(self.body)
        body[at] ^= 1
        return structs.replace(self, body=bytes(body))

    def unsigned(self) -> "Signed":
        """Return it without the headers that authenticate."""
        names = {name.lower() for name in find_dialect(self.dialect).card.written(self.options)}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in names}
        return structs.replace(self, headers=kept)

    def forged(self) -> "Signed":
        """Return it signed with another secret, as a stranger would. ValueError where the platform signs nothing."""
        speaker = find_dialect(self.dialect)
        if self.secret is None:
            raise ValueError(f"{self.dialect} signs nothing: there is nothing to forge")
        headers = _headers(speaker, self.body, secret_of(speaker, 99), self.at, self.options)
        return structs.replace(self, headers=headers)

    def stale(self) -> "Signed":
        """Return it signed too long before `now`. ValueError where the platform signs no time."""
        speaker = find_dialect(self.dialect)
        tolerance = speaker.card.inbound.tolerance if speaker.card.inbound else 0
        at = self.now - (tolerance + 1) * 1000
        headers = _headers(speaker, self.body, self.secret, at, self.options)
        late = structs.replace(self, headers=headers, at=at)
        if late.is_genuine():
            raise ValueError(f"{self.dialect} signs no time: an old request is as good as a new one, so dedupe")
        return late

    def repeated(self) -> "Signed":
        """Return the platform's next try at the same message, seconds later: to be known by its dedupe key."""
        speaker = find_dialect(self.dialect)
        body = json.loads(self.body)
        for path in speaker.card.varies:
            _put(body, path.split("."), _next(_at(body, path.split("."))))
        encoded, at = encode(body), self.at + _RETRY_MS
        return structs.replace(
            self,
            headers=_headers(speaker, encoded, self.secret, at, self.options),
            body=encoded,
            at=at,
            now=self.now + _RETRY_MS,
        )


def request(
    dialect: str,
    word: str | None = None,
    *,
    secret: str | None = None,
    at: int | None = None,
    options: Mapping[str, str] | None = None,
    **changes: Change,
) -> Signed:
    """Return a genuine request that says `word` (the dialect's first one if None; any other text makes an unknown word).

    `changes` are parts of the body by path, `__` between the names (`object__email="..."`); `...` takes a part away.
    `secret`: the kit's own if None. `at`: when it is signed, unix ms; None: now. Raises ValueError if there is no such
    dialect, KeyError if the body has no such object.
    """
    speaker = find_dialect(dialect)
    body = _sample(speaker, word)
    for path, value in changes.items():
        _put(body, path.split("__"), value)
    return sign(dialect, encode(body), secret=secret, at=at, options=options)


def sign(
    dialect: str,
    body: bytes,
    *,
    secret: str | None = None,
    at: int | None = None,
    options: Mapping[str, str] | None = None,
) -> Signed:
    """Return a request with this very body, signed as the dialect's endpoints are."""
    speaker = find_dialect(dialect)
    chosen = secret_of(speaker) if secret is None else secret
    signed_at = time.time_ns() // 1_000_000 if at is None else at
    settings = dict(options or {})
    headers = _headers(speaker, body, chosen, signed_at, settings)
    return Signed(
        dialect=dialect, headers=headers, body=body, secret=chosen, at=signed_at, now=signed_at, options=settings
    )


def secret_of(speaker: Dialect, nth: int = 1) -> str | None:
    """Return the kit's nth secret of the dialect's form; None if it has none."""
    form = speaker.card.authentication
    if form.kind == "none":
        return None
    if form.kind == "bearer":
        return f"{TOKEN}-{nth}"
    return signing.minted(form.secret, form.secret_prefix, bytes([nth]) * 32)


def _headers(speaker: Dialect, body: bytes, secret: str | None, at: int, options: dict[str, str]) -> dict[str, str]:
    recipient = Recipient(
        endpoint_id=_ENDPOINT,
        url="https://example.com/hooks",
        secrets=() if secret is None else (secret,),
        bearer_token=secret if speaker.card.authentication.kind == "bearer" else None,
        options=options,
    )
    return dict(speaker.sign(body, recipient, Attempt(ids.make("attempt", at, 1), 1, at)))


def _sample(speaker: Dialect, word: str | None) -> dict[str, Any]:
    """Return the sample of the word; of an unknown one, the first sample with that word in place of its own."""
    samples = load_samples(type(speaker).__module__)
    name = word if word in samples else min(samples, key=len) if word else speaker.card.words[0].name
    name = name if name in samples else next(iter(samples))
    body: dict[str, Any] = json.loads(samples[name])
    return body if word in {None, name} else _renamed(body, name, word)


def _renamed(node: Any, old: str, new: str | None) -> Any:
    if isinstance(node, dict):
        return {key: _renamed(value, old, new) for key, value in node.items()}
    return new if node == old else node


def _put(body: Any, path: list[str], value: Any) -> None:
    *parents, last = path
    inner = _at(body, parents)
    if not isinstance(inner, dict):
        raise KeyError(f"the body has no object {'.'.join(parents)!r}")
    if value is ...:
        inner.pop(last, None)
    else:
        inner[last] = value


def _at(body: Any, path: list[str]) -> Any:
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _next(value: Any) -> Any:
    """Return what differs from try to try as the next try has it: a number counts on, an id is another one."""
    if isinstance(value, int):
        return value + 1
    return ids.uuid_of(ids.make("attempt", 0, int.from_bytes(str(value).encode()[-9:])))
