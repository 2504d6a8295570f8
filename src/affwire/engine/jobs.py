"""The jobs' loop: carries running jobs out in small transactions, each at its own rate, and goes on after a restart.

A cancelled job does nothing from its next step on. What a job makes due goes behind all others (REPLAY).
"""

from collections.abc import Mapping
from typing import Final

import structlog

from affwire.dialects.base import Dialect
from affwire.engine.pulse import Pulse
from affwire.errors import AffwireError, Busy, Refused
from affwire.model.jobs import KINDS, Job
from affwire.services import jobs
from affwire.store.store import Store
from affwire.store.tx import Tx

POLL_MS: Final = 1000
"""The longest sleep, and so the longest wait for a job's start: every commit's wake would be a look for nothing."""

_log = structlog.get_logger("affwire.engine")


class JobRunner:
    """Carries jobs out until it is stopped."""

    def __init__(self, store: Store, dialects: Mapping[str, Dialect], *, poll_ms: int = POLL_MS) -> None:
        self._store = store
        self._dialects = dialects
        self._poll_ms = poll_ms
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
        """Do a step of each job that is due by the database's clock; return how long (ms) nothing will be."""
        running = await self._store.read(
            lambda tx: [(job, (job.due_at or 0) - tx.now) for job in tx.jobs.running() if job.kind in KINDS]
        )
        pauses: list[float] = [self._poll_ms]
        for job, wait_ms in running:
            if not self._stopped:
                pauses.append(wait_ms if wait_ms > 0 else await self._step(job))
        return min(pauses)

    async def _step(self, job: Job) -> float:
        """Do a step, unless another process was faster; return how long (ms) the next one is not due."""

        def work(tx: Tx) -> tuple[Job, float]:
            after = jobs.in_turn(tx, self._dialects, job.organization_id, job.id)
            return after, (after.due_at or 0) - tx.now if after.status == "running" else self._poll_ms

        try:
            after, pause_ms = await self._store.run(work)
        except Busy:
            raise
        except Refused as refused:
            sentence = refused.sentence
            await self._store.run(lambda tx: jobs.fail(tx, job.organization_id, job.id, sentence))
            _log.warning("job.failed", id=job.id, kind=job.kind, code=refused.code)
            return self._poll_ms
        if after.status == "done":
            _log.info("job.done", id=job.id, kind=job.kind, done=after.done, skipped=after.skipped)
        return pause_ms
