"""`affwire verify` and `affwire explain-signature`: what is typed becomes a case; dialects/explaining.py judges it.

Rule: a secret is taken from an option, a file or the environment, and is never shown.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from affwire.cli.spelling import hint, unknown_dialect
from affwire.dialects import explaining
from affwire.dialects.base import Dialect, Trust
from affwire.dialects.explaining import Case, Verdict, verify
from affwire.errors import Refused
from affwire.model.times import parse
from affwire.model.wire import Headers, Message
from affwire.plugins import load_dialects

__all__ = ["Case", "Verdict", "case", "check_headers", "explain", "options_of", "read_secret", "secrets_of", "verify"]


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


def explain(one: Case) -> Verdict:
    """Return the mistake that makes it not genuine."""
    return explaining.explain(one, load_dialects().values())


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
        return (explaining.at_of(given) or 0) if given.isascii() and given.isdigit() else parse(given)
    except ValueError as error:
        raise Refused(
            "malformed_assignment", f"--now {given!r}: write RFC 3339 with an offset, or unix seconds."
        ) from error
