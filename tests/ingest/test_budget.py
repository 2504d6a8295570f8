"""A source's budget is a burst, refilled with time; other sources have their own."""

from affwire.ingest import budget as module
from affwire.ingest.budget import BURST, PER_SECOND, Budget
from affwire.testing.world import FakeClock, fake_world


def test_a_burst_is_spent_and_comes_back_with_time():
    clock = FakeClock()
    budget = Budget(fake_world(0, clock))
    assert sum(budget.spend("a") for _ in range(BURST + 10)) == BURST
    clock.advance(1_000)
    assert sum(budget.spend("a") for _ in range(BURST)) == PER_SECOND
    assert budget.spend("b")


def test_time_that_runs_backwards_gives_nothing_and_takes_nothing():
    clock = FakeClock()
    budget = Budget(fake_world(0, clock))
    assert sum(budget.spend("a") for _ in range(BURST)) == BURST
    clock.advance(-60_000)
    assert not budget.spend("a")


def test_it_remembers_a_bounded_number_of_sources(monkeypatch):
    monkeypatch.setattr(module, "SOURCES_MAX", 2)
    budget = Budget(fake_world(0))
    assert all(budget.spend(name) for name in "abcdef")
