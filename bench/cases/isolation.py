"""Of 1,000 receivers 100 hang and 100 fail: what the other 800 wait, against a run without them."""

import limits
from book import Figures
from load import percentiles, sent
from stage import Stage, latencies

SPAN = 100_000


def run(stage: Stage) -> None:
    receivers = stage.pick(10, 200, 1_000)
    tenth = receivers // 10
    good = [stage.sink.url(f"well{number}") for number in range(receivers - 2 * tenth)]
    bad = [stage.sink.url(f"hung{number}", "hang") for number in range(tenth)]
    bad += [stage.sink.url(f"fails{number}", "fail") for number in range(tenth)]
    compared(stage, "10 % hang and 10 % fail", good, bad, rate=stage.pick(4, 2, 1))


def compared(stage: Stage, figure: str, good: list[str], bad: list[str], rate: float) -> None:
    """Measure events at a rate to good receivers alone, then beside bad ones, and write the figure."""
    straight = limits.straight(stage.sink, rate * len(good), stage.pick(0.3, 1, 3))
    alone = _waits(stage, good, [], rate)
    beside = _waits(stage, good, bad, rate)
    stage.figure(figure, {"missing": len(alone) - len(beside), **beside_alone(beside, alone)}, straight=straight)


def beside_alone(beside: list[float], alone: list[float]) -> Figures:
    """Return the percentiles (ms) of what waited beside others' trouble, of what waited alone, and their ratios."""
    figures = {"deliveries": len(beside), **percentiles(beside), **percentiles(alone, "alone_")}
    names = ("p50", "p95", "p99") if beside and alone else ()  # too small a run may leave nothing between its ends
    ratios = {f"{name}_ratio": figures[f"{name}_ms"] / figures[f"alone_{name}_ms"] for name in names}
    return {**figures, **ratios}


def _waits(stage: Stage, good: list[str], bad: list[str], rate: float) -> list[float]:
    seconds = stage.pick(1, 6, 20)
    with stage.open() as driver:
        driver.endpoints([*good, *bad])
        stage.say(f"{len(good)} good receivers, {len(bad)} bad ones")
        sent(stage.load(driver, 1, rate=2, first=SPAN))
        stage.arrived(2 * len(good), 10)
        heard = sent(stage.load(driver, seconds, rate=rate))
        return latencies(heard, stage.arrived(len(heard.taken()) * len(good), 20))
