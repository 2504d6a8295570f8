"""The janitor: takes back leases whose holder is gone, forgets what is older than the retention, erases persons.

Everything in small transactions, so that nobody waits for tidying; what a crash leaves undone is done next time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from affwire.dialects.base import Dialect
from affwire.errors import AffwireError
from affwire.services import deliveries, erasure, health, inbox, rotation, silence, sources
from affwire.store import partitions
from affwire.store.store import Store
from affwire.store.tx import Tx
from affwire.world import World

ROUND_MS: Final = 5_000
PROBINGS: Final = 5
"""Looks for probes in a round: what became due in between goes out at once, so once a second."""
ROWS_MAX: Final = 500
"""Rows one transaction of tidying may touch: a few milliseconds of the writer's time."""
PERSONS_MAX: Final = 1
"""Persons one transaction may erase: each has a history of perhaps hundreds of rows, at up to a millisecond each."""
SOURCES_MAX: Final = 100
"""Sources one transaction may find silent."""
IDEMPOTENCY_MS: Final = 24 * 3_600_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

_log = structlog.get_logger("affwire.engine")


class Janitor:
    """Tidies in rounds until it is stopped. `retention_days` is the age at which finished deliveries go."""

    def __init__(
        self,
        store: Store,
        world: World,
        dialects: Mapping[str, Dialect] = deliveries.NONE,
        *,
        retention_days: float,
        round_ms: int = ROUND_MS,
    ) -> None:
        self._store = store
        self._dialects = dialects
        self._world = world
        self._round_ms = round_ms
        self._retention_ms = round(retention_days * DAY_MS)
        self._hourly_due_at = 0
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Tidy, wait, again; in between look for probes that are due, so that those of one outage part."""
        while not self._stopped.is_set():
            await self._go_on(self.round())
            for _ in range(PROBINGS - 1):
                await self._pause(self._round_ms // PROBINGS)
                await self._go_on(self._alone(health.probe))
            await self._pause(self._round_ms // PROBINGS)

    async def stop(self) -> None:
        """End soon: of what is tidied piece by piece, only the one at hand is done."""
        self._stopped.set()

    async def round(self) -> None:
        """Tidy once."""
        taken = await self._alone(lambda tx: deliveries.take_back(tx, self._dialects, expired_only=True))
        if taken:
            _log.warning("leases.taken_back", deliveries=taken)
        await self._alone(health.probe)
        await self._alone(lambda tx: silence.notice(tx, self._dialects, limit=SOURCES_MAX))
        await self._hourly()
        await self._all(self._forget, ROWS_MAX)
        await self._all(lambda tx: tx.keys.forget_answers(tx.now - IDEMPOTENCY_MS, limit=ROWS_MAX), ROWS_MAX)
        await self._all(lambda tx: inbox.forget(tx, self._retention_ms, limit=ROWS_MAX), ROWS_MAX)
        await self._all(lambda tx: erasure.erase_due(tx, limit=PERSONS_MAX), PERSONS_MAX)

    @staticmethod
    async def _go_on(work: Awaitable[object]) -> None:
        """Do a piece of work; if it fails, which is logged, tidying goes on all the same."""
        try:
            await work
        except AffwireError as error:
            _log.error("janitor.round_failed", code=error.code, sentence=error.sentence)
        except Exception:  # noqa: BLE001 -- whatever one round trips over
            _log.exception("janitor.round_failed")

    async def _alone(self, work: Callable[[Tx], int]) -> int:
        """Do a piece of tidying, unless another process is at one just now: it does it for all."""
        return await self._store.run(lambda tx: work(tx) if tx.only_one("tidying") else 0)

    async def _all(self, work: Callable[[Tx], int], most: int) -> None:
        """Do a piece of tidying that touches at most so many, again and again until nothing is left of it, or it is to stop."""
        while await self._alone(work) >= most and not self._stopped.is_set():
            pass

    async def _hourly(self) -> None:
        """Do what need not be done often, because it looks at each row, or because others wait for it a moment."""
        now = self._world.now()
        if now < self._hourly_due_at:
            return
        self._hourly_due_at = now + HOUR_MS
        for organization in await self._store.run(lambda tx: tx.registry.organizations()):
            await self._store.run(lambda tx, owner=organization.id: _drop_expired_secrets(tx, owner))  # type: ignore[misc]
        await self._all(lambda tx: tx.outbox.forget_bodies(self._cut(tx), limit=ROWS_MAX), ROWS_MAX)
        await self._alone(lambda tx: tx.outbox.forget_idle())
        dropped = await self._alone(lambda tx: partitions.turn(tx.connection, tx.now, self._cut(tx)))
        if dropped:
            _log.info("history.dropped", partitions=dropped)
        await self._all(lambda tx: partitions.sweep(tx.connection, self._cut(tx), limit=ROWS_MAX), ROWS_MAX)

    def _cut(self, tx: Tx) -> int:
        return tx.now - self._retention_ms

    def _forget(self, tx: Tx) -> int:
        tx.mails.forget(self._cut(tx), limit=ROWS_MAX)
        tx.applications.forget(self._cut(tx), tx.now)
        return tx.outbox.forget(self._cut(tx), limit=ROWS_MAX)

    async def _pause(self, pause_ms: int) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), pause_ms / 1000)
        except TimeoutError:
            return


def _drop_expired_secrets(tx: Tx, organization_id: str) -> None:
    rotation.drop_expired_secrets(tx, organization_id)
    sources.drop_expired_secrets(tx, organization_id)
