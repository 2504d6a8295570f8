"""The janitor: takes back leases whose holder is gone, forgets what is older than the retention, erases persons.

Everything in small transactions, so that nobody waits for tidying; what a crash leaves undone is done next time.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from affwire.dialects.base import Dialect
from affwire.errors import AffwireError
from affwire.services import deliveries, erasure, health, inbox, rotation, silence, sources
from affwire.store.store import Store
from affwire.store.tx import Tx
from affwire.world import World

ROUND_MS: Final = 5_000
ROWS_MAX: Final = 500
"""Rows one transaction of tidying may touch: a few milliseconds of the writer's time."""
PERSONS_MAX: Final = 10
"""Persons one transaction may erase: each has a history of perhaps hundreds of rows."""
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
        self._bodies_due_at = 0
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Tidy, wait, again."""
        while not self._stopped.is_set():
            try:
                await self.round()
            except AffwireError as error:
                _log.error("janitor.round_failed", code=error.code, sentence=error.sentence)
            except Exception:  # noqa: BLE001 -- tidying goes on, whatever one round trips over
                _log.exception("janitor.round_failed")
            await self._pause(self._round_ms)

    async def stop(self) -> None:
        """End after the round at hand."""
        self._stopped.set()

    async def round(self) -> None:
        """Tidy once."""
        taken = await self._alone(lambda tx: deliveries.take_back(tx, self._dialects, expired_only=True))
        if taken:
            _log.warning("leases.taken_back", deliveries=taken)
        await self._alone(health.probe)
        await self._alone(lambda tx: silence.notice(tx, self._dialects, limit=SOURCES_MAX))
        await self._forget_bodies()
        forgotten = ROWS_MAX
        while forgotten == ROWS_MAX:
            forgotten = await self._alone(self._forget)
        forgotten = ROWS_MAX
        while forgotten == ROWS_MAX:
            forgotten = await self._alone(lambda tx: inbox.forget(tx, self._retention_ms, limit=ROWS_MAX))
        erased = PERSONS_MAX
        while erased == PERSONS_MAX:
            erased = await self._alone(lambda tx: erasure.erase_due(tx, limit=PERSONS_MAX))

    async def _alone(self, work: Callable[[Tx], int]) -> int:
        """Do a piece of tidying, unless another process is at one just now: it does it for all."""
        return await self._store.run(lambda tx: work(tx) if tx.only_one("tidying") else 0)

    async def _forget_bodies(self) -> None:
        """Once in an hour: deliveries that wait longer than the retention are few, but each has to be looked at."""
        now = self._world.now()
        if now < self._bodies_due_at:
            return
        self._bodies_due_at = now + HOUR_MS
        for organization in await self._store.run(lambda tx: tx.registry.organizations()):
            await self._store.run(lambda tx, owner=organization.id: _drop_expired_secrets(tx, owner))  # type: ignore[misc]
        forgotten = ROWS_MAX
        while forgotten >= ROWS_MAX:
            forgotten = await self._alone(
                lambda tx: tx.outbox.forget_bodies(tx.now - self._retention_ms, limit=ROWS_MAX)
            )

    def _forget(self, tx: Tx) -> int:
        tx.keys.forget_answers(tx.now - IDEMPOTENCY_MS)
        return tx.outbox.forget(tx.now - self._retention_ms, limit=ROWS_MAX)

    async def _pause(self, pause_ms: int) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), pause_ms / 1000)
        except TimeoutError:
            return


def _drop_expired_secrets(tx: Tx, organization_id: str) -> None:
    rotation.drop_expired_secrets(tx, organization_id)
    sources.drop_expired_secrets(tx, organization_id)
