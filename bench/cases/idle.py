"""A system with nothing to do gets one event: ms from when it was due to its arrival. Again and again."""

from load import percentiles, sent
from stage import Stage, latencies

PAUSE_S = 1.6


def run(stage: Stage) -> None:
    events = stage.pick(2, 5, 20)
    with stage.open() as driver:
        driver.endpoints([stage.sink.url("idle")])
        sent(stage.load(driver, 1, most=20))
        stage.arrived(20)
        stage.settled(driver)
        heard = sent(stage.load(driver, events * PAUSE_S, rate=1 / PAUSE_S, connections=1, first=1_000))
        waits = latencies(heard, stage.arrived(events), 1_000)
    stage.figure("idle to first delivery", {"events": events, **percentiles(waits)})
