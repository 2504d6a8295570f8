"""The jobs' loop: carries running jobs out in small transactions, each at its own rate, and goes on after a restart.

A cancelled job does nothing from its next step on. What a job makes due goes behind first tries (priority 1).
"""

from collections.abc import Mapping
from typing import Final

import structlog

from affwire.dialects.base import Dialect
from affwire.engine.pulse import Pulse
from affwire.errors import AffwireError, Busy, Refused
from affwire.model.jobs import Job
from affwire.services import jobs
from affwire.store.store import Store
from affwire.world import World

POLL_MS: Final = 1000
"""The longest sleep, and so the longest wait for a job's start: every commit's wake would be a look for nothing."""
STEP_MS: Final = 100
"""A job's deliveries of so long are made due together: a tenth of a second's worth, at least one."""

_log = structlog.get_logger("affwire.engine")


class JobRunner:
    """Carries jobs out until it is stopped."""

    def __init__(self, store: Store, dialects: Mapping[str, Dialect], world: World, *, poll_ms: int = POLL_MS) -> None:
        self._store = store
        self._dialects = dialects
        self._world = world
        self._poll_ms = poll_ms
        self._due_at: dict[str, int] = {}
        self._stopped = False
        self._pulse = Pulse()

    async def run(self) -> None:
        """Do what is due, sleep, again."""
        while not self._stopped:
            pause_ms: float = self._poll_ms
            try:
                pause_ms = await self.round()
            except AffwireError as error:
                _log.error("jobs.round_failed", code=error.code, sentence=error.sentence)
            except Exception:  # noqa: BLE001 -- the loop goes on, whatever one round trips over
                _log.exception("jobs.round_failed")
            if not self._stopped:
                await self._pulse.wait(max(pause_ms, 1))

    async def stop(self) -> None:
        """End after the step at hand."""
        self._stopped = True
        self._pulse.beat()

    async def round(self) -> float:
        """Do a step of each job that is due; return how long (ms) nothing will be."""
        running = await self._store.read(lambda tx: tx.jobs.running())
        self._due_at = {job.id: self._due_at.get(job.id, 0) for job in running}
        for job in running:
            if self._due_at[job.id] <= self._world.now() and not self._stopped:
                await self._step(job)
        return min([self._due_at[job.id] - self._world.now() for job in running] + [self._poll_ms])

    async def _step(self, job: Job) -> None:
        rate = job.request.get("rate_per_second") or jobs.RATE_DEFAULT
        limit = max(1, round(rate * STEP_MS / 1000))
        try:
            after, sent = await self._store.run(
                lambda tx: jobs.step(tx, self._dialects, job.organization_id, job.id, limit)
            )
        except Busy:
            raise
        except Refused as refused:
            sentence = refused.sentence
            await self._store.run(lambda tx: jobs.fail(tx, job.organization_id, job.id, sentence))
            _log.warning("job.failed", id=job.id, kind=job.kind, code=refused.code)
            return
        self._due_at[job.id] = self._world.now() + round(sent / rate * 1000)
        if after.status == "done":
            _log.info("job.done", id=job.id, kind=job.kind, done=after.done, skipped=after.skipped)
