"""One event to many receivers: what its commit takes, how long until the last has it, and how many arrive a second."""

import time
from statistics import median

from load import sent
from processes import watching
from stage import Stage

SPAN = 100_000


def run(stage: Stage) -> None:
    many = stage.pick(50, 1_000, 1_000)
    for receivers, events in ((10, stage.pick(20, 200, 2_000)), (many, stage.pick(3, 10, 40))):
        _fan(stage, receivers, events, singles=stage.pick(2, 5, 10))


def _fan(stage: Stage, receivers: int, events: int, singles: int) -> None:
    bare = stage.bare()
    with stage.open() as driver:
        driver.endpoints([stage.sink.url(number) for number in range(receivers)])
        driver.hold()
        commit = sent(stage.load(driver, 600, most=events, connections=1)).percentiles()
        stage.say(f"{events} events to {receivers} receivers wait")
        with watching(driver.pids) as watch:
            driver.release()
            arrivals = stage.arrived(events * receivers)
            stage.settled(driver)
        lasts = []
        for turn in range(1, singles + 1):
            heard = sent(stage.load(driver, 60, most=1, connections=1, first=turn * SPAN))
            lasts.append((stage.arrived(receivers).times[-1] - heard.dues[0]) * 1000)
            time.sleep(0.2)
    figures = {f"commit_{name}": value for name, value in commit.items()}
    figures |= {"last_arrival_ms": median(lasts), "per_second": arrivals.per_second()}
    figures |= watch.figures(events * receivers)
    stage.figure(f"fan-out to {receivers}", figures, bare=bare)
