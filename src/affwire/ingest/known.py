"""The sources that the door knows: looked up once by their token's digest, with secrets opened and answers made.

What is remembered may be over: the commit that keeps a message tells, and the door forgets and asks again.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import Message

from affwire.dialects.base import Dialect, Trust
from affwire.ingest import answers
from affwire.model.inbound import Source
from affwire.services import sources
from affwire.services.organizations import digest
from affwire.store.store import Store
from affwire.store.tx import Tx

GATHER_S: Final = 0.01
"""What the answer to a forgery waits at most, so that many share one look at their source."""
KNOWN_MAX: Final = 10_000
"""Sources remembered: some 30 MB of memory at most; with more of them each costs a look-up now and then."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A source ready to judge messages. `dialect` None: it is not installed. `secrets`: each with its end (ms) or None."""

    source: Source
    dialect: Dialect | None
    secrets: tuple[tuple[str, int | None], ...]
    answer: tuple[Message, Message] | None
    lasting: Trust | None
    """What its sender is known by until the source is changed; None: some of its secrets end by themselves."""

    def trust(self, now: int) -> Trust:
        """Return what its sender is known by at a time (ms)."""
        if self.lasting is not None:
            return self.lasting
        secrets = tuple(secret for secret, ends_at in self.secrets if ends_at is None or ends_at > now)
        return Trust(secrets=secrets, options=self.source.options)


class KnownSources:
    """Finds sources by token. Used from one event loop."""

    def __init__(self, store: Store, dialects: Mapping[str, Dialect]) -> None:
        self._store = store
        self._dialects = dialects
        self._opened: dict[str, Opened] = {}
        self._looks: dict[tuple[str, int], asyncio.Task[bool]] = {}

    def remembered(self, token: str) -> Opened | None:
        """Return the source with that ingest token as it was last looked up, if it took messages then."""
        return self._opened.get(token)

    async def look_up(self, token: str) -> Opened | None:
        """Return the source with that ingest token, None if there is none; raises Busy.

        One that takes nothing, being disabled or without its dialect, is not remembered: it may be mended by the next time.
        """
        opened = await self._store.read(lambda tx: self._open(tx, digest(token)))
        if opened is not None and opened.source.enabled and opened.dialect is not None:
            self._remember(token, opened)
        return opened

    async def is_current(self, source: Source) -> bool:
        """Whether its owner has not changed the source since it was looked up; raises Busy.

        Those who ask within GATHER_S share one look: in a flood of forgeries a look each costs more than judging them.
        """
        name = (source.id, source.updated_at)
        if name not in self._looks:
            self._looks[name] = asyncio.create_task(self._look(source, name))
        return await asyncio.shield(self._looks[name])

    async def _look(self, source: Source, name: tuple[str, int]) -> bool:
        await asyncio.sleep(GATHER_S)
        del self._looks[name]  # who asks from here on asks anew: this look may be too early for them
        return await self._store.read(lambda tx: tx.sources.is_as_read(source))

    def forget(self, token: str) -> None:
        """Look the source up anew the next time."""
        self._opened.pop(token, None)

    def _remember(self, token: str, opened: Opened) -> None:
        if len(self._opened) >= KNOWN_MAX:
            self._opened.pop(next(iter(self._opened)))
        self._opened[token] = opened

    def _open(self, tx: Tx, key: str) -> Opened | None:
        source = tx.sources.by_token(key)
        if source is None:
            return None
        dialect = self._dialects.get(source.dialect)
        ends = [secret.expires_at for secret in sources.live_secrets(source, tx.now)]
        secrets = tuple(sources.opened_secrets(tx, source))
        return Opened(
            source=source,
            dialect=dialect,
            secrets=tuple(zip(secrets, ends, strict=True)),
            lasting=None if any(ends) else Trust(secrets=secrets, options=source.options),
            answer=answers.of_answer(dialect.answer()) if dialect else None,
        )
