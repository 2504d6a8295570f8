"""The requests that the golden vectors are, with the verdict on each as the contracts have it.

The reader fills in what a genuine one says and why a wrong one is refused; it has no say in the verdict.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from msgspec import Struct

from affwire.dialects.base import encode, load_samples
from affwire.plugins import find_dialect
from affwire.testing import genuine
from affwire.testing.vectors import Verdict, proofs, special

AT: Final = 1_772_235_192
"""When everything is signed and judged unless a case says otherwise: 2026-02-27T23:33:12Z."""
TOLERANCE: Final = 300
_JOINS: Final = ("affiliate.created", "affiliate-signup", "campaign_affiliate.activated")


class Case(Struct, frozen=True, kw_only=True):
    """One request; `now` in unix seconds."""

    name: str
    headers: proofs.Pairs
    body: bytes
    secrets: tuple[str, ...]
    verdict: Verdict
    now: int = AT
    options: dict[str, str] = {}


class Kit(Struct, frozen=True):
    """What the cases of one dialect are made of."""

    dialect: str
    proof: proofs.Proof
    samples: dict[str, bytes]
    secret: str
    other: str

    @property
    def word(self) -> str:
        """The word of every case that is about something else: whoever joins."""
        return next(one for one in _JOINS if one in self.samples)

    @property
    def usual(self) -> bytes:
        """The sample of that word."""
        return compact(self.samples[self.word])

    def case(self, name: str, body: bytes | None = None, verdict: Verdict = "genuine", **fields: Any) -> Case:
        """Return a case signed rightly, but for what `fields` say otherwise."""
        raw = self.usual if body is None else body
        signed = fields.pop("signed", raw)
        by = fields.pop("by", self.secret)
        proof = fields.pop("proof", self.proof)
        headers = proof(signed, by, fields.pop("at", AT))
        headers = fields.pop("headers", headers)
        default: dict[str, Any] = {"secrets": (self.secret,) if self.secret else ()}
        kept = (("Content-Type", "application/json"), *headers)
        return Case(name=name, headers=kept, body=raw, verdict=verdict, **(default | fields))


def cases(dialect: str) -> tuple[Case, ...]:
    """Return every case of a built-in dialect, its name told once."""
    speaker = find_dialect(dialect)
    samples = load_samples(type(speaker).__module__)
    secret, other = genuine.secret_of(speaker, 1) or "", genuine.secret_of(speaker, 2) or ""
    kit = Kit(dialect, proofs.PROOFS[dialect], samples, secret, other)
    parts: list[Callable[[Kit], Iterator[Case]]] = [_readable, _unreadable]
    parts += [_proven] if secret else []
    parts += [_signed] if speaker.card.authentication.kind.startswith("hmac") else []
    parts += [_timed] if speaker.card.authentication.kind == "hmac+time" and dialect != "tamio" else []
    found = [case for part in parts for case in part(kit)]
    return *found, *(kit.case(name, **fields) for name, fields in special.CASES[dialect](kit))


def compact(sample: bytes) -> bytes:
    """Return a sample as it is sent."""
    return encode(json.loads(sample))


def _readable(kit: Kit) -> Iterator[Case]:
    """Yield every word, and what a tolerant reader must take."""
    for word, sample in kit.samples.items():
        yield kit.case(f"says {word}", compact(sample))
    body = json.loads(kit.usual)
    yield kit.case("an unknown word", encode(special.renamed(body, kit.word, special.unheard(kit.word))))
    yield kit.case("an unknown key", encode({**body, "unheard_of": {"a": [1, None]}}))
    yield kit.case("pretty-printed", json.dumps(body, indent=2).encode())
    yield kit.case("text that is not ASCII", encode(special.named(body, "Zo\u00eb \U0001f600 \u96ea")))
    yield kit.case("text as escapes", json.dumps(special.named(body, "Zo\u00eb \U0001f600 \u96ea")).encode())
    headers = kit.proof(kit.usual, kit.secret, AT)
    yield kit.case("header names in capitals", headers=tuple((name.upper(), value) for name, value in headers))
    yield kit.case("header names in lower case", headers=tuple((name.lower(), value) for name, value in headers))


def _unreadable(kit: Kit) -> Iterator[Case]:
    """Yield what is genuine and no message: signed by the platform's secret, so not a stranger's."""
    body = kit.usual
    wrong = {
        "an empty body": b"",
        "not JSON": b"event=affiliate.created",
        "half a body": body[: len(body) // 2],
        "not UTF-8": body[:-1] + b',"x":"\xff"}',
        "not an object": b"[" + body + b"]",
        "an empty object": b"{}",
        "a key that stands twice": body[:-1] + b',"x":1,"x":1}',
        "a NUL in a text": body[:-1] + b',"x":"\\u0000"}',
        "half a surrogate pair": body[:-1] + b',"x":"\\ud800"}',
        "NaN": body[:-1] + b',"x":NaN}',
        "a number beyond all": body[:-1] + b',"x":1e999}',
        "a hundred levels": body[:-1] + b',"x":' + b"[" * 100 + b"]" * 100 + b"}",
        "a byte order mark": b"\xef\xbb\xbf" + body,
    }
    for name, raw in wrong.items():
        yield kit.case(name, raw, "undecodable")


def _proven(kit: Kit) -> Iterator[Case]:
    """Yield what every proof, a signature or a token, has to stand."""
    both = (kit.other, kit.secret)
    header = proofs.SIGNATURE[kit.dialect]
    good = kit.proof(kit.usual, kit.secret, AT)
    value = dict(good)[header]
    yield kit.case("a rotation: by the new secret", by=kit.other, secrets=both)
    yield kit.case("a rotation: by the old secret", secrets=both)
    refused: dict[str, dict[str, Any]] = {
        "by another secret": {"by": kit.other},
        "by another secret than both of a rotation": {
            "by": genuine.secret_of(find_dialect(kit.dialect), 3),
            "secrets": both,
        },
        "no secret to judge by": {"secrets": ()},
        "an empty secret to judge by": {"secrets": ("",)},
        "no proof": {"headers": tuple(one for one in good if one[0] != header)},
        "the proof under another name": {"headers": tuple((f"X-Other-{name}", text) for name, text in good)},
        "the proof twice": {"headers": (*good, (header, value))},
        "the proof twice, one of them wrong": {"headers": ((header, _flipped(value)), *good)},
        "an empty proof": {"headers": _with(good, header, "")},
        "the proof cut by a character": {"headers": _with(good, header, value[:-1])},
        "the proof longer by a character": {"headers": _with(good, header, value + "0")},
        "the proof with a character changed": {"headers": _with(good, header, _flipped(value))},
        "a proof that is not ASCII": {"headers": _with(good, header, value[:-1] + "\u00e9")},
        "a proof of digits that are not ASCII": {"headers": _with(good, header, value[:-1] + "\u00b2")},
    }
    for name, fields in refused.items():
        yield kit.case(name, verdict="not_genuine", **fields)


def _signed(kit: Kit) -> Iterator[Case]:
    """Yield bodies that are not the ones that were signed."""
    body = kit.usual
    secret = kit.secret
    changed = {
        "a bit of the body changed": body[:-2] + bytes([body[-2] ^ 1]) + body[-1:],
        "the first bit of the body changed": bytes([body[0] ^ 1]) + body[1:],
        "a newline after the body": body + b"\n",
        "a carriage return and newline after the body": body + b"\r\n",
        "a space before the body": b" " + body,
        "the body written again with spaces": json.dumps(json.loads(body)).encode(),
        "the body written again with sorted keys": json.dumps(
            json.loads(body), sort_keys=True, separators=(",", ":")
        ).encode(),
        "the body left out": b"",
    }
    for name, raw in changed.items():
        yield kit.case(name, raw, "not_genuine", signed=body)
    yield kit.case("signed by an empty secret", verdict="not_genuine", by="", secrets=("",))
    yield kit.case(
        "signed by the secret and a newline",
        verdict="not_genuine",
        by=secret + "\n" if kit.dialect != "standard" else kit.other,
    )


def _timed(kit: Kit) -> Iterator[Case]:
    """Yield times at both ends of the tolerance, and one that is not the time signed."""
    for name, seconds in (("oldest", -TOLERANCE), ("youngest", TOLERANCE)):
        yield kit.case(f"the {name} time that counts", at=AT + seconds)
    for name, seconds in (("too old", -TOLERANCE - 1), ("too young", TOLERANCE + 1), ("a day old", -86_400)):
        yield kit.case(f"a second {name}" if "too" in name else name, verdict="not_genuine", at=AT + seconds)
    good = kit.proof(kit.usual, kit.secret, AT)
    for name, text in (
        ("another time than the one signed", str(AT + 1)),
        ("a time in ms", str(AT * 1000)),
        ("a time that is no number", "now"),
        ("a time with a sign", f"+{AT}"),
        ("an empty time", ""),
        ("a time in digits that are not ASCII", "\u00b2"),
    ):
        moved = tuple((title, value.replace(str(AT), text)) for title, value in good)
        yield kit.case(name, verdict="not_genuine", headers=moved)


def _with(headers: proofs.Pairs, name: str, value: str) -> proofs.Pairs:
    return tuple((title, value if title == name else text) for title, text in headers)


def _flipped(value: str) -> str:
    """Return the value with its last character but three changed, into another of the same alphabet."""
    place = len(value) - 4
    return value[:place] + ("1" if value[place] != "1" else "2") + value[place + 1 :]
