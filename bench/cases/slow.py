"""100 receivers that take 50 ms each, with a backlog for all: deliveries a second, to see whether waiting costs."""

import limits
from stage import Stage

from cases.backlog import drained

RECEIVERS = 100
DELAY_MS = 50


def run(stage: Stage) -> None:
    script = f"delay-{DELAY_MS}"
    bound = limits.client(stage.sink, stage.pick(500, 5_000, 20_000), script, in_flight=1_000)
    stage.say(f"the bare client, 1,000 in flight to a receiver of {DELAY_MS} ms: {bound['per_second']:.0f} a second")
    urls = [stage.sink.url(number, script) for number in range(stage.pick(10, RECEIVERS, RECEIVERS))]
    drained(stage, f"receivers that take {DELAY_MS} ms", urls, stage.pick(5, 100, 1_000))
