"""One receiver of 100 refuses connections: what the other 99 wait, against a run without it."""

from stage import Stage

from cases.isolation import compared


def run(stage: Stage) -> None:
    receivers = stage.pick(10, 100, 100)
    good = [stage.sink.url(number) for number in range(receivers - 1)]
    compared(stage, "1 % of endpoints dead", good, [stage.sink.dead_url], rate=stage.pick(4, 10, 10))
