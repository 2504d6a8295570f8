"""The normaliser: takes messages that wait, in order of arrival, and has each carried out in a transaction of its own.

A message that cannot be carried out is parked with its reason; it stops nobody, and is never taken up again by itself.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from affwire.dialects.base import Dialect
from affwire.engine.pulse import Pulse
from affwire.errors import AffwireError, Busy
from affwire.model.inbound import Kept
from affwire.services import intake
from affwire.store.store import Store, answer
from affwire.store.tx import Tx

POLL_MS: Final = 1_000
"""The longest sleep: a wake that was lost costs a second."""
BATCH: Final = 200
"""Messages read at a time."""
TOGETHER: Final = 8
"""Messages in the store's line at a time: some six milliseconds of its thread, which what comes in meanwhile has to wait.
They share commits; with 200 of them a busy door answered a hundred times later."""

GAP_MS: Final = 10
"""After a look in vain it looks again so much later at the soonest: most wakes tell of deliveries, and a look costs as
much as a tenth of one. Messages that come meanwhile share the next look."""

Settled = Callable[[Kept, Exception | None], None]

_log = structlog.get_logger("affwire.engine")


class Normaliser:
    """Carries messages out until it is stopped."""

    def __init__(
        self, store: Store, dialects: Mapping[str, Dialect], *, poll_ms: int = POLL_MS, told: Settled | None = None
    ) -> None:
        """`told` hears of every message that was settled, and of the fault for which it was parked."""
        self._store = store
        self._dialects = dialects
        self._poll_ms = poll_ms
        self._told = told
        self._stopped = False
        self._pulse = Pulse()
        store.on_wake(self._pulse.beat_from_thread)

    async def run(self) -> None:
        """Do what waits, sleep, again."""
        while not self._stopped:
            settled = 0
            try:
                settled = await self.round()
            except AffwireError as error:
                _log.error("normaliser.round_failed", code=error.code, sentence=error.sentence)
            except Exception:  # noqa: BLE001 -- the loop goes on, whatever one round trips over
                _log.exception("normaliser.round_failed")
            if not self._stopped and not settled:
                await self._pulse.wait(self._poll_ms)
                await asyncio.sleep(GAP_MS / 1000)

    async def stop(self) -> None:
        """End after the batch at hand; what still waits is carried out after the next start."""
        self._stopped = True
        self._pulse.beat()

    async def round(self) -> int:
        """Carry out one batch; return how many messages were settled."""
        waiting = await self._store.read(lambda tx: tx.inbox.waiting(BATCH))
        settled = 0
        for start in range(0, len(waiting), TOGETHER):
            settled += await self._carry_out(waiting[start : start + TOGETHER])
        return settled

    async def _carry_out(self, waiting: Sequence[Kept]) -> int:
        under_way = [self._store.submit(self._work(message)) for message in waiting]
        settled = 0
        for message, future in zip(waiting, under_way, strict=True):
            parked: Exception | None = None
            try:
                await answer(future)
            except Busy:
                continue  # nothing was tried or nothing was kept: it waits on
            except Exception as fault:  # noqa: BLE001 -- whatever a message makes us trip over is its reason on record
                parked = fault
                await self._park(message, fault)
            settled += 1
            if self._told:
                self._told(message, parked)
        return settled

    def _work(self, message: Kept) -> Callable[[Tx], None]:
        def work(tx: Tx) -> None:
            tx.hold(message.organization_id)
            if tx.alone or tx.inbox.waits(message.id):  # else another process was faster
                intake.process(tx, self._dialects, message)

        return work

    async def _park(self, message: Kept, fault: Exception) -> None:
        if not isinstance(fault, AffwireError):
            _log.exception("message.failed", id=message.id, exc_info=fault)
        await self._store.run(lambda tx: intake.park(tx, message, fault))
        _log.warning("message.parked", id=message.id, source=message.source_id, fault=type(fault).__name__)
