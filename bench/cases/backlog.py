"""100,000 deliveries wait for 10 receivers and are let go: deliveries a second, from the first to the last arrival."""

from load import sent
from processes import watching
from stage import Stage

RECEIVERS = 10


def run(stage: Stage) -> None:
    events = stage.pick(20, 1_000, 10_000)
    drained(stage, "backlog", [stage.sink.url(number) for number in range(RECEIVERS)], events)


def drained(stage: Stage, figure: str, urls: list[str], events: int) -> None:
    """Have events wait for receivers, let them go, and write the figure."""
    bare = stage.bare()
    with stage.open() as driver:
        driver.endpoints(urls)
        driver.hold()
        heard = sent(stage.load(driver, 600, most=events))
        deliveries = len(heard.taken()) * len(urls)
        stage.say(f"{deliveries} deliveries wait")
        sink_cpu = stage.sink.cpu_s()
        with watching(driver.pids) as watch:
            driver.release()
            arrivals = stage.arrived(deliveries)
            stage.settled(driver)
        receiver = (stage.sink.cpu_s() - sink_cpu) / deliveries * 1000
    figures = {"per_second": arrivals.per_second(), "deliveries": deliveries, **watch.figures(deliveries)}
    figures |= {"missing": deliveries - len(arrivals.accepted()), "receiver_cpu_s_per_1000": receiver}
    stage.figure(figure, figures, bare=bare)
