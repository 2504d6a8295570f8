"""A month of trouble in a second: the real services, dialects, store and dispatcher on virtual time, one seed one history.

Crashes come at any await, lease holders come back from the dead, hosts fail in every way, operators meddle.
Replay a seed: `.venv/bin/python tests/sim/simulation.py SEED`.
"""

import asyncio
import itertools
import random
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import structlog

from affwire.destinations.guard import Guard, Rules
from affwire.engine.dispatcher import Dispatcher
from affwire.engine.janitor import Janitor
from affwire.engine.normaliser import Normaliser
from affwire.errors import Busy, Refused
from affwire.model.endpoints import Endpoint
from affwire.model.events import OPERATIONAL
from affwire.model.inbound import Kept
from affwire.model.registry import Affiliate, Membership, Program
from affwire.model.wire import Message, Outcome
from affwire.rules.breaker import PAUSE_MS_MAX
from affwire.services import affiliates, deliveries, endpoints, memberships, programs, sources
from affwire.store.tx import Tx
from affwire.testing import genuine
from affwire.testing.house import MemoryHouse
from affwire.testing.loop import SimLoop, run_simulated
from affwire.testing.wire import FakeWire, answer
from affwire.testing.world import FakeClock
from affwire.world import World

SCHEDULE = (2, 10, 60, 600)
RECEIVERS: tuple[Any, ...] = (
    ("standard", {"retry_schedule": list(SCHEDULE)}),
    ("standard", {"retry_schedule": list(SCHEDULE), "ordering": "affiliate", "max_in_flight": 3}),
    ("rewardful", {"retry_schedule": list(SCHEDULE), "max_in_flight": 2}),
    ("affonso", {"retry_schedule": list(SCHEDULE), "rate_per_second": 2, "ordering": "affiliate"}),
    ("insert_affiliate", {}),
    ("tamio", {"retry_schedule": [1.5], "total_timeout": 2}),
    ("standard", {"retry_schedule": [2]}, ["endpoint.*", "delivery.exhausted", "membership.*"]),
)
OUTAGES = {0, 1, 4}
"""Receivers that are down every now and then, long enough for the breaker."""
OUTAGE_MS = 15_000


class PublicNames:
    def remembered(self, host: str) -> None:
        """Every name is looked up."""

    async def lookup(self, host: str, timeout_ms: int) -> tuple[Any, ...]:
        from ipaddress import ip_address

        return (ip_address("93.184.216.34"),)


class SimStore:
    """The store with time around every transaction, so that a crash fits between a commit and its answer."""

    def __init__(self, house: MemoryHouse, rng: random.Random, trouble: Callable[[], bool]) -> None:
        self._house, self._rng, self._trouble = house, rng, trouble

    async def run(self, work: Callable[[Tx], Any]) -> Any:
        await asyncio.sleep(self._rng.random() * 0.004)
        if self._trouble() and self._rng.random() < 0.01:
            raise Busy("store_unavailable", "the disk is full for a moment")
        result = self._house.run(work)
        await asyncio.sleep(self._rng.random() * 0.004)
        return result

    async def read(self, work: Callable[[Tx], Any]) -> Any:
        await asyncio.sleep(self._rng.random() * 0.004)
        return self._house.run(work)

    def submit(self, work: Callable[[Tx], Any]) -> Future[Any]:
        if self._trouble() and self._rng.random() < 0.05:
            failed: Future[Any] = Future()
            failed.set_exception(Busy("store_unavailable", "the disk is full for a moment"))
            return failed
        return self._house.store.submit(work)

    def on_wake(self, callback: Callable[[], None]) -> None:
        self._house.store.on_wake(callback)


