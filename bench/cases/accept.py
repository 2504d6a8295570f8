"""How many events are taken a second by 32 clients, each durable before its 2xx; and what sending beside it costs.

At half of that limit, what one event waits for its answer while nothing is sent, and while everything is.
"""

import limits
from book import Figures
from drivers.base import Driver
from load import Heard, sent
from processes import watching
from stage import Stage

SPAN = 1_000_000
"""Numbers of one load: no two loads share any."""


def run(stage: Stage) -> None:
    seconds = stage.pick(0.3, 2, 6)
    nothing = limits.server(seconds)
    with stage.open() as driver:
        driver.endpoints([stage.sink.url("changes")])
        driver.hold()
        sent(stage.load(driver, 0.3, first=0))
        held, rate = _limit(stage, driver, seconds, SPAN)
        stage.figure("changes: nothing sent meanwhile", held, nothing=nothing)
        alone = _half(stage, driver, seconds, rate, 2 * SPAN)
        driver.release()
        stage.settled(driver)
        live, _ = _limit(stage, driver, seconds, 3 * SPAN)
        stage.figure("changes: everything sent meanwhile", live, nothing=nothing)
        stage.settled(driver)
        beside = _half(stage, driver, seconds, rate, 4 * SPAN)
        stage.settled(driver)
        stage.sink.take()
    figures = {"rate": rate, **beside, **{f"alone_{name}": value for name, value in alone.items()}}
    stage.figure("changes: at half load", {**figures, "p50_ratio": beside["p50_ms"] / alone["p50_ms"]})


def _limit(stage: Stage, driver: Driver, seconds: float, first: int) -> tuple[Figures, float]:
    with watching(driver.pids) as watch:
        heard = sent(stage.load(driver, seconds, first=first))
    _all_taken(heard)
    per_second = len(heard.taken()) / heard.seconds
    return {"per_second": per_second, **heard.percentiles(), **watch.figures(len(heard.taken()))}, per_second / 2


def _half(stage: Stage, driver: Driver, seconds: float, rate: float, first: int) -> dict[str, float]:
    heard = sent(stage.load(driver, seconds, rate=rate, first=first))
    _all_taken(heard)
    return heard.percentiles()


def _all_taken(heard: Heard) -> None:
    assert {status // 100 for status in heard.statuses} == {2}, heard.statuses
