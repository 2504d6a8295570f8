"""The dispatcher: claims due deliveries, has them said and sent, settles them. One cycle is one transaction.

    wake, answer or due time -> { settle what came back; claim what may go } -> Request, sent -> Outcome -> verdict

Polling is the truth, a wake only saves waiting. A crash leaves leases, which are taken back; a lease fits one claim only.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

import structlog

from affwire.destinations.base import Wire
from affwire.dialects.base import Dialect
from affwire.engine.pacing import Pacing
from affwire.engine.pulse import Pulse
from affwire.engine.records import limits, line, record
from affwire.engine.wording import Wording
from affwire.errors import AffwireError, Unencodable
from affwire.model.wire import Outcome, Request
from affwire.rules import delivery as verdicts
from affwire.services import deliveries, following
from affwire.services.deliveries import Batch, Claim, Result
from affwire.store.following import PIECE
from affwire.store.store import Store
from affwire.store.tx import Tx
from affwire.world import World

IN_FLIGHT_MAX: Final = 2048
"""Requests under way in one process: places for 200 hung endpoints at their full window, some 100 KiB each over TLS."""
CLAIM_MAX: Final = 256
"""Claims of one transaction: enough to share a commit, few enough to keep the writer free for API calls."""
CLAIM_CROWDED: Final = 48
"""The same while organizations share the process: whose event comes during a cycle waits for its end. Beside another's 5,000
at once, half of one's deliveries then arrive within 33 ms instead of 93."""
POLL_MS: Final = 1000
"""The longest sleep: a lost wake costs this much latency, never an event."""
GATHER_MS: Final = 2
"""A cycle waits so long at most for more answers, until as many are back as are still under way: a commit costs as much
for one as for a hundred."""
GATHER_MS_MANY: Final = 6
"""The same while much is under way."""
MANY: Final = 100
"""Under way, from which on it waits for longer: of few, each answer that waits holds up the next delivery."""
BACK_OFF_MS: Final = 250
"""The pause after the store could not take a cycle; what came back is kept and settled then."""
DRAIN_MS_MAX: Final = 20_000
"""A graceful stop waits this long at most for answers (design: the longest total timeout, 20 s)."""

T = TypeVar("T")
Told = Callable[[Sequence[tuple[Result, bool]]], None]
"""Hears of a cycle's attempts once they are settled, and for each whether its claim still fitted."""

CUT: Final = Outcome(error="cut", detail="affwire stopped while this was under way")

_log = structlog.get_logger("affwire.engine")


