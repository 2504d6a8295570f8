"""200 histories of trouble, and controls that show the judge is awake."""

import random
from typing import Any

import pytest
from simulation import SimStore, Simulation

from affwire.errors import Refused
from affwire.testing.wire import FakeWire


class _Undone(Refused):
    """Makes the transaction roll back."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_nothing_is_lost_repeated_or_out_of_order(seed: int) -> None:
    problems = Simulation(seed).play()
    assert not problems, f"replay: .venv/bin/python tests/sim/simulation.py {seed}"


def test_one_seed_is_one_history() -> None:
    def trace(seed: int) -> list[Any]:
        simulation = Simulation(seed)
        simulation.play()
        return [(arrival.host, arrival.at, arrival.request.body) for arrival in simulation.wire.arrivals]

    assert trace(11) == trace(11)
    assert trace(11) != trace(12)


class _ForgetfulStore(SimStore):
    """Says yes to users now and then without having committed."""

    async def run(self, work: Any) -> Any:
        kept: list[Any] = []

        def undone(tx: Any) -> None:
            kept.append(work(tx))
            raise _Undone("undone")

        if getattr(work, "__name__", "") == "_act" and self._rng.random() < 0.3:
            try:
                self._house.run(undone)
            except _Undone:
                return kept[0]
        return await super().run(work)


class _StutteringWire(FakeWire):
    """Sends now and then what it was given twice."""

    async def send(self, request: Any, limits: Any) -> Any:
        if self.rng.random() < 0.2:
            await super().send(request, limits)
        return await super().send(request, limits)


def test_a_store_that_accepts_without_committing_is_found_out() -> None:
    def problems(seed: int) -> list[str]:
        simulation = Simulation(seed)
        simulation.store = _ForgetfulStore(simulation.house, simulation.rng, lambda: False)
        return simulation.play()

    # Of a single history little may be accepted, and then nothing need be forgotten.
    assert any("is not in the log" in problem for seed in range(3, 6) for problem in problems(seed))


def test_a_wire_that_repeats_itself_is_found_out() -> None:
    simulation = Simulation(3)
    simulation.wire = _StutteringWire(random.Random(1), simulation.clock, simulation.wire.scripts)
    assert any("arrivals" in problem for problem in simulation.play())
