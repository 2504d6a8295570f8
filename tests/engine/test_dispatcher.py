"""The dispatcher on virtual time: the real services and store, a scripted wire."""

import asyncio
import random
from collections.abc import Awaitable
from typing import Any

import pytest
from registry_walk import judged

from affwire.engine.dispatcher import Dispatcher
from affwire.model.deliveries import Delivery
from affwire.model.endpoints import Endpoint
from affwire.model.wire import Limits, Outcome, Request, Response
from affwire.services import affiliates, deliveries, endpoints, memberships, programs
from affwire.store.tx import Tx
from affwire.testing.house import MemoryHouse
from affwire.testing.loop import SimLoop, run_simulated
from affwire.testing.wire import FakeWire, always, answer, hangs, heals_after
from affwire.world import World


class Bench:
    """A house whose deliveries go over a scripted wire, on virtual time."""

    def __init__(self) -> None:
        self.rng = random.Random(7)
        self.house = MemoryHouse()
        self.house.world = World(self.house.clock, self.rng)
        self.wire = FakeWire(self.rng, self.house.clock)
        self.limits: dict[str, Any] = {}

    def endpoint(self, host: str, dialect: str = "standard", **fields: Any) -> Endpoint:
        return self.house.endpoint(dialect, judged(f"https://{host}/in"), **fields)

    def program(self, count: int = 1) -> None:
        for number in range(count):
            self.house.act(programs.create, {"name": f"P{number}"})

    def run(self, seconds: float, *acts: Any) -> None:
        """Let the engine work for so long, acting once it runs; then stop it gracefully."""

        async def main() -> None:
            house = self.house
            dispatcher = Dispatcher(house.store, self.wire, house.dialects, house.world, "worker", **self.limits)
            running = asyncio.create_task(dispatcher.run())
            for act in acts:
                await asyncio.sleep(0.001)
                act()
            await asyncio.sleep(seconds)
            await dispatcher.stop()
            await running

        run_simulated(SimLoop(self.house.clock, self.rng), main())

    def rows(self, endpoint: Endpoint) -> list[Delivery]:
        return self.house.deliveries(endpoint)

    def attempts(self, row: Delivery) -> list[Any]:
        return self.house.run(lambda tx: tx.outbox.attempts_of([row.id])).get(row.id, [])


