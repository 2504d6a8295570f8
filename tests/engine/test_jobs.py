"""The jobs' loop on virtual time: rates, cancelling, failing, restarts."""

import asyncio
import random

from registry_walk import HOOKS

from affwire.engine.jobs import JobRunner
from affwire.services import deliveries, endpoints, jobs, programs, recovery
from affwire.testing.house import MemoryHouse
from affwire.testing.loop import SimLoop, run_simulated


def prepared(count):
    house = MemoryHouse()
    endpoint = house.endpoint("standard", HOOKS)
    for number in range(count):
        house.act(programs.create, {"name": f"P{number}"})
    for row in house.deliveries(endpoint):
        house.run(lambda tx, row=row: deliveries.cancel(tx, house.organization.id, row.id))
    return house, endpoint


def replay(house, **wish):
    owner = house.organization.id
    return house.run(lambda tx: jobs.start_replay(tx, owner, wish, jobs.extent(tx, owner, wish)))


def run(house, seconds, *acts, runners=1):
    async def main():
        many = [JobRunner(house.store, house.dialects) for _ in range(runners)]
        running = asyncio.gather(*(runner.run() for runner in many))
        for act in acts:
            await asyncio.sleep(0.001)
            act()
        await asyncio.sleep(seconds)
        for runner in many:
            await runner.stop()
        await running

    run_simulated(SimLoop(house.clock, random.Random(1)), main())


def job(house):
    [only] = house.run(lambda tx: tx.jobs.page(house.organization.id, before=None, limit=2))
    return only


def test_a_job_keeps_its_rate():
    house, _ = prepared(10)
    replay(house, rate_per_second=2)
    run(house, 2.5)
    assert 4 <= job(house).done <= 6
    assert job(house).status == "running"


def test_two_processes_carry_a_job_out_at_its_rate_not_at_twice_that():
    house, _ = prepared(20)
    replay(house, rate_per_second=2)
    run(house, 2.5, runners=3)
    assert 4 <= job(house).done <= 6


def test_a_restart_goes_on_until_the_end():
    house, endpoint = prepared(10)
    replay(house, rate_per_second=4)
    run(house, 1)
    assert 0 < job(house).done < 10
    run(house, 3)
    assert (job(house).status, job(house).done) == ("done", 10)
    assert {row.status for row in house.deliveries(endpoint)} == {"pending"}


def test_a_cancelled_job_stops():
    house, _ = prepared(10)
    job_id = replay(house, rate_per_second=1).id
    run(house, 3, lambda: None, lambda: house.run(lambda tx: jobs.cancel(tx, house.organization.id, job_id)))
    assert job(house).status == "cancelled"
    assert job(house).done < 3


def test_a_job_that_cannot_go_on_ends_with_the_reason():
    house, endpoint = prepared(1)
    owner = house.organization.id
    count = house.run(lambda tx: recovery.begin(tx, owner, endpoint.id, {"since": 0}))
    house.run(lambda tx: jobs.start_recovery(tx, owner, endpoint.id, {"since": 0}, count.extent))
    house.run(lambda tx: endpoints.delete(tx, house.organization, endpoint.id))
    run(house, 0.1)
    assert job(house).status == "failed"
    assert endpoint.id in job(house).reason
