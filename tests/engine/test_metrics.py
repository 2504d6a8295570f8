"""Meters: attempts counted by how they went, arrival measured from the commit, labels without ids."""

import asyncio
import random

from registry_walk import judged

from affwire.engine.dispatcher import Dispatcher
from affwire.engine.metrics import Meters
from affwire.model.inbound import Kept
from affwire.services import programs
from affwire.store.depth import depth
from affwire.testing.house import MemoryHouse
from affwire.testing.loop import SimLoop, run_simulated
from affwire.testing.wire import FakeWire, heals_after
from affwire.world import World


def scraped(house, meters):
    return meters.scraped(house.run(lambda tx: depth(tx.connection, tx.now)), house.clock.now()).decode()


def test_attempts_are_counted_by_dialect_and_outcome_and_arrival_is_from_the_commit():
    rng, house, meters = random.Random(7), MemoryHouse(), Meters()
    house.world = World(house.clock, rng)
    wire = FakeWire(rng, house.clock)
    wire.scripts["a.example.com"] = heals_after(1)
    endpoint = house.endpoint("standard", judged("https://a.example.com/in"), policy={"retry_schedule": [10]})

    async def main():
        def told(results):
            for result, fits in results:
                meters.settled(result, fits=fits)

        dispatcher = Dispatcher(house.store, wire, house.dialects, house.world, "worker", told=told)
        meters.watch(in_flight=lambda: dispatcher.in_flight, streams=lambda: 3)
        running = asyncio.create_task(dispatcher.run())
        house.act(programs.create, {"name": "P"})
        await asyncio.sleep(30)
        await dispatcher.stop()
        await running

    run_simulated(SimLoop(house.clock, rng), main())
    text = scraped(house, meters)
    assert 'affwire_attempts_total{dialect="standard",error="status",outcome="failed"} 1.0' in text
    assert 'affwire_attempts_total{dialect="standard",error="",outcome="ok"} 1.0' in text
    assert 'affwire_verdicts_total{dialect="standard",verdict="retry"} 1.0' in text
    assert 'affwire_arrival_seconds_bucket{dialect="standard",le="5.0"} 0.0' in text
    assert 'affwire_arrival_seconds_bucket{dialect="standard",le="30.0"} 1.0' in text
    assert "affwire_streams 3.0" in text
    assert "affwire_events_total 1.0" in text
    assert endpoint.id not in text


def test_a_stale_claim_is_told_as_such():
    rng, house, meters = random.Random(7), MemoryHouse(), Meters()
    house.world = World(house.clock, rng)
    house.endpoint("standard", judged("https://a.example.com/in"))
    heard = []

    async def main():
        wire = FakeWire(rng, house.clock)
        dispatcher = Dispatcher(house.store, wire, house.dialects, house.world, "w", told=heard.extend)
        running = asyncio.create_task(dispatcher.run())
        house.act(programs.create, {"name": "P"})
        await asyncio.sleep(1)
        await dispatcher.stop()
        await running

    run_simulated(SimLoop(house.clock, rng), main())
    [(result, fits)] = heard
    assert fits
    meters.settled(result, fits=False)
    text = scraped(house, meters)
    assert 'affwire_verdicts_total{dialect="standard",verdict="stale"} 1.0' in text
    assert "affwire_arrival_seconds_count" not in text


def test_messages_that_come_in_are_counted_by_fate_and_those_that_wait():
    house, meters = MemoryHouse(), Meters()
    for fate in ("kept", "kept", "rejected"):
        meters.came_in("growi", fate)
    kept = Kept(id="msg_1", organization_id=house.organization.id, source_id="src_1", dialect="growi", received_at=0)
    house.run(lambda tx: tx.inbox.keep([kept]))
    text = scraped(house, meters)
    assert 'affwire_messages_total{dialect="growi",fate="kept"} 2.0' in text
    assert 'affwire_messages_total{dialect="growi",fate="rejected"} 1.0' in text
    assert "affwire_messages_waiting 1.0" in text