class Starts(FakeWire):
    """A wire that notes in which order requests were handed to it."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.started: list[str] = []

    def send(self, request: Request, limits: Limits) -> Awaitable[Outcome]:  # type: ignore[override]  # as the contract has it
        self.started.append(request.url)
        return super().send(request, limits)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_change_reaches_the_endpoint_at_once(bench: Bench) -> None:
    endpoint = bench.endpoint("a.example.com")
    bench.run(0.5, bench.program)
    [row] = bench.rows(endpoint)
    [attempt] = bench.attempts(row)
    assert (row.status, row.attempts, row.steps) == ("delivered", 1, 0)
    assert (attempt.outcome, attempt.status_code, attempt.error) == ("ok", 200, None)
    assert bench.wire.arrivals[0].at * 1000 - row.created_at < 50


def test_failures_are_retried_by_the_schedule_until_it_heals(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = heals_after(2)
    endpoint = bench.endpoint("a.example.com", policy={"retry_schedule": [10, 60.5]})
    bench.run(100, bench.program)
    [row] = bench.rows(endpoint)
    first, second, third = [arrival.at for arrival in bench.wire.arrivals]
    assert (row.status, row.attempts, row.steps) == ("delivered", 3, 2)
    assert 9.5 <= second - first <= 10.2
    assert 57.4 <= third - second <= 60.7
    assert [attempt.outcome for attempt in bench.attempts(row)] == ["failed", "failed", "ok"]


def test_when_the_schedule_is_used_up_the_delivery_is_exhausted_with_its_last_error(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = always(404)
    endpoint = bench.endpoint("a.example.com", policy={"retry_schedule": [1]})
    bench.run(10, bench.program)
    [row] = bench.rows(endpoint)
    assert row.status == "exhausted"
    assert row.reason == "gave up after 2 tries; the last: HTTP 404"


def test_no_retry_dialects_are_tried_once(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = always(500)
    endpoint = bench.endpoint("a.example.com", "insert_affiliate")
    bench.run(10, lambda: bench.house.act(affiliates.create, {"email": "kim@example.org"}))
    assert [(row.status, row.attempts) for row in bench.rows(endpoint)] == [("exhausted", 1)]


@pytest.mark.parametrize(("dialect", "status", "ended"), [("rewardful", 204, "pending"), ("growi", 204, "delivered")])
def test_success_is_what_the_platform_counts_as_success(bench: Bench, dialect: str, status: int, ended: str) -> None:
    bench.wire.scripts["a.example.com"] = always(status)
    endpoint = bench.endpoint("a.example.com", dialect)

    def join() -> None:
        program = bench.house.act(programs.create, {"name": "Spring"})
        bench.house.act(affiliates.create, {"email": "kim@example.org"}, program_id=program.id)

    bench.run(5, join)
    assert [row.status for row in bench.rows(endpoint)] == [ended]


def test_retry_after_lengthens_a_wait_up_to_the_longest_of_the_schedule(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = lambda _rng, before: (
        0.01,
        answer(503, Retry_After="30")
        if before == 0
        else answer(429, Retry_After="9999")
        if before == 1
        else answer(200),
    )
    bench.endpoint("a.example.com", policy={"retry_schedule": [1, 2, 50]})
    bench.run(120, bench.program)
    first, second, third = [arrival.at for arrival in bench.wire.arrivals]
    assert 30 <= second - first < 30.3
    assert 50 <= third - second < 50.3


def test_410_disables_a_standard_endpoint_and_its_deliveries_wait(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = lambda _rng, before: (0.01, answer(410 if before == 0 else 200))
    endpoint = bench.endpoint("a.example.com", policy={"max_in_flight": 1})
    bench.run(5, lambda: bench.program(3))
    rows = bench.rows(endpoint)
    assert [row.status for row in rows] == ["held"] * 3
    assert {row.reason for row in rows} == {deliveries.GONE}
    stored = bench.house.run(lambda tx: tx.registry.endpoints([endpoint.id]))[endpoint.id]
    assert (stored.enabled, stored.disabled_reason) == (False, deliveries.GONE)
    update(bench, endpoint, enabled=True)
    bench.run(5)
    assert [row.status for row in bench.rows(endpoint)] == ["delivered"] * 3


def test_an_owner_who_disables_what_a_410_disabled_gets_no_new_deliveries(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = always(410)
    endpoint = bench.endpoint("a.example.com")
    bench.run(5, bench.program)
    update(bench, endpoint, enabled=False)
    bench.run(5, bench.program)
    assert [row.status for row in bench.rows(endpoint)] == ["held"]


def test_410_is_a_failure_like_any_other_in_a_platforms_dialect(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = always(410)
    endpoint = bench.endpoint("a.example.com", "tamio")
    bench.run(5, bench.program)
    assert [(row.status, row.steps) for row in bench.rows(endpoint)] == [("pending", 1)]


def update(bench: Bench, endpoint: Endpoint, **fields: Any) -> None:
    house = bench.house
    house.run(
        lambda tx: endpoints.update(tx, house.organization, house.dialects, endpoint.id, endpoints.Wish(fields=fields))
    )


def test_a_paused_endpoints_deliveries_are_held_and_go_on_when_it_does(bench: Bench) -> None:
    endpoint = bench.endpoint("a.example.com")
    update(bench, endpoint, paused=True)
    bench.run(5, bench.program)
    assert [row.status for row in bench.rows(endpoint)] == ["held"]
    update(bench, endpoint, paused=False)
    bench.run(5)
    assert [row.status for row in bench.rows(endpoint)] == ["delivered"]


def test_an_endpoint_disabled_by_its_owner_gets_no_new_deliveries(bench: Bench) -> None:
    endpoint = bench.endpoint("a.example.com")
    update(bench, endpoint, enabled=False)
    bench.run(5, bench.program)
    assert bench.rows(endpoint) == []
    event = bench.house.events()[-1]
    entry = bench.house.run(lambda tx: tx.log.get(bench.house.organization.id, event.id))
    assert entry.silences == {endpoint.id: "the endpoint is disabled by its owner"}


def test_deleting_an_endpoint_cancels_what_waits_and_a_try_under_way_ends_by_itself(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = always(500, seconds=2)
    endpoint = bench.endpoint("a.example.com", policy={"max_in_flight": 1})

    def delete() -> None:
        bench.house.run(lambda tx: endpoints.delete(tx, bench.house.organization, endpoint.id))

    bench.run(5, lambda: bench.program(2), lambda: None, delete)
    rows = bench.rows(endpoint)
    assert [(row.status, row.reason) for row in rows] == [("cancelled", "the endpoint was deleted")] * 2
    assert [len(bench.attempts(row)) for row in rows] == [1, 0]


def test_at_most_max_in_flight_requests_are_under_way_to_an_endpoint(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = always(200, seconds=1)
    bench.endpoint("a.example.com", policy={"max_in_flight": 3})
    bench.run(3.5, lambda: bench.program(9))
    times = sorted(arrival.at for arrival in bench.wire.arrivals)
    assert max(sum(at <= later < at + 0.999 for at in times) for later in times) == 3


def test_a_rate_spaces_requests_out(bench: Bench) -> None:
    endpoint = bench.endpoint("a.example.com", policy={"rate_per_second": 5})
    bench.run(3, lambda: bench.program(10))
    times = [arrival.at for arrival in bench.wire.arrivals]
    assert [row.status for row in bench.rows(endpoint)] == ["delivered"] * 10
    assert 1.7 <= times[-1] - times[0] <= 2.2


def test_hung_endpoints_do_not_delay_the_others(bench: Bench) -> None:
    healthy = [bench.endpoint(f"ok{number}.example.com") for number in range(30)]
    for number in range(10):
        bench.wire.scripts[f"hung{number}.example.com"] = hangs
        bench.endpoint(f"hung{number}.example.com")
    bench.run(2, lambda: bench.program(20))
    assert all(row.status == "delivered" for endpoint in healthy for row in bench.rows(endpoint))
    delays = [
        arrival.at * 1000 - bench.rows(healthy[0])[0].created_at
        for arrival in bench.wire.arrivals
        if "ok" in arrival.host
    ]
    assert max(delays) < 500


def test_of_one_batch_goes_first_who_has_least_in_it(bench: Bench) -> None:
    bench.endpoint("loud.example.com", policy={"max_in_flight": 500})
    bench.program(200)
    bench.house.organization = bench.house.another("quiet")
    bench.endpoint("quiet.example.com")
    bench.program()
    bench.wire = Starts(bench.rng, bench.house.clock)
    bench.run(5)
    assert bench.wire.started[0] == "https://quiet.example.com/in"
    assert len(bench.wire.arrivals) == 201


def test_order_per_affiliate_is_kept_while_other_affiliates_go_on(bench: Bench) -> None:
    endpoint = bench.endpoint("a.example.com", policy={"ordering": "affiliate", "retry_schedule": [5, 5]})
    people = [bench.house.act(affiliates.create, {"email": f"p{number}@example.org"}) for number in range(3)]
    bench.wire.scripts["a.example.com"] = heals_after(1)

    def change() -> None:
        for city in ("Umeå", "Lund", "Visby"):
            for person, _ in people:
                bench.house.act(affiliates.update, person.id, {"city": city})

    bench.run(20, change)
    rows = bench.rows(endpoint)
    assert {row.status for row in rows} == {"delivered"}
    settled: dict[str, list[int]] = {}
    for row in sorted(rows, key=lambda row: bench.attempts(row)[-1].started_at):
        settled.setdefault(row.lane, []).append(row.position)
    assert len(settled) == 3
    assert all(positions == sorted(positions) for positions in settled.values())
    lanes = [max(bench.attempts(row)[-1].ended_at for row in rows if row.lane == lane) for lane in settled]
    assert sorted(lanes)[1] - min(row.created_at for row in rows) < 1000


def test_an_affonso_retry_is_rendered_and_signed_anew(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = heals_after(1)
    bench.endpoint("a.example.com", "affonso", policy={"retry_schedule": [1]})

    def join() -> None:
        program = bench.house.act(programs.create, {"name": "Spring"})
        bench.house.act(affiliates.create, {"email": "kim@example.org"}, program_id=program.id)

    bench.run(5, join)
    first, second = [arrival.request for arrival in bench.wire.arrivals]
    assert b'"attempt":1' in first.body
    assert b'"attempt":2' in second.body
    assert dict(first.headers)["X-Affonso-Signature"] != dict(second.headers)["X-Affonso-Signature"]


def test_a_replay_keeps_the_id_and_counts_attempts_on(bench: Bench) -> None:
    endpoint = bench.endpoint("a.example.com")
    bench.run(1, bench.program)
    [row] = bench.rows(endpoint)
    bench.run(1, lambda: bench.house.run(lambda tx: deliveries.replay(tx, bench.house.organization.id, row.id)))
    [again] = bench.rows(endpoint)
    assert (again.id, again.status, again.attempts) == (row.id, "delivered", 2)
    first, second = [dict(arrival.request.headers) for arrival in bench.wire.arrivals]
    assert first["webhook-id"] == second["webhook-id"]


def test_a_dialect_that_trips_ends_on_record_and_nothing_loops(bench: Bench) -> None:
    class Tripping:
        card = bench.house.dialects["standard"].card
        says = bench.house.dialects["standard"].says

        def request(self, *_: object) -> None:
            raise KeyError("boom")

    endpoint = bench.endpoint("a.example.com")
    bench.house.dialects = {**bench.house.dialects, "standard": Tripping()}
    bench.run(5, bench.program)
    [row] = bench.rows(endpoint)
    [attempt] = bench.attempts(row)
    assert (row.status, attempt.error, bench.wire.arrivals) == ("exhausted", "encode", [])
    assert "KeyError" in (row.reason or "")


def test_deliveries_of_a_dialect_that_is_gone_are_parked_and_return_with_it(bench: Bench) -> None:
    endpoint = bench.endpoint("a.example.com")
    bench.program()
    installed = bench.house.dialects
    bench.house.dialects = {name: dialect for name, dialect in installed.items() if name != "standard"}
    bench.run(1)
    assert [(row.status, row.reason) for row in bench.rows(endpoint)] == [
        ("held", "the dialect 'standard' is not installed")
    ]
    bench.house.run(lambda tx: deliveries.return_parked(tx, installed, [bench.house.organization.id]))
    bench.house.dialects = installed
    bench.run(1)
    assert [row.status for row in bench.rows(endpoint)] == ["delivered"]


def test_a_graceful_stop_waits_for_answers_and_cuts_what_takes_too_long(bench: Bench) -> None:
    bench.wire.scripts["slow.example.com"] = always(200, seconds=3)
    bench.wire.scripts["hung.example.com"] = hangs
    slow = bench.endpoint("slow.example.com")
    hung = bench.endpoint("hung.example.com", policy={"total_timeout": 60})
    began = bench.house.clock.now()
    bench.run(0.1, bench.program)
    assert 19_000 < bench.house.clock.now() - began < 21_000
    assert [row.status for row in bench.rows(slow)] == ["delivered"]
    [cut] = bench.rows(hung)
    assert (cut.status, cut.steps) == ("pending", 0)
    assert [(attempt.outcome, attempt.error) for attempt in bench.attempts(cut)] == [("unknown", "cut")]


def test_a_stale_lease_cannot_settle(bench: Bench) -> None:
    endpoint = bench.endpoint("a.example.com")
    bench.program()

    def claim(tx: Tx) -> Any:
        return deliveries.claim(tx, bench.house.dialects, worker="one", limit=10, room=lambda *_: 10)

    [old] = bench.house.run(claim).claims
    assert bench.house.run(lambda tx: deliveries.take_back(tx, expired_only=False)) == 1
    [new] = bench.house.run(claim).claims
    result = Dispatcher._result(_Unbound(bench), old, None, Outcome(response=answer(200).response))
    before = bench.rows(endpoint)
    assert bench.house.run(lambda tx: deliveries.settle(tx, bench.house.dialects, [result])) == [False]
    assert bench.rows(endpoint) == before
    assert (new.delivery.fence, new.attempt.number) == (2, 2)


class _Unbound:
    def __init__(self, bench: Bench) -> None:
        from affwire.engine.pacing import Pacing

        self._world = bench.house.world
        self._pacing = Pacing()


def test_cancelling_a_head_lets_its_lane_go_on(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = heals_after(1)
    endpoint = bench.endpoint("a.example.com", policy={"ordering": "affiliate", "retry_schedule": [1000]})
    person, _ = bench.house.act(affiliates.create, {"email": "kim@example.org"})
    bench.house.act(affiliates.update, person.id, {"city": "Lund"})
    bench.run(1)
    first, second = bench.rows(endpoint)
    assert (first.status, second.status, second.due_at) == ("pending", "pending", None)
    bench.run(1, lambda: bench.house.run(lambda tx: deliveries.cancel(tx, bench.house.organization.id, first.id)))
    assert [row.status for row in bench.rows(endpoint)] == ["cancelled", "delivered"]


def test_trying_the_head_of_a_lane_now_does_not_stop_the_lane(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = heals_after(1)
    endpoint = bench.endpoint("a.example.com", policy={"ordering": "affiliate", "retry_schedule": [1000]})
    person, _ = bench.house.act(affiliates.create, {"email": "kim@example.org"})
    bench.house.act(affiliates.update, person.id, {"city": "Lund"})
    bench.run(1)
    [head, _] = bench.rows(endpoint)
    bench.run(1, lambda: bench.house.run(lambda tx: deliveries.replay(tx, bench.house.organization.id, head.id)))
    assert [row.status for row in bench.rows(endpoint)] == ["delivered", "delivered"]


def test_an_endpoint_can_become_ordered_with_a_backlog(bench: Bench) -> None:
    endpoint = bench.endpoint("a.example.com", paused=True)
    person, _ = bench.house.act(affiliates.create, {"email": "kim@example.org"})
    for number in range(5):
        bench.house.act(affiliates.update, person.id, {"city": f"C{number}"})
    update(bench, endpoint, policy={"ordering": "affiliate"}, paused=False)
    bench.run(2)
    assert [arrival.request.body.count(b"C4") for arrival in bench.wire.arrivals][-1]
    starts = [bench.attempts(row)[0].started_at for row in bench.rows(endpoint)]
    assert starts == sorted(starts)
    update(bench, endpoint, policy={})
    assert memberships


def test_a_programs_deletion_is_said_after_its_members_removals_on_an_ordered_endpoint(bench: Bench) -> None:
    endpoint = bench.endpoint("a.example.com", policy={"ordering": "affiliate", "retry_schedule": [5, 5]})
    bench.wire.scripts["a.example.com"] = lambda _rng, before: (0.2, answer(500 if before == 8 else 200))
    program = bench.house.act(programs.create, {"name": "Spring"})
    for number in range(3):
        bench.house.act(affiliates.create, {"email": f"p{number}@example.org"}, program_id=program.id)
    bench.run(5)
    assert len(bench.wire.arrivals) == 7
    bench.run(20, lambda: bench.house.act(programs.delete, program.id, force=True))
    rows = bench.rows(endpoint)
    assert {row.status for row in rows} == {"delivered"}
    removed = [bench.attempts(row)[-1].ended_at for row in rows if row.word == "membership.removed"]
    [deleted] = [bench.attempts(row)[0].started_at for row in rows if row.word == "program.deleted"]
    assert len(removed) == 3
    assert deleted >= max(removed)


def test_an_endpoint_that_becomes_ordered_puts_a_waiting_deletion_behind_its_members(bench: Bench) -> None:
    endpoint = bench.endpoint("a.example.com", paused=True)
    program = bench.house.act(programs.create, {"name": "Spring"})
    bench.house.act(affiliates.create, {"email": "kim@example.org"}, program_id=program.id)
    bench.house.act(programs.delete, program.id, force=True)
    update(bench, endpoint, policy={"ordering": "affiliate"}, paused=False)
    bench.wire.scripts["a.example.com"] = always(200, seconds=1)
    bench.run(20)
    words = [row.word for row in sorted(bench.rows(endpoint), key=lambda row: bench.attempts(row)[0].started_at)]
    assert words[-1] == "program.deleted"
    assert {row.status for row in bench.rows(endpoint)} == {"delivered"}


class SlowStore:
    """The store with 20 ms around every commit, so that a stop falls between a claim and its first request."""

    def __init__(self, house: MemoryHouse) -> None:
        self._house = house

    async def run(self, work: Any) -> Any:
        await asyncio.sleep(0.01)
        result = self._house.run(work)
        await asyncio.sleep(0.01)
        return result

    def on_wake(self, callback: Any) -> None:
        self._house.store.on_wake(callback)


@pytest.mark.parametrize("moment", [0.001, 0.005, 0.015, 0.025, 0.05])
def test_a_stop_while_a_claim_is_being_committed_cuts_nothing_that_would_have_been_answered(
    bench: Bench, moment: float
) -> None:
    bench.wire.scripts["a.example.com"] = always(200, seconds=0.2)
    endpoint = bench.endpoint("a.example.com", policy={"max_in_flight": 5})
    bench.program(15)

    async def main() -> None:
        dispatcher = Dispatcher(SlowStore(bench.house), bench.wire, bench.house.dialects, bench.house.world, "worker")
        running = asyncio.create_task(dispatcher.run())
        await asyncio.sleep(moment)
        await dispatcher.stop()
        await running

    run_simulated(SimLoop(bench.house.clock, bench.rng), main())
    outcomes = {attempt.outcome for row in bench.rows(endpoint) for attempt in bench.attempts(row)}
    assert outcomes <= {"ok"}
    assert {row.status for row in bench.rows(endpoint)} <= {"delivered", "pending"}


def test_a_stop_is_bounded_even_when_the_claim_is_answered_after_it(bench: Bench) -> None:
    bench.wire.scripts["a.example.com"] = hangs
    bench.endpoint("a.example.com", policy={"total_timeout": 60})
    bench.program()
    began = bench.house.clock.now()

    async def main() -> None:
        dispatcher = Dispatcher(SlowStore(bench.house), bench.wire, bench.house.dialects, bench.house.world, "worker")
        running = asyncio.create_task(dispatcher.run())
        await asyncio.sleep(0.015)
        await dispatcher.stop(drain_ms=2_000)
        await running

    run_simulated(SimLoop(bench.house.clock, bench.rng), main())
    assert bench.house.clock.now() - began < 2_500


def test_a_secret_that_the_far_side_echoes_is_masked_in_what_is_kept(bench: Bench) -> None:
    endpoint = bench.endpoint("a.example.com", "insert_affiliate")
    house = bench.house
    wish = endpoints.Wish(bearer_token="tok-very-secret", headers={"X-Own": "own-header-secret"})
    house.run(lambda tx: endpoints.update(tx, house.organization, house.dialects, endpoint.id, wish))
    echoed = Response(200, (("X-Echo", "own-header-secret"),), b"you sent tok-very-secret")
    bench.wire.scripts["a.example.com"] = lambda _rng, _before: (0.01, Outcome(response=echoed))
    bench.run(5, lambda: house.act(affiliates.create, {"email": "kim@example.org"}))
    [attempt] = bench.attempts(bench.rows(endpoint)[0])
    assert b"secret" not in attempt.response
    assert b"secret" not in attempt.request


def test_a_small_machine_has_no_more_under_way_than_it_was_told(bench: Bench) -> None:
    bench.limits = {"in_flight_max": 2}
    bench.wire.scripts["a.example.com"] = hangs
    bench.endpoint("a.example.com", policy={"total_timeout": 5})
    bench.program(9)
    bench.run(1)
    assert len(bench.wire.arrivals) == 2


def test_a_backlog_follows_its_endpoint_piece_after_piece_without_waiting_for_the_poll(bench: Bench) -> None:
    bench.limits = {"piece": 2}
    resumed, deleted = (bench.endpoint(f"{name}.example.com", paused=True) for name in "ab")
    bench.program(9)
    house = bench.house

    def resume(tx: Tx) -> None:
        wish = endpoints.Wish(fields={"paused": False})
        endpoints.update(tx, house.organization, house.dialects, resumed.id, wish)

    def delete(tx: Tx) -> None:
        endpoints.delete(tx, house.organization, deleted.id)

    bench.run(0.5, lambda: house.run(resume), lambda: house.run(delete))
    assert [row.status for row in bench.rows(resumed)] == ["delivered"] * 9
    assert [row.status for row in bench.rows(deleted)] == ["cancelled"] * 9
