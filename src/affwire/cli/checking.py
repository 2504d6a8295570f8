"""`affwire check`: somebody's receiver is sent one request per case, and its answers are held against the platform's promise.

Rule: requests leave through the guard and the wire that deliveries use, with the platform's own deadlines.
"""

import asyncio
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from affwire.app import open_guard
from affwire.cli.cases import Case, Sender, cases, sender
from affwire.cli.proving import options_of, secrets_of
from affwire.cli.spelling import unknown_dialect
from affwire.cli.terminal import console, say, show_json, show_table
from affwire.destinations.guard import Guard
from affwire.destinations.http import HttpWire
from affwire.dialects.base import Dialect
from affwire.engine.records import limits
from affwire.errors import Refused
from affwire.model.wire import Outcome
from affwire.plugins import load_dialects
from affwire.settings import Settings

_EXPECTED: Final = {"refused": "4xx", "answered": "no 5xx"}
_LONG_MS: Final = 1000
_WIDE: Final = 120
"""Columns of a screen that has room for what was sent; on another the card stays one line a case."""
_OK: Final = 200
_REFUSED: Final = range(400, 500)
_BROKEN: Final = range(500, 600)
_AGAIN: Final = frozenset({408, 429})
"""Statuses that ask for another try: no refusal of a forgery."""


@dataclass(frozen=True, slots=True)
class Score:
    """One case, and what came of it. `passed` None: it was left out."""

    case: str
    meaning: str
    must: bool
    expected: str
    came: str
    took_ms: int | None
    passed: bool | None

    @property
    def failed(self) -> bool:
        """Whether a receiver may not do that."""
        return self.passed is False and self.must

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def check(
    url: str,
    dialect: str,
    settings: Settings,
    *,
    secrets: Sequence[str],
    secret_file: Path | None,
    options: Sequence[str],
) -> list[Score]:
    """Return the score of every case. Raises Refused for a wrong call, and for a URL that may not be dialled."""
    one = _sender(url, dialect, secrets_of(secrets, secret_file), options)
    return asyncio.run(_scored(one, settings))


def show(scores: Sequence[Score], *, as_json: bool) -> None:
    """Print the card."""
    if as_json:
        show_json([score.as_dict() for score in scores])
        return
    rows = [
        {
            "result": _result(score),
            "case": score.case,
            "sent": score.meaning,
            "expected": score.expected,
            "came": score.came,
            "ms": "" if score.took_ms is None else score.took_ms,
        }
        for score in scores
    ]
    headings = [name for name in rows[0] if name != "sent" or console().width >= _WIDE]
    show_table(headings, [[row[name] for name in headings] for row in rows])
    for score in scores if "sent" not in headings else ():
        if score.passed is False:
            say(f"{score.case}: {score.meaning}.")
    failed, left = sum(score.failed for score in scores), sum(score.passed is None for score in scores)
    warned = sum(score.passed is False for score in scores) - failed
    say(f"{len(scores) - failed - warned - left} passed, {failed} failed, {warned} warnings, {left} left out.")


def junit(scores: Sequence[Score], dialect: str) -> str:
    """Return the card as JUnit's XML; a warning is no failure there."""
    failed, left = sum(score.failed for score in scores), sum(score.passed is None for score in scores)
    seconds = sum(score.took_ms or 0 for score in scores) / 1000
    head = (
        f'<testsuite name={quoteattr(f"affwire check {dialect}")} tests="{len(scores)}" failures="{failed}"'
        f' errors="0" skipped="{left}" time="{seconds:.3f}">'
    )
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *map(_testcase, scores), "</testsuite>", ""])


def _testcase(score: Score) -> str:
    head = f'  <testcase classname="receiver" name={quoteattr(score.case)} time="{(score.took_ms or 0) / 1000:.3f}">'
    told = f"{score.meaning}: expected {score.expected}, came {score.came}"
    if score.passed is None:
        return f"{head}<skipped message={quoteattr(score.came)}/></testcase>"
    if score.failed:
        return f"{head}<failure message={quoteattr(told)}/></testcase>"
    note = "" if score.passed else f"<system-out>{escape(f'warning: {told}')}</system-out>"
    return f"{head}{note}</testcase>"


