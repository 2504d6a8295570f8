"""Events at a steady rate: ms from when each was due (not: sent) to its acceptance at the receiver, and to its 2xx."""

import limits
from load import percentiles, sent
from processes import watching
from stage import Stage, latencies

RATES = (50, 200, 500, 1_000)
SPAN = 100_000


def run(stage: Stage) -> None:
    seconds = stage.pick(0.5, 3, 10)
    with stage.open() as driver:
        driver.endpoints([stage.sink.url("latency")])
        sent(stage.load(driver, 1, most=50))
        stage.settled(driver)
        for turn, rate in enumerate(RATES, start=1):
            stage.say(f"{rate} events/s")
            stage.sink.take()
            straight = limits.straight(stage.sink, rate, min(seconds, 3))
            with watching(driver.pids) as watch:
                heard = sent(stage.load(driver, seconds, rate=rate, first=turn * SPAN))
                taken = heard.taken()
                arrivals = stage.arrived(len(taken))
            waits = latencies(heard, arrivals, turn * SPAN)
            figures = {"rate": rate, "rate_reached": len(taken) / heard.seconds, "missing": len(taken) - len(waits)}
            figures |= {**percentiles(waits), **percentiles_of_answers(heard.percentiles())}
            stage.figure(f"latency at {rate} events/s", {**figures, **watch.figures(len(taken))}, straight=straight)


def percentiles_of_answers(found: dict[str, float]) -> dict[str, float]:
    return {f"answer_{name}": value for name, value in found.items()}
