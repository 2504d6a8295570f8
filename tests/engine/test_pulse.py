"""A pulse wakes who waits, from any thread, and several beats are one."""

import asyncio
import threading
import time

from affwire.engine.pulse import Pulse


def test_a_beat_ends_the_wait_at_once_also_one_that_came_before():
    async def main():
        pulse = Pulse()
        pulse.beat()
        pulse.beat()
        began = time.monotonic()
        await pulse.wait(60_000)
        waiting = asyncio.create_task(pulse.wait(60_000))
        await asyncio.sleep(0)
        pulse.beat()
        await waiting
        return time.monotonic() - began

    assert asyncio.run(main()) < 5


def test_several_beats_are_one():
    async def main():
        pulse = Pulse()
        pulse.beat()
        pulse.beat()
        await pulse.wait(60_000)
        began = time.monotonic()
        await pulse.wait(20)
        return time.monotonic() - began

    assert asyncio.run(main()) >= 0.018


def test_without_a_beat_the_time_ends_the_wait_and_a_time_that_is_over_does_not_wait():
    async def main():
        pulse = Pulse()
        await pulse.wait(1)
        await pulse.wait(0)
        await pulse.wait(-5_000)

    asyncio.run(main())


def test_another_thread_may_beat():
    async def main():
        pulse = Pulse()
        thread = threading.Thread(target=pulse.beat_from_thread)
        thread.start()
        await asyncio.wait_for(pulse.wait(60_000), 5)
        thread.join()

    asyncio.run(main())


def test_a_beat_after_the_loop_has_ended_is_nothing():
    async def main():
        return Pulse()

    asyncio.run(main()).beat_from_thread()


def test_a_wait_that_is_given_up_leaves_no_timer_behind():
    async def main():
        pulse = Pulse()
        waiting = asyncio.create_task(pulse.wait(20))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        began = time.monotonic()
        await asyncio.sleep(0.03)
        await pulse.wait(20)
        return time.monotonic() - began

    assert asyncio.run(main()) >= 0.048