class Dispatcher:
    """Delivers until it is stopped. `worker` names this very instance: leases are held in its name."""

    def __init__(
        self,
        store: Store,
        wire: Wire,
        dialects: Mapping[str, Dialect],
        world: World,
        worker: str,
        *,
        poll_ms: int = POLL_MS,
        in_flight_max: int = IN_FLIGHT_MAX,
        piece: int = PIECE,
        told: Told | None = None,
    ) -> None:
        self._store = store
        self._wire = wire
        self._dialects = dialects
        self._world = world
        self._worker = worker
        self._poll_ms = poll_ms
        self._in_flight_max = in_flight_max
        self._piece = piece
        self._told = told
        self._pacing = Pacing()
        self._wording = Wording(dialects)
        self._pulse = Pulse()
        self._under_way: dict[asyncio.Future[Outcome], tuple[Claim, Request]] = {}
        self._finished: list[Result] = []
        self._stopping = False
        self._cutting = False
        self._ended = asyncio.Event()
        self._news = False
        store.on_wake(self._hear)

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return len(self._under_way)

    async def run(self) -> None:
        """Deliver until `stop` is called and everything that was under way is settled."""
        try:
            await self._run()
        finally:
            self._ended.set()

    async def _run(self) -> None:
        while not self._done:
            batch = await self._tried(self._cycle())
            if batch is None:
                if self._cutting and not self._under_way:
                    _log.error("dispatcher.gave_up", unsettled=len(self._finished))
                    return
                await asyncio.sleep(BACK_OFF_MS / 1000)
                continue
            if not batch.claims:
                self._wording.forget()
            for claim in _fewest_first(batch.claims):
                self._start(claim)
            if batch.following and await self._tried(self._follow()):
                continue
            if len(batch.claims) < self._claim_max and not self._done:
                await self._pulse.wait(self._sleep_ms(batch.next_due_at))
                await self._gather()

    async def _tried(self, work: Awaitable[T]) -> T | None:
        """Do one transaction's work; None if it failed, which is logged. What came back is kept for the next cycle."""
        try:
            return await work
        except AffwireError as error:
            _log.error("dispatcher.cycle_failed", code=error.code, sentence=error.sentence)
        except Exception:  # noqa: BLE001 -- a fault of ours must not end the engine; it is logged and tried again
            _log.exception("dispatcher.cycle_failed")
        return None

    async def _follow(self) -> bool:
        """Have a piece of rows follow what was decided about all that waits for an endpoint; return whether any did."""
        return await self._store.run(lambda tx: following.step(tx, limit=self._piece))

    async def _gather(self) -> None:
        """Let answers that are just coming in share a transaction, unless there is news to send at once."""
        loop = asyncio.get_running_loop()
        end = loop.time() + (GATHER_MS_MANY if len(self._under_way) >= MANY else GATHER_MS) / 1000
        while not self._news and len(self._finished) < len(self._under_way) and loop.time() < end:
            await self._pulse.wait((end - loop.time()) * 1000)
        self._news = False

    def _hear(self) -> None:
        self._news = True
        self._pulse.beat_from_thread()

    async def stop(self, drain_ms: int = DRAIN_MS_MAX) -> None:
        """Claim nothing more, wait for what is under way, cut what takes longer: it is recorded `unknown`.

        What cannot be recorded by then is given up: a store out of reach keeps nobody from ending, and leases end by themselves.
        """
        self._stopping = True
        self._pulse.beat()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), drain_ms / 1000)
        self._cutting = True
        for sending in list(self._under_way):
            sending.cancel()

    @property
    def _claim_max(self) -> int:
        return CLAIM_CROWDED if self._pacing.crowded(self._world.now()) else CLAIM_MAX

    @property
    def _done(self) -> bool:
        return self._stopping and not self._under_way and not self._finished

    async def _cycle(self) -> Batch:
        results, self._finished = self._finished, []
        free = 0 if self._stopping else min(self._in_flight_max - len(self._under_way), self._claim_max)
        if not results and not free:
            return Batch((), None)
        try:
            settled, batch = await self._store.run(lambda tx: self._settle_and_claim(tx, results, free))
        except BaseException:
            self._finished = results + self._finished
            raise
        self._tell(results, settled)
        return batch

    def _settle_and_claim(self, tx: Tx, results: list[Result], free: int) -> tuple[list[bool], Batch]:
        settled = deliveries.settle(tx, self._dialects, results) if results else []
        if not free:
            return settled, Batch((), None, tx.following.any())
        batch = deliveries.claim(
            tx,
            self._dialects,
            worker=self._worker,
            limit=free,
            room=lambda endpoint, policy, under_way: self._pacing.room(endpoint, policy, under_way, tx.now),
            served=self._pacing.served,
        )
        return settled, batch

    def _start(self, claim: Claim) -> None:
        if self._cutting:
            self._finish(claim, None, CUT)
            return
        self._pacing.took(claim.endpoint, claim.policy, claim.attempt.at)
        try:
            request = self._wording.request(claim)
        except Exception as error:  # noqa: BLE001 -- whatever a dialect trips over ends on record, never in a loop
            self._finish(claim, None, Outcome(error="encode", detail=_encoding_failed(claim, error)))
            return
        try:
            sending = asyncio.ensure_future(self._wire.send(request, limits(claim.policy)))
        except Exception as error:  # noqa: BLE001 -- a fault of ours is this attempt's failure, on record and retried
            self._finish(claim, request, _unsent(claim, error))
            return
        self._under_way[sending] = claim, request
        sending.add_done_callback(self._landed)

    def _landed(self, sending: asyncio.Future[Outcome]) -> None:
        claim, request = self._under_way.pop(sending)
        if sending.cancelled():  # our own stop's doing
            outcome = CUT
        elif error := sending.exception():
            outcome = _unsent(claim, error)
        else:
            outcome = sending.result()
        self._finish(claim, request, outcome)

    def _finish(self, claim: Claim, request: Request | None, outcome: Outcome) -> None:
        self._finished.append(self._result(claim, request, outcome))
        self._pulse.beat()

    def _result(self, claim: Claim, request: Request | None, outcome: Outcome) -> Result:
        now = self._world.now()
        self._pacing.answered(claim.endpoint.id, claim.policy, outcome)
        if outcome.error == "encode":
            verdict: verdicts.Verdict = verdicts.unworded(
                claim.event.type, outcome.detail, attempts=claim.attempt.number, now=now
            )
        else:
            verdict = verdicts.settle(outcome, claim.policy, claim.delivery.steps, now=now, roll=self._world.roll())
        kept = record(
            claim.attempt,
            request,
            outcome,
            verdict,
            delivery_id=claim.delivery.id,
            recipient=claim.recipient,
            own=claim.headers,
            ended_at=now,
        )
        return Result(claim, verdict, kept)

    def _sleep_ms(self, next_due_at: int | None) -> float:
        now = self._world.now()
        moments = [at for at in (next_due_at, self._pacing.next_at(now)) if at is not None]
        return min([at - now for at in moments] + [self._poll_ms])

    def _tell(self, results: list[Result], settled: list[bool]) -> None:
        if not results:
            return
        told = list(zip(results, settled, strict=True))
        if self._told:
            self._told(told)
        # One call for all of them: to hand over a line costs more than the line.
        _log.info("delivery.attempted", each=[line(result, fits=fits) for result, fits in told])


def _fewest_first(claims: Sequence[Claim]) -> list[Claim]:
    """Return claims with those of endpoints that have the fewest first: each start takes its time, and these wait least."""
    hands = Counter(claim.endpoint.id for claim in claims)
    return sorted(claims, key=lambda claim: hands[claim.endpoint.id])


def _unsent(claim: Claim, error: BaseException) -> Outcome:
    _log.error("delivery.send_failed", id=claim.delivery.id, endpoint_id=claim.endpoint.id, exc_info=error)
    return Outcome(error="protocol", detail="affwire itself failed to send this; its log tells why")


def _encoding_failed(claim: Claim, error: Exception) -> str:
    if isinstance(error, Unencodable):
        return error.sentence
    _log.error("delivery.encode_failed", id=claim.delivery.id, dialect=claim.endpoint.dialect, error=repr(error))
    return f"the dialect {claim.endpoint.dialect!r} could not put the event into words ({type(error).__name__})"
