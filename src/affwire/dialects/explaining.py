"""Explaining: whether a request is its platform's, and which known mistake makes it not so, in words that a person reads.

Rule: a secret is looked at and never told.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct, structs

from affwire.dialects.base import Attempt, Dialect, Recipient, Trust
from affwire.errors import NotGenuine, Unencodable
from affwire.model import ids
from affwire.model.times import rfc3339
from affwire.model.wire import Headers, Message
from affwire.rules import bearer, mending, mistakes, signing, variants
from affwire.rules.mistakes import Finding, Way

_PROBE: Final = b'{"id":"evt_probe"}'
_PROBED_AT: Final = 1_700_000_000_000
_MS_FROM: Final = 100_000_000_000
"""A bare number as large as this is a time in ms: in seconds it would be the year 5138."""
_LARGE: Final = 1 << 20
"""Bytes of a body beyond which no two mistakes are combined: no door takes it, and it would take half a minute."""
_ENDPOINT: Final = ids.make("endpoint", 0, 1)


class Case(Struct, frozen=True):
    """A request to be judged, and all that it is judged by."""

    dialect: Dialect
    message: Message
    trust: Trust
    now: int

    @property
    def name(self) -> str:
        """The dialect's name."""
        return self.dialect.card.name

    def with_body(self, body: bytes) -> "Case":
        """Return it with the request's body."""
        return structs.replace(self, message=structs.replace(self.message, body=body))


class Verdict(Struct, frozen=True):
    """What came of it: `found` is a sentence, `mend` another or empty."""

    genuine: bool
    found: str
    mend: str = ""


def verify(one: Case) -> Verdict:
    """Return whether the dialect takes it."""
    try:
        one.dialect.verify(one.message, one.trust, one.now)
    except NotGenuine as doubt:
        return Verdict(False, doubt.sentence)
    if one.dialect.card.authentication.kind == "none":
        return Verdict(True, f"{one.name} signs nothing: whatever comes is taken as genuine.")
    return Verdict(True, "It is genuine.")


def explain(one: Case, others: Iterable[Dialect]) -> Verdict:
    """Return the mistake that makes it not genuine. `others`: dialects as which it may be signed instead."""
    judged = verify(one)
    if judged.genuine:
        return judged
    if one.dialect.card.authentication.kind == "bearer":
        told = bearer.explain(one.message.headers, one.trust.secrets)
        none = f"None of {bearer.KNOWN} known mistakes explains this token: it is another one."
        return Verdict(False, *told) if told else _unexplained(judged, none)
    return _explained(one, judged, others)


def _explained(one: Case, judged: Verdict, others: Iterable[Dialect]) -> Verdict:
    headers, body = one.message.headers, one.message.body
    secrets = [secret for secret in one.trust.secrets if secret]
    right = _way_of(one.dialect, one.trust.options)
    if right is None or not secrets:
        return judged
    if not mistakes.carried(headers):
        return Verdict(
            False, "No header carries anything like a signature.", f"{one.name} sends it in the header {right.header}."
        )
    ways = mistakes.rights(headers, body, secrets[0], right, _judge(one))
    finding = mistakes.explain(headers, body, secrets, ways, 1 if len(body) > _LARGE else mistakes.COMBINED_MAX)
    if finding is not None and not finding.mistakes:
        return _timely(one, judged, finding)
    foreign = _foreign(one, secrets, others) if finding is None or len(finding.mistakes) > 1 else None
    if foreign:
        return Verdict(
            False, f"It is signed as {foreign} signs.", f"Verify it as {foreign}, or sign as {one.name} does."
        )
    if finding is None:
        return _unknown(one, judged, right, secrets)
    return Verdict(False, *mending.sentence(finding))


def _unknown(one: Case, judged: Verdict, right: Way, secrets: Sequence[str]) -> Verdict:
    part = mistakes.missing(one.message.headers, right)
    if part:
        told = f"What is signed is {right.signed}, and no header tells the {part}{' in unix time' * (part == 'time')}."
        return Verdict(
            False, f"{judged.found} {told}", f"Hand over the header that tells the {part}, as it came: --header."
        )
    other = "body" if right.signed == variants.BODY_ALONE else "body, time or id"
    none = f"None of {mistakes.known()} known mistakes makes this signature: another secret, or another {other}."
    return _unexplained(judged, none, _misfit(one, secrets))


def _unexplained(judged: Verdict, *more: str) -> Verdict:
    return Verdict(False, " ".join(part for part in (judged.found, *more) if part))


def _misfit(one: Case, secrets: Sequence[str]) -> str:
    problem = next((signing.problem(one.dialect.card.authentication.secret, secret) for secret in secrets), None)
    return f"The secret itself looks wrong: {problem}." if problem else ""


def _timely(one: Case, judged: Verdict, finding: Finding) -> Verdict:
    """Return what is wrong with a signature that fits: its time, or the number of its headers."""
    at = at_of(finding.time)
    if at is None:
        return Verdict(False, f"The signature fits; yet: {judged.found}")
    if finding.time and int(finding.time) == at:
        return Verdict(False, "The signature fits, and its time is in milliseconds.", "Write the time in unix seconds.")
    off = abs(one.now - at) // 1000
    if off <= (one.dialect.card.inbound.tolerance if one.dialect.card.inbound else 0):
        return Verdict(False, f"The signature fits; yet: {judged.found}")
    side = "old" if at < one.now else "ahead"
    return Verdict(
        False,
        f"The signature fits, and is stale: its time, {rfc3339(at)}, is {off} s {side}.",
        "Set both clocks right, and verify before the body waits in a queue; --now judges it as of another time.",
    )


def at_of(told: str) -> int | None:
    """Return a time that was told in unix seconds or ms, in ms; None for an empty one."""
    if not told:
        return None
    return int(told) if int(told) >= _MS_FROM else int(told) * 1000


def _judge(one: Case) -> mistakes.Accepts:
    def accepts(headers: Headers, at: int | None) -> bool:
        try:
            one.dialect.verify(
                Message(headers=headers, body=one.message.body), one.trust, one.now if at is None else at
            )
        except NotGenuine:
            return False
        return True

    return accepts


def _way_of(dialect: Dialect, options: Mapping[str, str]) -> Way | None:
    """Return the way this dialect signs, found by having it sign."""
    form = dialect.card.authentication
    if not form.kind.startswith("hmac"):
        return None
    secret = signing.minted(form.secret, form.secret_prefix, bytes(range(32)))
    recipient = Recipient(endpoint_id=_ENDPOINT, url="", secrets=(secret,), options=dict(options))
    try:
        headers = dialect.sign(_PROBE, recipient, Attempt(ids.make("attempt", 0, 1), 1, _PROBED_AT))
    except Unencodable:
        return None
    return mistakes.expected(headers, _PROBE, secret)


def _foreign(one: Case, secrets: Sequence[str], others: Iterable[Dialect]) -> str | None:
    """Return the name of another dialect that signs so."""
    for dialect in others:
        way = _way_of(dialect, {}) if dialect.card.name != one.name else None
        finding = mistakes.explain(one.message.headers, one.message.body, secrets, [way], combined=0) if way else None
        if finding is not None:
            return dialect.card.name
    return None
