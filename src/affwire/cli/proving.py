"""`affwire verify` and `affwire explain-signature`: whether a request is its platform's, and which mistake makes it not so.

Rule: a secret is taken from an option, a file or the environment, and is never shown.
"""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from affwire.cli.spelling import hint, unknown_dialect
from affwire.dialects.base import Attempt, Dialect, Recipient, Trust
from affwire.errors import NotGenuine, Refused, Unencodable
from affwire.model import ids
from affwire.model.times import parse, rfc3339
from affwire.model.wire import Headers, Message
from affwire.plugins import load_dialects
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


def case(
    dialect: str,
    *,
    headers: Sequence[str],
    secrets: Sequence[str],
    secret_file: Path | None,
    options: Sequence[str],
    now: str | None,
) -> Case:
    """Return what was typed, the body still to come. Raises Refused for what cannot be meant."""
    dialects = load_dialects()
    if dialect not in dialects:
        raise unknown_dialect(dialect, dialects)
    speaker = dialects[dialect]
    known = secrets_of(secrets, secret_file)
    if not known and speaker.card.authentication.kind != "none":
        raise Refused("no_secret_given", "Name the secret: --secret, --secret-file or AFFWIRE_SECRET.")
    trust = Trust(secrets=known, options=options_of(speaker, options))
    return Case(speaker, Message(headers=_headers(headers), body=b""), trust, _now(now))


def check_headers(one: Case) -> None:
    """Raise Refused if none of the headers that authenticate was handed over."""
    written = one.dialect.card.written(one.trust.options)
    if written and not {name.lower() for name in written} & {name.lower() for name, _ in one.message.headers}:
        needed = " and ".join(f"--header '{name}: ...'" for name in written)
        raise Refused("no_header_given", f"{one.name} authenticates by headers: hand over {needed}, as they came.")


def verify(one: Case) -> Verdict:
    """Return whether the dialect takes it."""
    try:
        one.dialect.verify(one.message, one.trust, one.now)
    except NotGenuine as doubt:
        return Verdict(False, doubt.sentence)
    if one.dialect.card.authentication.kind == "none":
        return Verdict(True, f"{one.name} signs nothing: whatever comes is taken as genuine.")
    return Verdict(True, "It is genuine.")


def explain(one: Case) -> Verdict:
    """Return the mistake that makes it not genuine."""
    judged = verify(one)
    if judged.genuine:
        return judged
    if one.dialect.card.authentication.kind == "bearer":
        told = bearer.explain(one.message.headers, one.trust.secrets)
        none = f"None of {bearer.KNOWN} known mistakes explains this token: it is another one."
        return Verdict(False, *told) if told else _unexplained(judged, none)
    return _explained(one, judged)


def _explained(one: Case, judged: Verdict) -> Verdict:
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
    foreign = _foreign(one, secrets) if finding is None or len(finding.mistakes) > 1 else None
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
    at = _at(finding.time)
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


def _at(told: str) -> int | None:
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


def _foreign(one: Case, secrets: Sequence[str]) -> str | None:
    """Return the name of another dialect that signs so."""
    for name, dialect in load_dialects().items():
        way = _way_of(dialect, {}) if name != one.name else None
        finding = mistakes.explain(one.message.headers, one.message.body, secrets, [way], combined=0) if way else None
        if finding is not None:
            return name
    return None


def read_secret(file: Path) -> str:
    """Return the secret in a file, without the newline that ends it. Raises Refused("unreadable_secret")."""
    try:
        return file.read_text("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused("unreadable_secret", f"There is no secret in {file}: {error}.") from error


def secrets_of(given: Sequence[str], file: Path | None) -> tuple[str, ...]:
    """Return the secrets that were typed, and the one in the file, or without any the environment's. Raises Refused."""
    known = list(given)
    if file is not None:
        known.append(read_secret(file))
    elif not known and os.environ.get("AFFWIRE_SECRET"):
        known.append(os.environ["AFFWIRE_SECRET"])
    return tuple(known)


def _headers(given: Sequence[str]) -> Headers:
    pairs = [line.partition(":") for line in given]
    for place, (name, found, _) in enumerate(pairs, start=1):
        if not found or not name.strip():  # it may hold a token: it is counted, never shown
            raise Refused("malformed_assignment", f"--header number {place}: write its name, a colon, and its value.")
    return tuple((name.strip(), value.strip()) for name, _, value in pairs)


def options_of(speaker: Dialect, given: Sequence[str]) -> dict[str, str]:
    """Return a dialect's options typed as name=value. Raises Refused for one that it has not."""
    pairs = [one.partition("=") for one in given]
    known = speaker.card.options
    for one, (name, found, value) in zip(given, pairs, strict=True):
        if not found or name not in known:
            told = hint(name, known) if known else f"{speaker.card.name} has none."
            raise Refused("malformed_assignment", f"--option {one!r}: write an option, =, and its value; {told}")
        if known[name].choices and value not in known[name].choices:
            raise Refused("malformed_assignment", f"--option {one!r}: it is one of {', '.join(known[name].choices)}.")
    return {name: value for name, _, value in pairs}


def _now(given: str | None) -> int:
    if given is None:
        return time.time_ns() // 1_000_000
    try:
        return (_at(given) or 0) if given.isascii() and given.isdigit() else parse(given)
    except ValueError as error:
        raise Refused(
            "malformed_assignment", f"--now {given!r}: write RFC 3339 with an offset, or unix seconds."
        ) from error
