"""One organization makes 50,000 deliveries at once: what another's steady 20 events a second wait, against a run alone."""

import math

import limits
from drivers.affwire import Affwire
from load import Heard, send, senders, sent
from sink import Arrivals
from stage import Stage

from cases.isolation import beside_alone

RATE = 20
STEADY, LOUD = 2, 10
"""Receivers of the organization that is measured, and of the one that makes the burst."""
SPAN = 1_000_000
"""The first number of the burst's events."""


def run(stage: Stage) -> None:
    seconds, events = stage.pick(1, 6, 30), stage.pick(5, 500, 5_000)
    straight = limits.straight(stage.sink, RATE * STEADY, min(seconds, 3))
    alone, lost = _waits(stage, seconds, 0)
    beside, lost_beside = _waits(stage, seconds, events)
    figures = {"burst": events * LOUD, "missing": lost + lost_beside, **beside_alone(beside, alone)}
    stage.figure("beside another's burst", figures, straight=straight)


def _waits(stage: Stage, seconds: float, events: int) -> tuple[list[float], int]:
    """Return ms from when each event was due to its arrivals, of those due during the burst, and how many arrivals lack."""
    driver = Affwire()
    with stage.open(lambda: driver), senders(2) as pool:
        driver.endpoints([stage.sink.url(f"steady{number}") for number in range(STEADY)])
        sent(stage.load(driver, 1, rate=2, first=2 * SPAN))
        stage.arrived(2 * STEADY, 10)
        steady = pool.submit(send, stage.load(driver, seconds, rate=RATE))
        driver.organization("loud")
        driver.endpoints([stage.sink.url(f"loud{number}") for number in range(LOUD)])
        burst = pool.submit(send, stage.load(driver, 600, most=events, first=SPAN)).result()
        heard = steady.result()
        expected = len(heard.taken()) * STEADY + len(burst.taken()) * LOUD
        arrivals = stage.arrived(expected)
        stage.settled(driver)
    return _during(burst, heard, arrivals), expected - len(arrivals.accepted())


def _during(burst: Heard, heard: Heard, arrivals: Arrivals) -> list[float]:
    """Return what waited between the burst's first event and its last arrival; everything where there was no burst."""
    firsts = arrivals.firsts()
    began = burst.dues[0] if burst.dues else -math.inf
    ended = max((at for number, at in firsts if number >= SPAN), default=math.inf)
    own = [(at, heard.dues[number]) for number, at in firsts if number < len(heard.dues)]
    return [(at - due) * 1000 for at, due in own if began <= due <= ended]
