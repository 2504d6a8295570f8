"""One worker and two on PostgreSQL, receivers that take 50 ms, each worker with so many under way: speed and CPU."""

from book import Figures
from drivers.postgres import OnPostgres
from load import sent
from processes import watching
from stage import Stage

RECEIVERS = 100
IN_FLIGHT = 64
"""Of one worker: 1,280 deliveries a second to such receivers, which leaves two cores room for two workers."""


def run(stage: Stage) -> None:
    events = stage.pick(3, 30, 120)
    one = _drained(stage, 1, events)
    stage.figure("one worker", one)
    two = _drained(stage, 2, events)
    ratios = {
        "speed_ratio": two["per_second"] / one["per_second"],
        "cpu_ratio": two["cpu_s_per_1000"] / one["cpu_s_per_1000"],
    }
    stage.figure("two workers", {**two, **ratios})


def _drained(stage: Stage, workers: int, events: int) -> Figures:
    with stage.open(lambda: OnPostgres(workers=workers, in_flight=IN_FLIGHT)) as driver:
        driver.endpoints([stage.sink.url(number, "delay-50") for number in range(RECEIVERS)])
        driver.hold()
        taken = len(sent(stage.load(driver, 600, most=events)).taken())
        stage.say(f"{workers} worker(s), {taken * RECEIVERS} deliveries wait")
        with watching(driver.pids) as watch:
            driver.release()
            arrivals = stage.arrived(taken * RECEIVERS)
            stage.settled(driver)
    deliveries = taken * RECEIVERS
    return {"in_flight": IN_FLIGHT, "per_second": arrivals.per_second(), **watch.figures(deliveries)}
