"""The cases of `affwire check`: what a receiver of a dialect may be sent, and how it should take each.

Rule: what goes out looks like the platform's; every case has ids of its own, so that none is taken for a repeat of another.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import uuid4

from affwire.dialects.base import Attempt, Dialect, Recipient, Trust, encode, load_samples
from affwire.dialects.wrapping import at_path, renamed, with_path
from affwire.errors import NotGenuine
from affwire.model import ids
from affwire.model.times import rfc3339
from affwire.model.wire import Headers, Message, Request
from affwire.rules import signing

Expected = Literal["taken", "refused", "answered"]
"""taken: as the platform counts success; refused: 400 to 499; answered: with anything but a 5xx."""

TEST_HEADER: Final = ("Affwire-Test", "1")
BIG_BYTES: Final = 256 * 1024
"""Far more than any platform sends, far less than any framework's default limit (1 MiB and up)."""
UNKNOWN_WORD: Final = "affwire.check.unknown"
_HOUR_MS: Final = 3_600_000
_MORE: Final = {"affwire_check": {"nested": [1, None, "é"]}}

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One request and how it should be taken. `must`: whether a receiver that does not is broken. `skip`: why it is left out."""

    name: str
    meaning: str
    expected: Expected = "taken"
    must: bool = True
    request: Request | None = None
    skip: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose webhooks are sent, and where to."""

    dialect: Dialect
    url: str
    secrets: Sequence[str]
    options: Mapping[str, str]
    now: int
    samples: Mapping[str, bytes] = field(default_factory=dict)

    def body(self, nth: int = 0) -> Body:
        """Return the nth word's sample with ids of its own; a word that only some are told comes last."""
        words = sorted(
            (one for one in self.dialect.card.words if one.name in self.samples), key=lambda one: one.explicit
        )
        return fresh(self.dialect, json.loads(self.samples[words[nth % len(words)].name]), self.now)

    def headers(self, body: bytes, *, secrets: Sequence[str] | None = None, at: int | None = None) -> Headers:
        """Return the headers of a POST of this body, signed with these secrets, at that time (ms)."""
        signing_with = tuple(self.secrets if secrets is None else secrets)
        recipient = Recipient(
            endpoint_id=ids.make("endpoint", self.now, secrets_bits()),
            url=self.url,
            secrets=signing_with,
            bearer_token=signing_with[0] if signing_with else None,
            options=dict(self.options),
        )
        moment = self.now if at is None else at
        return self.dialect.sign(body, recipient, Attempt(ids.make("attempt", moment, secrets_bits()), 1, moment))

    def request(self, body: Body | bytes, **signing_as: Any) -> Request:
        """Return the POST of a body."""
        raw = body if isinstance(body, bytes) else encode(body)
        return self.carrying(raw, self.headers(raw, **signing_as))

    def carrying(self, raw: bytes, headers: Headers) -> Request:
        """Return the POST of this body with these very headers."""
        return Request(self.url, (*headers, TEST_HEADER), raw)


def sender(dialect: Dialect, url: str, secrets_given: Sequence[str], options: Mapping[str, str], now: int) -> Sender:
    """Return the sender of a dialect's samples."""
    return Sender(dialect, url, secrets_given, options, now, load_samples(type(dialect).__module__))


def cases(one: Sender) -> Iterator[Case]:
    """Yield every case, in the order they are sent."""
    yield from _genuine(one)
    yield from _forged(one)
    yield from _rotated(one)
    yield from _unusual(one)


def fresh(dialect: Dialect, body: Body, now: int) -> Body:
    """Return a body that no receiver took before: other ids where it dedupes, and now for its time."""
    word = renamed(dialect, body, "")  # where the word stands nothing may be touched
    for path in ("id", *dialect.card.dedupe):
        steps = tuple(path.split("."))
        value = at_path(body, steps)
        if value is None or at_path(word, steps) == "":
            continue
        body = with_path(body, steps, rfc3339(now) if path.endswith("_at") else _another(value))
    return body


def secrets_bits() -> int:
    """Return the random bits of an id."""
    return secrets.randbits(74)


def _genuine(one: Sender) -> Iterator[Case]:
    first = one.body()
    yield Case("valid", "a genuine message", request=one.request(first))
    yield Case(
        "repeated", "the same message once more, as after a lost answer", request=one.request(_again(one, first))
    )
    newer, older = one.body(1), one.body(2)
    yield Case("newer", "a message of another word", request=one.request(newer))
    late = _earlier(one, older)
    yield Case("reordered", "a message of an hour ago, behind a newer one", must=False, request=one.request(late))


def _forged(one: Sender) -> Iterator[Case]:
    form = one.dialect.card.authentication
    why = (
        f"{one.dialect.card.name} proves nothing"
        if form.kind == "none"
        else ""
        if one.secrets
        else "no token was named"
    )
    plans: tuple[tuple[str, str, Callable[[], Request]], ...] = (
        ("unsigned", "a message without what authenticates it", lambda: _unsigned(one)),
        ("wrong secret", "a message signed with a secret that is not yours", lambda: _wrong_secret(one)),
        ("tampered", "a message changed after it was signed", lambda: _tampered(one)),
        ("stale", "a message signed too long ago", lambda: _shifted(one, -1)),
        ("ahead", "a message signed too far in the future", lambda: _shifted(one, 1)),
    )
    for name, meaning, plan in plans:
        skip = why or _inapplicable(one, name)
        yield Case(name, meaning, "refused", request=None if skip else plan(), skip=skip)


