"""The keeper: messages that wait share one transaction, and each is answered for only after its commit.

Genuine ones go first: a flood of others takes its turn behind them, a few at a time.
"""

import asyncio
from collections import Counter, deque
from typing import Final

import structlog

from affwire.errors import Busy
from affwire.services import inbox
from affwire.services.inbox import Arrival, Fate
from affwire.store.store import Store
from affwire.store.tx import Tx

GENUINE_PER_COMMIT: Final = 256
"""Messages that share a commit: a few milliseconds of the writer's time."""
REJECTED_PER_COMMIT: Final = 16
"""Messages that were not genuine, in one commit with others."""
REJECTED_WAITING_MAX: Final = 256
"""As many wait at most, a few hundredths of a second's work; what comes then is not kept."""
BYTES_PER_COMMIT: Final = 4 * 1_048_576
BYTES_WAITING_MAX: Final = 64 * 1_048_576
"""Bodies in memory that wait to be kept; beyond it senders are told to come again."""
GATHER_S: Final = 0.002
"""What a message waits, while others come too, to share its commit: a commit costs as much as a dozen messages."""
TRIMMED_EVERY: Final = 64
"""Messages that were not genuine between two trimmings: so many more than allowed may lie there for a while."""
BYTES_AS_MUCH_AS_ONE: Final = 65_536
"""Of a body: with large ones trimming comes sooner, after 4 MiB at the latest."""

_Waiting = tuple[Arrival, "asyncio.Future[Fate]"]


class Keeper:
    """Keeps messages in groups. Used from one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._genuine: deque[_Waiting] = deque()
        self._rejected: deque[_Waiting] = deque()
        self._bytes = 0
        self._together = 0
        self._untrimmed: Counter[str] = Counter()
        self._work: asyncio.Task[None] | None = None

    @property
    def is_crowded(self) -> bool:
        """Whether so many wait that were not genuine that one more has to go unkept."""
        return len(self._rejected) >= REJECTED_WAITING_MAX or self._bytes >= BYTES_WAITING_MAX // 2

    async def keep(self, arrival: Arrival) -> Fate:
        """Return what became of a message, once that is durable. Raises Busy: nothing was kept."""
        if self._bytes >= BYTES_WAITING_MAX:
            raise Busy("too_many_messages", "Too many messages are waiting to be kept; send it again shortly.")
        if self._work is None or self._work.done():
            self._loop = asyncio.get_running_loop()  # seldom: asking asks the kernel too
            self._work = self._loop.create_task(self._keep_all())
        future: asyncio.Future[Fate] = self._loop.create_future()
        line = self._rejected if arrival.message.status == "rejected" else self._genuine
        line.append((arrival, future))
        self._bytes += arrival.message.size
        return await future

    async def close(self) -> None:
        """Finish what is in line."""
        if self._work is not None:
            await self._work

    async def _keep_all(self) -> None:
        while self._genuine or self._rejected:
            if self._together > 1:
                await asyncio.sleep(GATHER_S)
            group = [*_taken(self._genuine, GENUINE_PER_COMMIT), *_taken(self._rejected, REJECTED_PER_COMMIT)]
            self._together = len(group)
            await self._keep_group(group)
            self._bytes -= sum(arrival.message.size for arrival, _ in group)

    async def _keep_group(self, group: list[_Waiting]) -> None:
        """Keep a group; where something unforeseen fails, each of it alone, so that one spoils nobody else's."""
        arrivals = [arrival for arrival, _ in group]
        trimmed = self._to_trim(arrivals)
        try:
            fates = await self._store.run(lambda tx: _kept(tx, arrivals, trimmed))
        except Busy as error:
            _fail(group, error)
        except Exception:  # noqa: BLE001 -- whatever one message trips the store up with is not the others' affair
            structlog.get_logger("affwire.ingest").exception("messages.not_kept", messages=len(group))
            if len(group) > 1:
                for one in group:
                    await self._keep_group([one])
            else:
                _fail(group, Busy("message_not_kept", "The message could not be kept; send it again later."))
        else:
            for source_id in trimmed:
                del self._untrimmed[source_id]
            for (_, future), fate in zip(group, fates, strict=True):
                if not future.done():
                    future.set_result(fate)

    def _to_trim(self, arrivals: list[Arrival]) -> list[str]:
        """Count what was not genuine; return the sources to be trimmed with this commit, if it is time to."""
        for arrival in arrivals:
            if arrival.message.status == "rejected":
                self._untrimmed[arrival.source.id] += 1 + arrival.message.size // BYTES_AS_MUCH_AS_ONE
        return list(self._untrimmed) if self._untrimmed.total() >= TRIMMED_EVERY else []


def _kept(tx: Tx, arrivals: list[Arrival], trimmed: list[str]) -> list[Fate]:
    fates = inbox.keep(tx, arrivals)
    inbox.trim(tx, trimmed)
    return fates


def _taken(line: deque[_Waiting], most: int) -> list[_Waiting]:
    taken: list[_Waiting] = []
    size = 0
    while line and len(taken) < most and size < BYTES_PER_COMMIT:
        taken.append(line.popleft())
        size += taken[-1][0].message.size
    return taken


def _fail(group: list[_Waiting], error: Busy) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)
