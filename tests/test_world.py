"""The world: the machine's own, or one that a seed replays."""

import random
import time

import pytest

from affwire.model import ids
from affwire.testing.world import START, FakeClock, fake_world
from affwire.world import SystemClock, World


def test_the_machines_clock_tells_milliseconds_of_now():
    before = int(time.time() * 1000) - 1
    assert before <= SystemClock().now() <= World().now() <= int(time.time() * 1000) + 1


def test_dice_fall_between_0_and_1():
    assert all(0 <= World().roll() < 1 for _ in range(100))


def test_an_id_is_of_its_kind_and_made_now():
    clock = FakeClock()
    world = World(clock)
    made = world.new_id("affiliate")
    assert ids.kind_of(made) == "affiliate"
    assert ids.number_of(made) >> 80 == START
    clock.advance(1)
    assert made < world.new_id("affiliate")
    with pytest.raises(KeyError):
        world.new_id("dragon")


def test_ids_and_secrets_of_the_real_world_do_not_repeat():
    world = World(FakeClock())
    assert len({world.new_id("event") for _ in range(1000)}) == 1000
    secrets = {world.secret_bytes(32) for _ in range(100)}
    assert len(secrets) == 100
    assert {len(one) for one in secrets} == {32}


def test_a_seed_replays_everything_and_another_seed_something_else():
    def story(world):
        return [world.now(), world.roll(), world.new_id("event"), world.secret_bytes(8)]

    assert story(fake_world(1)) == story(fake_world(1))
    assert story(fake_world(1)) != story(fake_world(2))


def test_the_real_worlds_secrets_do_not_follow_the_programs_own_dice():
    random.seed(1)
    first = World().secret_bytes(16)
    random.seed(1)
    assert World().secret_bytes(16) != first


def test_a_fake_clock_stands_still_until_it_is_told_to_move():
    clock = FakeClock(5)
    assert (clock.now(), clock.now()) == (5, 5)
    clock.advance(-10)
    assert clock.now() == -5
