"""`affwire listen`: events as they happen, said in one dialect to a server on this laptop.

    feed of events -> the server renders and signs, with this laptop's own secret -> sent from here -> one line

Rule: requests leave this machine for the URL that was typed, under the guard with loopback opened, and for no other.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from affwire.cli.client import Client, Unanswered
from affwire.cli.feed import RETRY_S, follow, may_come_round
from affwire.cli.talking import at
from affwire.cli.terminal import say, show_json, visible
from affwire.destinations.guard import Guard, Rules
from affwire.destinations.http import HttpWire
from affwire.dialects.base import Dialect, Trust
from affwire.errors import NotGenuine
from affwire.model.wire import Limits, Message, Outcome, Request
from affwire.rules.matching import covers

LOOPBACK: Final = "127.0.0.0/8,::1/128"
LIMITS: Final = Limits(connect_ms=5_000, read_ms=20_000, total_ms=20_000)
"""As long as the most patient platform waits, so that a breakpoint of a few seconds is no failure."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to listen for. `url`: where to forward to, None to look on only; no `patterns`: everything."""

    dialect: Dialect
    secret: str
    url: str | None = None
    patterns: tuple[str, ...] = ()
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """One request, and what came of it (None: it was not forwarded)."""

    event: Mapping[str, Any]
    attempt: int
    word: str
    request: Request
    verified: bool | None
    outcome: Outcome | None


class Listener:
    """Says events to the laptop one by one, and remembers the last."""

    def __init__(self, client: Client, wire: HttpWire, wish: Wish) -> None:
        self.last: list[Said] = []
        self._client, self._wire, self._wish = client, wire, wish
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Listen until cancelled. Raises Unanswered."""
        async for event in follow("/v1/events/stream"):
            async with self._turn:
                await self._take(event, 1)

    async def replay(self) -> None:
        """Say the last event again, as its next try."""
        try:
            async with self._turn:
                if self.last:
                    await self._take(self.last[0].event, self.last[0].attempt + 1)
        except Unanswered as answer:
            say(answer.sentence)

    def detail(self) -> None:
        """Print the last requests and answers whole."""
        for said in self.last:
            print(visible("\n".join(_detail(said))), flush=True)

    async def _take(self, event: Mapping[str, Any], attempt: int) -> None:
        view = await self._rendered(event["id"], attempt)
        wanted = [one for one in view["requests"] if self._wants(event["type"], one["word"])]
        if not wanted:
            self._tell_silence(event, view["reason"] or "not among the events asked for")
            return
        self.last = [await self._say(event, one, attempt) for one in wanted]

    async def _rendered(self, event_id: str, attempt: int) -> dict[str, Any]:
        """Return the signed requests for an event, waiting for a server that is away."""
        proof = {"dialect": self._wish.dialect.card.name, "secret": self._wish.secret, "attempt": attempt}
        while True:
            try:
                seen = await asyncio.to_thread(self._client.post, f"{at('/v1/events', event_id)}/render", proof)
            except Unanswered as answer:
                if not may_come_round(answer):
                    raise
                say(answer.sentence)
                await asyncio.sleep(RETRY_S)
            else:
                view: dict[str, Any] = seen["dialects"][0]
                return view

    async def _say(self, event: Mapping[str, Any], shown: Mapping[str, Any], attempt: int) -> Said:
        headers = tuple((name, value) for name, value in shown["headers"])
        request = Request(self._wish.url or "", headers, shown["body"].encode())
        outcome = await self._wire.send(request, LIMITS) if self._wish.url and not shown["reason"] else None
        verified = None if shown["reason"] else _verified(self._wish, request)
        said = Said(event, attempt, shown["word"], request, verified, outcome)
        if self._wish.as_json:
            show_json(as_dict(said), at_once=True)
        else:
            told = line(said) if not shown["reason"] else f"{shown['word']}  {shown['reason']}"
            print(visible(told), flush=True)
        return said

    def _wants(self, event_type: str, word: str) -> bool:
        patterns = self._wish.patterns
        return not patterns or any(covers(one, event_type) or covers(one, word) for one in patterns)

    def _tell_silence(self, event: Mapping[str, Any], reason: str) -> None:
        if not self._wish.as_json:
            say(f"{event['occurred_at']}  {event['type']}  nothing is said: {reason}")


def line(said: Said) -> str:
    """Return what became of a request as a line."""
    proof = {True: "verified", False: "NOT VERIFIED", None: "unsigned"}[said.verified]
    again = f"try {said.attempt}" if said.attempt > 1 else ""
    parts = (said.event["occurred_at"], said.event["type"], said.word, again, *_came(said.outcome), proof)
    return "  ".join(part for part in parts if part)


def as_dict(said: Said) -> dict[str, Any]:
    """Return what became of a request as plain values."""
    outcome = said.outcome
    return {
        "event_id": said.event["id"],
        "type": said.event["type"],
        "word": said.word,
        "attempt": said.attempt,
        "status": outcome.response.status if outcome and outcome.response else None,
        "error": outcome.error if outcome else None,
        "ms": outcome.timings.total_ms if outcome else None,
        "verified": said.verified,
        "headers": [list(pair) for pair in said.request.headers],
        "body": said.request.body.decode(),
    }


def open_guard() -> Guard:
    """Return a guard that also lets requests reach this machine itself, over plain http too."""
    return Guard(Rules.parse(LOOPBACK, allow_http=True))


def _came(outcome: Outcome | None) -> tuple[str, ...]:
    if outcome is None:
        return ()
    came = str(outcome.response.status) if outcome.response else f"{outcome.error}: {outcome.detail}"
    return came, f"{outcome.timings.total_ms or 0:.0f} ms"


def _detail(said: Said) -> list[str]:
    answer = said.outcome.response if said.outcome else None
    lines = [f"POST {said.request.url}", *(f"{name}: {value}" for name, value in said.request.headers), ""]
    lines += [said.request.body.decode(), ""]
    if answer:
        lines += [f"{answer.status}", *(f"{name}: {value}" for name, value in answer.headers), ""]
        lines += [answer.body.decode("utf-8", "replace"), ""]
    return lines


def _verified(wish: Wish, request: Request) -> bool | None:
    """Return whether a receiver who knows the secret finds the request genuine; None where nothing can be proven."""
    card = wish.dialect.card
    if card.authentication.kind == "none" or card.inbound is None:
        return None
    message, now = Message(headers=request.headers, body=request.body), round(time.time() * 1000)
    try:
        wish.dialect.verify(message, Trust(secrets=(wish.secret,)), now)
    except NotGenuine:
        return False
    return True
