"""A live feed at the terminal (server-sent events): it goes on where it was when the connection breaks.

Rule: a message is given out once. What the server cannot be asked at all is told at once; later it is asked again.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from affwire.cli.client import Unanswered, read_lines
from affwire.cli.terminal import say

SILENCE_S: Final = 60.0
"""A server says every 15 s that it lives; one that says nothing for a minute is gone."""
RETRY_S: Final = 1.0
"""Between two tries to be connected again."""
OPEN: Final = "The feed is open: what happens from now on is shown."
_LATER: Final = 500
"""From this status on the server may yet come round; below, asking again would not help."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: where the feed can be resumed after it, and what it says; None: nothing but the place."""

    id: str | None
    data: str | None


async def follow(path: str, **query: Any) -> AsyncIterator[Any]:
    """Yield what a feed says, from now on, until the caller has enough. Raises Unanswered, Refused as a client does."""
    asked = {name: value for name, value in query.items() if value is not None}
    last: str | None = None
    while True:
        parser = Parser()
        try:
            async for line in read_lines(path, asked, last, silence_s=SILENCE_S):
                if message := parser.take(line):
                    if last is None:
                        say(OPEN)
                    last = message.id or last
                    if message.data is not None:
                        yield _read(message.data)
        except Unanswered as answer:
            if last is None or not may_come_round(answer):
                raise
        say("The feed was cut; it goes on where it was.")
        await asyncio.sleep(RETRY_S)


def may_come_round(answer: Unanswered) -> bool:
    """Return whether it makes sense to ask a server again that was there before."""
    return answer.code != "not_affwire" and int(answer.facts.get("status", _LATER)) >= _LATER


class Parser:
    """Takes a stream's lines one by one (WHATWG HTML, 9.2.6; of its fields only id and data)."""

    def __init__(self) -> None:
        self._id: str | None = None
        self._data: list[str] = []

    def take(self, line: str) -> Message | None:
        """Return the message that this line ends, None if it ends none."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line:
            if name == "id":
                self._id = value
            elif name == "data":
                self._data.append(value)
            return None
        message = Message(self._id, "\n".join(self._data) if self._data else None)
        self._id, self._data = None, []
        return message if message != Message(None, None) else None


def _read(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        raise Unanswered("not_affwire", "What answers is not affwire: its feed speaks no JSON.") from None