class Simulation:
    """`problems` is empty, or tells what went wrong."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.clock = FakeClock()
        self.house = MemoryHouse(World(self.clock, self.rng), self.clock)
        self.store = SimStore(self.house, self.rng, lambda: not self.calm)
        self.wire = FakeWire(self.rng, self.house.clock)
        self.calm = False
        self.accepted: list[str] = []
        self.replays: Counter[str] = Counter()
        self.meddled: set[str] = set()
        self.ended: dict[str, str] = {}
        self.problems: list[str] = []
        self.people = 0
        self.source = self.house.run(
            lambda tx: sources.create(tx, self.house.organization, self.house.dialects, "growi", {})
        )
        self.kept: dict[str, str] = {}
        self.receivers = [self._receiver(number, *receiver) for number, receiver in enumerate(RECEIVERS)]

    def play(self) -> list[str]:
        for _ in range(self.rng.randrange(1, 4)):
            crash = self.rng.choice((None, self.rng.randrange(20, 900)))
            self._epoch(crash)
            self._look_for_changed_ends()
        self._calm_down()
        self._epoch(None, last=True)
        self._judge()
        return self.problems

    def _epoch(self, crash_after: int | None, *, last: bool = False) -> None:
        self.house.run(lambda tx: deliveries.take_back(tx, expired_only=False))
        run_simulated(SimLoop(self.clock, self.rng, crash_after), self._live(last=last))

    async def _live(self, *, last: bool) -> None:
        first = self._start("one")
        janitor = Janitor(self.store, self.house.world, retention_days=365, round_ms=30_000)
        tidying = asyncio.create_task(janitor.run())
        normaliser = Normaliser(self.store, self.house.dialects, poll_ms=5_000)
        normalising = asyncio.create_task(normaliser.run())
        if last:
            await self._all_ended()
        else:
            users = [asyncio.create_task(one) for one in (self._user(), self._user(), self._platform())]
            operator = asyncio.create_task(self._operator())
            if self.rng.random() < 0.4:
                await asyncio.sleep(self.rng.random() * 20)
                self.house.run(lambda tx: deliveries.take_back(tx, expired_only=False))
                second = self._start("two")
                await asyncio.gather(*users, operator)
                await self._stop(*second)
            await asyncio.gather(*users, operator)
            await asyncio.sleep(self.rng.choice((0, 5, 700)))
        await self._stop(*first)
        await asyncio.gather(janitor.stop(), normaliser.stop())
        await asyncio.gather(tidying, normalising)

    async def _all_ended(self) -> None:
        """Wait until nothing is unfinished, as long as liveness (I15) allows: the schedule, a lease, the breaker's pause."""
        for _ in range((sum(SCHEDULE) * 2 + PAUSE_MS_MAX // 1000) // 10):
            await asyncio.sleep(10)
            waiting = self.house.run(lambda tx: tx.inbox.waiting(1))
            if not waiting and not set(self.house.run(lambda tx: tx.outbox.counts())) & {"pending", "held", "leased"}:
                return

    def _start(self, worker: str) -> tuple[Dispatcher, "asyncio.Task[None]"]:
        dispatcher = Dispatcher(
            self.store, self.wire, self.house.dialects, self.house.world, worker, poll_ms=30_000, piece=2
        )
        return dispatcher, asyncio.create_task(dispatcher.run())

    @staticmethod
    async def _stop(dispatcher: Dispatcher, running: "asyncio.Task[None]") -> None:
        await dispatcher.stop()
        await running

    async def _user(self) -> None:
        for _ in range(self.rng.randrange(3, 10)):
            await asyncio.sleep(self.rng.expovariate(0.3))
            try:
                events = await self.store.run(self._act)
            except Refused:
                continue
            self.accepted += events

    def _act(self, tx: Tx) -> list[str]:
        """Do one random thing, as one transaction; return the ids of its events."""
        from affwire.model.events import Actor
        from affwire.services.actions import Action, Caller
        from affwire.services.events import acting

        organization = self.house.organization.id

        def some(kind: type) -> str:
            found = tx.registry.find(kind, organization)
            if not found:
                raise Refused("nothing_yet")
            return self.rng.choice(found).id

        def new_person(action: Action) -> None:
            self.people += 1
            program = some(Program) if self.rng.random() < 0.7 else None
            affiliates.create(action, {"email": f"p{self.people}@example.org"}, program_id=program)

        things: list[Callable[[Action], object]] = [
            lambda action: programs.create(action, {"name": "P"}),
            new_person,
            new_person,
            lambda action: affiliates.update(action, some(Affiliate), {"city": f"C{self.rng.randrange(9)}"}),
            lambda action: affiliates.update(
                action, some(Affiliate), {"status": self.rng.choice(("active", "disabled"))}
            ),
            lambda action: memberships.update(
                action, some(Membership), {"status": self.rng.choice(("active", "left", "paused"))}
            ),
            lambda action: memberships.create(action, some(Affiliate), some(Program), {}),
            lambda action: affiliates.delete(action, some(Affiliate)),
            lambda action: programs.delete(action, some(Program), force=True),
        ]
        with acting(tx, Caller(organization, Actor("operator")), self.house.dialects) as action:
            self.rng.choice(things)(action)
        return [event.id for event in action.events]

    async def _platform(self) -> None:
        """A platform's webhooks: late, repeated, out of order; what was answered is kept."""
        for _ in range(self.rng.randrange(0, 8)):
            await asyncio.sleep(self.rng.expovariate(0.3))
            message = self._message()
            try:
                await self.store.run(lambda tx, message=message: tx.inbox.keep([message]))
            except Refused:
                continue
            self.kept.setdefault(message.dedupe_key or "", message.id)

    def _message(self) -> Kept:
        person, campaign, at = self.rng.randrange(1, 4), self.rng.randrange(1, 3), self.rng.randrange(10)
        word = "campaign_affiliate." + self.rng.choice(
            ("pending", "activated", "paused", "rejected", "removed", "left")
        )
        body = genuine.request(
            "growi",
            word,
            campaign_affiliate_id=person * 10 + campaign,
            campaign_id=campaign,
            user_id=person,
            user_email=f"p{person}@example.org",
            occurred_at=f"2026-02-25T06:13:{at:02}Z",
        ).body
        identity = self.house.dialects["growi"].identify(Message(headers=(), body=body))
        return Kept(
            id=self.house.world.new_id("message"),
            organization_id=self.house.organization.id,
            source_id=self.source.id,
            dialect="growi",
            word=identity.word,
            dedupe_key=identity.dedupe_key,
            body=body,
            size=len(body),
            received_at=self.clock.now(),
        )

    async def _operator(self) -> None:
        for _ in range(self.rng.randrange(0, 6)):
            await asyncio.sleep(self.rng.expovariate(0.2))
            try:
                await self.store.run(self.rng.choice((self._toggle, self._replay, self._cancel, self._reorder)))
            except Refused:
                continue

    def _toggle(self, tx: Tx) -> None:
        endpoint = self.rng.choice(list(tx.registry.endpoints([one.id for one in self.receivers]).values()))
        field = self.rng.choice(("paused", "paused", "enabled"))
        self._patch(tx, endpoint, {field: not getattr(endpoint, field)})

    def _replay(self, tx: Tx) -> None:
        rows = tx.outbox.page(self.house.organization.id, before=None, limit=50)
        if rows:
            row = deliveries.replay(tx, self.house.organization.id, self.rng.choice(rows).id)
            self.replays[row.id] += 1
            self.ended.pop(row.id, None)

    def _cancel(self, tx: Tx) -> None:
        rows = tx.outbox.page(self.house.organization.id, before=None, limit=50)
        if rows:
            deliveries.cancel(tx, self.house.organization.id, self.rng.choice(rows).id)

    def _reorder(self, tx: Tx) -> None:
        endpoint = tx.registry.endpoints([self.receivers[3].id])[self.receivers[3].id]
        ordering = self.rng.choice(("none", "affiliate"))
        self.meddled.add(endpoint.id)
        self._patch(tx, endpoint, {"policy": {**endpoint.policy, "ordering": ordering}})

    def _patch(self, tx: Tx, endpoint: Endpoint, fields: dict[str, Any]) -> None:
        wish = endpoints.Wish(fields=fields)
        endpoints.update(tx, self.house.organization, self.house.dialects, endpoint.id, wish)

    def _receiver(
        self, number: int, dialect: str, policy: dict[str, Any], event_types: list[str] | None = None
    ) -> Endpoint:
        host = f"r{number}.example.com"
        self.wire.scripts[host] = lambda rng, before: self._script(rng, before, number)
        url = asyncio.run(Guard(Rules(), PublicNames()).judge(f"https://{host}/in"))
        return self.house.endpoint(dialect, url, policy=policy, event_types=event_types or [])

    def _script(self, rng: random.Random, _before: int, number: int) -> tuple[float, Outcome]:
        seconds = rng.random() * 0.2
        if number in OUTAGES and not self.calm and self.clock.now() // OUTAGE_MS % 2:
            return seconds, answer(500)
        luck = 0.0 if self.calm else rng.random()
        if luck < 0.6:
            return seconds, answer(200)
        if luck < 0.75:
            return seconds, answer(rng.choice((500, 404, 302, 503)))
        if luck < 0.8:
            return seconds, answer(429, Retry_After=str(rng.randrange(0, 5000)))
        if luck < 0.9:
            return seconds, Outcome(error=rng.choice(("connect", "tls", "dns", "protocol")))
        return (1e9, answer(200)) if luck < 0.98 else (seconds, answer(410))

    def _calm_down(self) -> None:
        self.calm = True

        def enable(tx: Tx) -> None:
            for endpoint in tx.registry.endpoints([one.id for one in self.receivers]).values():
                self._patch(tx, endpoint, {"enabled": True, "paused": False})

        self.house.run(enable)

    # What must be true, whatever happened (reliability I2-I7, I9).

    def _judge(self) -> None:
        rows = {endpoint.id: self.house.deliveries(endpoint) for endpoint in self.receivers}
        attempts = self.house.run(
            lambda tx: tx.outbox.attempts_of([row.id for listed in rows.values() for row in listed])
        )
        self._look_for_changed_ends()
        self._nothing_vanished(rows)
        self._messages_carried_out_once()
        self._no_loops()
        self._breakers_closed()
        left = self.house.run(lambda tx: tx.following.some())
        self._expect(not left, f"rows never followed: {left}")
        for number, endpoint in enumerate(self.receivers):
            tried = [(row, attempts.get(row.id, [])) for row in rows[endpoint.id]]
            self._truth(f"r{number}.example.com", tried)
            self._schedule(RECEIVERS[number], tried)
            if endpoint.id not in self.meddled and RECEIVERS[number][1].get("ordering") == "affiliate":
                self._order(tried)
                self._deletions_last(tried)

    def _nothing_vanished(self, rows: dict[str, list[Any]]) -> None:
        log = {event.id: event for event in self.house.events()}
        for event_id in self.accepted:
            self._expect(event_id in log, f"accepted event {event_id} is not in the log")
        self._expect(len(set(self.accepted)) == len(self.accepted), "an event was accepted twice")
        for endpoint in self.receivers:
            dialect = self.house.dialects[endpoint.dialect]
            made = Counter((row.event_id, row.word, row.subject_id) for row in rows[endpoint.id])
            for event in log.values():
                entry = self.house.run(lambda tx, event=event: tx.log.get(event.organization_id, event.id))
                said = [] if endpoint.id in entry.silences else dialect.says(event)
                for saying in said:
                    count = made.pop((event.id, saying.word, saying.subject), 0)
                    self._expect(count == 1, f"{event.id} {saying.word}: {count} deliveries to {endpoint.id}")
            self._expect(not made, f"deliveries that nobody said: {made}")
            for row in rows[endpoint.id]:
                self._expect(row.status in {"delivered", "exhausted", "cancelled"}, f"{row.id} is still {row.status}")
                self._expect(row.status == "delivered" or bool(row.reason), f"{row.id} ended without a reason")

    def _messages_carried_out_once(self) -> None:
        """What was answered was kept once and carried out once: each event of the source's belongs to one message."""
        owner = self.house.organization.id
        messages = self.house.run(lambda tx: tx.inbox.page(owner, before=None, limit=1_000))
        for one in messages:
            self._expect(one.status in {"applied", "unchanged"}, f"{one.id} is {one.status}: {one.reason}")
        keys = [one.dedupe_key for one in messages]
        self._expect(len(set(keys)) == len(keys), "a repeat was kept")
        self._expect(self.kept.keys() <= set(keys), "a message that was answered is not there")
        told = Counter(event_id for one in messages for event_id in one.events)
        made = Counter(event.id for event in self.house.events() if event.actor.kind == "source")
        self._expect(told == made, f"messages tell of events {told - made}, the log of {made - told}")

    def _no_loops(self) -> None:
        """Nothing is said about deliveries of what is said about deliveries, and nobody hears of it unasked."""
        log = {event.id: event for event in self.house.events()}
        for event in log.values():
            about = (event.notice or {}).get("delivery") if event.type == "delivery.exhausted" else None
            self._expect(about is None or log[about["event_id"]].type not in OPERATIONAL, f"{event.id} is a loop")
        for endpoint in self.receivers[:-1]:
            heard = [row.id for row in self.house.deliveries(endpoint) if log[row.event_id].type in OPERATIONAL]
            self._expect(not heard, f"{endpoint.id} heard unasked: {heard}")

    def _breakers_closed(self) -> None:
        open_ones = self.house.run(lambda tx: tx.health.tripped())
        heard = {endpoint.id for endpoint in self.receivers if self._last_end(endpoint) == "delivered"}
        self._expect(not heard & open_ones.keys(), f"breakers are open though everything arrived: {open_ones}")
        never = self.house.run(lambda tx: tx.health.get(self.receivers[4].id))
        self._expect(never.trips == 0, "a dialect without retries was held back")

    def _last_end(self, endpoint: Endpoint) -> str | None:
        """Return how an endpoint's latest delivery to end did end; a breaker that opened on it has nothing to probe with."""
        rows = self.house.deliveries(endpoint)
        return max(rows, key=lambda row: row.settled_at or 0).status if rows else None

    def _truth(self, host: str, tried: list[Any]) -> None:
        arrivals = sum(arrival.host == host for arrival in self.wire.arrivals)
        kinds = Counter(attempt.outcome for _, attempts in tried for attempt in attempts)
        known = kinds["ok"] + kinds["failed"]
        self._expect(known <= arrivals <= known + kinds["unknown"], f"{host}: {arrivals} arrivals, attempts {kinds}")
        extra = arrivals - sum(bool(attempts) for _, attempts in tried)
        allowed = kinds["failed"] + kinds["unknown"] + sum(self.replays.values())
        self._expect(extra <= allowed, f"{host}: {extra} requests more than deliveries, {allowed} explained")
        for row, attempts in tried:
            numbers = [attempt.number for attempt in attempts]
            self._expect(numbers == list(range(1, row.attempts + 1)), f"{row.id}: attempts {numbers} of {row.attempts}")
            if row.status == "delivered":
                self._expect(any(attempt.outcome == "ok" for attempt in attempts), f"{row.id} delivered without an ok")

    def _schedule(self, receiver: Any, tried: list[Any]) -> None:
        dialect, policy, *_ = receiver
        schedule = policy.get("retry_schedule", self.house.dialects[dialect].card.promise.retry_schedule)
        for row, attempts in tried:
            if self.replays[row.id]:
                continue
            step = 0
            for before, after in itertools.pairwise(attempts):
                if before.outcome == "unknown" or (before.status_code == 410 and dialect == "standard"):
                    continue
                self._expect(before.outcome == "failed", f"{row.id} was tried again after {before.outcome}")
                earliest = before.ended_at + schedule[step] * 950 - 1
                self._expect(after.started_at >= earliest, f"{row.id}: try {after.number} came too early")
                step += 1
            failed = [
                a for a in attempts if a.outcome == "failed" and not (a.status_code == 410 and dialect == "standard")
            ]
            self._expect(len(failed) <= len(schedule) + 1, f"{row.id}: {len(failed)} failures, {len(schedule)} retries")

    def _order(self, tried: list[Any]) -> None:
        lanes: dict[str, list[Any]] = {}
        for row, attempts in tried:
            if not self.replays[row.id]:
                lanes.setdefault(row.lane, []).append((row, attempts))
        for lane in lanes.values():
            for (head, _), (successor, attempts) in itertools.pairwise(lane):
                if attempts:
                    early = attempts[0].started_at < head.settled_at
                    self._expect(not early, f"{successor.id} overtook {head.id} of its lane")

    def _deletions_last(self, tried: list[Any]) -> None:
        """On an ordered endpoint, a program's deletion is said after everything about its memberships."""
        for closing, attempts in tried:
            if closing.gate is None or closing.gate != closing.lane or not attempts or self.replays[closing.id]:
                continue
            for row, _ in tried:
                before = row.gate == closing.gate and row.position < closing.position and row.id != closing.id
                if before and not self.replays[row.id]:
                    self._expect(attempts[0].started_at >= row.settled_at, f"{closing.id} was said before {row.id}")

    def _look_for_changed_ends(self) -> None:
        for endpoint in self.receivers:
            for row in self.house.deliveries(endpoint):
                before = self.ended.get(row.id)
                self._expect(before in {None, row.status}, f"{row.id} was {before}, now is {row.status}")
                if row.status in {"delivered", "exhausted", "cancelled"}:
                    self.ended[row.id] = row.status

    def _expect(self, holds: bool, problem: str) -> None:
        if not holds:
            self.problems.append(problem)


def main() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    for seed in map(int, sys.argv[1:]):
        problems = Simulation(seed).play()
        print(f"seed {seed}: {'sound' if not problems else chr(10).join(problems)}")


if __name__ == "__main__":
    main()