def _sender(url: str, dialect: str, secrets: tuple[str, ...], options: Sequence[str]) -> Sender:
    dialects = load_dialects()
    if dialect not in dialects:
        raise unknown_dialect(dialect, dialects)
    speaker = dialects[dialect]
    if speaker.card.authentication.kind.startswith("hmac") and not secrets:
        raise Refused(
            "no_secret_given", f"{dialect} signs: name the secret your receiver knows, by --secret or AFFWIRE_SECRET."
        )
    return sender(speaker, url, secrets, options_of(speaker, options), time.time_ns() // 1_000_000)


async def _scored(one: Sender, settings: Settings) -> list[Score]:
    guard = open_guard(settings)
    wire = _open_wire(settings, guard)
    try:
        await _judge(guard, one.url)
        scores = [_watched(await _score(case, one.dialect, wire)) for case in cases(one)]
    finally:
        await wire.close()
        guard.close()
    return [*scores, _in_time(scores, one.dialect)]


def _watched(score: Score) -> Score:
    """Return it; who watches is told of a long wait at once: a receiver that never answers takes minutes."""
    if sys.stderr.isatty() and (score.took_ms or 0) >= _LONG_MS:
        say(f"{score.case}: {score.came}")
    return score


def _open_wire(settings: Settings, guard: Guard) -> HttpWire:
    try:
        return HttpWire(guard, settings.ca_file)
    except ValueError as error:
        raise Refused("invalid_settings", f"AFFWIRE_CA_FILE: {error}.") from error


async def _judge(guard: Guard, url: str) -> None:
    try:
        await guard.judge(url)
    except Refused as refusal:
        advice = "For a receiver of your own: AFFWIRE_ALLOW_NETWORKS=127.0.0.0/8, and AFFWIRE_ALLOW_HTTP=true for plain http."
        raise Refused(refusal.code, f"{refusal.sentence} {advice}") from refusal


async def _score(case: Case, dialect: Dialect, wire: HttpWire) -> Score:
    expected = _EXPECTED.get(case.expected) or dialect.card.promise.success
    if case.request is None:
        return Score(case.name, case.meaning, case.must, expected, case.skip, None, None)
    outcome = await wire.send(case.request, limits(dialect.card.policy()))
    took = outcome.timings.total_ms
    return Score(
        case.name,
        case.meaning,
        case.must,
        expected,
        _came(outcome),
        None if took is None else round(took),
        _fits(case, dialect, outcome),
    )


def _fits(case: Case, dialect: Dialect, outcome: Outcome) -> bool:
    if outcome.response is None:
        return False
    status = outcome.response.status
    if case.expected == "refused":
        return status in _REFUSED and status not in _AGAIN
    if case.expected == "answered":
        return status not in _BROKEN
    return status == _OK if dialect.card.promise.success == "200" else status // 100 == 2  # noqa: PLR2004 -- 2xx


def _came(outcome: Outcome) -> str:
    if outcome.response is not None:
        return str(outcome.response.status)
    return f"{outcome.error}: {outcome.detail}" if outcome.detail else str(outcome.error)


def _in_time(scores: Iterable[Score], dialect: Dialect) -> Score:
    """Return the score of the slowest answer."""
    allowed = dialect.card.promise.total_timeout
    times = list(_times(scores))
    slowest = max(times, default=0)
    late = [score for score in scores if score.came.startswith("timeout")]
    answered = any(score.came.isdigit() for score in scores)
    meaning = f"every answer within {allowed:g} s, as the platform waits"
    came = f"no answer to: {', '.join(score.case for score in late)}" if late else f"{slowest / 1000:.3f} s at most"
    if not (late or answered):
        return Score("slow", meaning, True, f"{allowed:g} s", "nothing was answered", None, None)
    return Score("slow", meaning, True, f"{allowed:g} s", came, slowest, not late and slowest <= allowed * 1000)


def _times(scores: Iterable[Score]) -> Iterator[int]:
    return (score.took_ms for score in scores if score.took_ms is not None)


def _result(score: Score) -> str:
    if score.passed is None:
        return "left out"
    return "ok" if score.passed else "FAILED" if score.must else "warning"