def _inapplicable(one: Sender, name: str) -> str:
    card = one.dialect.card
    if name == "tampered" and card.authentication.kind == "bearer":
        return "a bearer token covers no body"
    if name in {"stale", "ahead"} and not _signs_time(one):
        return f"{card.name} signs no time"
    return ""


def _rotated(one: Sender) -> Iterator[Case]:
    meaning = "a message while a new secret is already in use beside yours"
    form = one.dialect.card.authentication
    if form.rotation == "all" and one.secrets:
        stranger = signing.minted(form.secret, form.secret_prefix, secrets.token_bytes(32))
        yield Case("rotated secret", meaning, request=one.request(one.body(), secrets=(stranger, *one.secrets)))
        return
    for nth, secret in enumerate(one.secrets[1:], start=2):
        yield Case(
            f"rotated secret {nth}",
            "a message signed with the next secret",
            request=one.request(one.body(), secrets=(secret,)),
        )
    if len(one.secrets) <= 1:
        why = "it takes a second --secret" if one.secrets else "there is no secret"
        yield Case("rotated secret", "a message signed with the next secret", skip=why)


def _unusual(one: Sender) -> Iterator[Case]:
    body = one.body()
    yield Case("extra fields", "a message with fields that came later", request=one.request({**_deeper(body), **_MORE}))
    lean = _without_optional(one, one.body())
    skip = "" if lean else "every field is there always"
    yield Case(
        "missing optional fields",
        "a message without what may be missing or null",
        request=one.request(lean) if lean else None,
        skip=skip,
    )
    unknown = renamed(one.dialect, one.body(), UNKNOWN_WORD)
    yield Case("unknown type", "a message of a type that came later", must=False, request=one.request(unknown))
    big = {**one.body(), "affwire_check": "x" * BIG_BYTES}
    yield Case("big", f"a message of {BIG_BYTES // 1024} KiB", must=False, request=one.request(big))
    raw = b"this is not JSON"
    if one.dialect.card.name == "standard":  # its id is signed, and read from the body
        yield Case("not JSON", "a body that is no JSON", skip="the id that is signed stands in the body")
    else:
        yield Case("not JSON", "a body that is no JSON, signed all the same", "answered", request=one.request(raw))


def _again(one: Sender, body: Body) -> Body:
    for path in one.dialect.card.varies:
        steps = tuple(path.split("."))
        value = at_path(body, steps)
        body = with_path(body, steps, value + 1 if isinstance(value, int) else _another(value))
    return body


def _earlier(one: Sender, body: Body) -> Body:
    """Return a body an hour older, wherever it tells when it happened."""
    for path, target in one.dialect.card.reads.items():
        if target == "event.occurred_at" or path == "occurred_at":
            steps = tuple(path.split("."))
            if isinstance(at_path(body, steps), str):
                body = with_path(body, steps, rfc3339(one.now - _HOUR_MS))
    return body


def _unsigned(one: Sender) -> Request:
    request = one.request(one.body())
    ours = {name.lower() for name in one.dialect.card.written(one.options)}
    return Request(request.url, tuple(pair for pair in request.headers if pair[0].lower() not in ours), request.body)


def _wrong_secret(one: Sender) -> Request:
    form = one.dialect.card.authentication
    return one.request(one.body(), secrets=(signing.minted(form.secret, form.secret_prefix, secrets.token_bytes(32)),))


def _tampered(one: Sender) -> Request:
    body = one.body()
    return one.carrying(encode({**body, "affwire_check": "changed on the way"}), one.headers(encode(body)))


def _shifted(one: Sender, side: int) -> Request:
    return one.request(one.body(), at=one.now + side * _HOUR_MS)


def _signs_time(one: Sender) -> bool:
    """Whether the dialect itself would refuse what was signed an hour ago."""
    old = _shifted(one, -1)
    try:
        one.dialect.verify(
            Message(headers=old.headers, body=old.body),
            Trust(secrets=tuple(one.secrets), options=dict(one.options)),
            one.now,
        )
    except NotGenuine:
        return True
    return False


def _deeper(body: Body) -> Body:
    """Return a body whose every object has one key more."""
    return {name: {**_deeper(value), **_MORE} if isinstance(value, dict) else value for name, value in body.items()}


def _without_optional(one: Sender, body: Body) -> Body | None:
    card = one.dialect.card
    lean = body
    for path in card.optional:
        steps = tuple(path.split("."))
        if "*" not in path and at_path(lean, steps) is not None:
            lean = with_path(lean, steps[:-1], {k: v for k, v in at_path(lean, steps[:-1]).items() if k != steps[-1]})
    for path in card.nullable:
        steps = tuple(path.split("."))
        if not {"*", "[]"} & set(path.replace("[]", ".[]").split(".")) and at_path(lean, steps) is not None:
            lean = with_path(lean, steps, None)
    return None if lean == body else lean


def _another(value: Any) -> Any:
    """Return another id of the same look."""
    if isinstance(value, int):
        return value + secrets.randbelow(10**6) + 1
    text = str(value)
    if text.count("-") == 4:  # noqa: PLR2004 -- a UUID has five parts
        return str(uuid4())
    head, mark, tail = text.rpartition("_")
    return head + mark + secrets.token_hex(len(tail))[: max(len(tail), 8)]
