"""SIGKILL in the middle of traffic, then a restart: which accepted events never arrived, and which arrived twice.

Accepted: answered 2xx. Missing: not at the receiver when nothing had come for so long after the restart.
"""

import time

from load import send, senders
from stage import Stage

DOWN_S = 0.5


def run(stage: Stage) -> None:
    rate, seconds = stage.pick(50, 200, 200), stage.pick(1.5, 6, 15)
    with stage.open() as driver, senders() as pool:
        driver.endpoints([stage.sink.url("kill")], retry_s=1)
        pool.submit(send, stage.load(driver, 0.2, most=20, first=10**6)).result()
        stage.settled(driver)
        stage.sink.take()
        load = pool.submit(send, stage.load(driver, seconds, rate=rate, stubborn=True))
        time.sleep(seconds / 2)
        driver.kill()
        time.sleep(DOWN_S)
        began = time.monotonic()
        driver.restart()
        restarted = time.monotonic()
        heard = load.result()
        arrivals = stage.arrived(len(heard.taken()), stage.pick(5, 15, 30))
        time.sleep(1)
        late = stage.sink.take()
    times = arrivals.accepted()
    for key, more in late.accepted().items():
        times.setdefault(key, []).extend(more)
    arrived = {number: found for (_, number), found in times.items()}
    accepted = heard.taken()
    after = min((found[0] for found in arrived.values() if found[0] > began), default=began)
    figures = {
        "accepted": len(accepted),
        "unanswered": heard.statuses[0],
        "missing": sum(number not in arrived for number in accepted),
        "duplicates": sum(len(found) - 1 for found in arrived.values()),
        "arrived_unanswered": len(arrived.keys() - set(accepted)),
        "restart_s": restarted - began,
        "first_arrival_after_s": after - began,
    }
    stage.figure("killed under way", figures)
