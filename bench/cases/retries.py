"""A fifth of the first tries fail and a tenth take half a second: ms to acceptance at last, and tries per delivery."""

import limits
from load import percentiles, sent
from processes import watching
from stage import Stage, latencies

RECEIVERS = 10
SCRIPT = "first-fails-20/slow-10-500"
RETRY_S = 1


def run(stage: Stage) -> None:
    rate, seconds = stage.pick(10, 50, 50), stage.pick(1, 4, 20)
    straight = limits.straight(stage.sink, rate * RECEIVERS, min(seconds, 3))
    with stage.open() as driver:
        driver.endpoints([stage.sink.url(number, SCRIPT) for number in range(RECEIVERS)], retry_s=RETRY_S)
        with watching(driver.pids) as watch:
            heard = sent(stage.load(driver, seconds, rate=rate))
            deliveries = len(heard.taken()) * RECEIVERS
            stage.sink.wait(deliveries)
            stage.settled(driver)
            arrivals = stage.sink.take()
    waits = latencies(heard, arrivals)
    figures = {"deliveries": deliveries, "missing": deliveries - len(waits), **percentiles(waits)}
    figures |= {"tries_per_delivery": len(arrivals.times) / deliveries, **watch.figures(deliveries)}
    stage.figure("20 % fail at first, 10 % slow", figures, straight=straight)
