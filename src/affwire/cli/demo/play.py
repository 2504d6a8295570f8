"""Plays the scenario: one call after the other, each awaited at the receivers, and every difference put down."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from affwire.cli.demo.a1 import DIALECTS
from affwire.cli.demo.receiver import Arrival, Receiver
from affwire.cli.demo.scenario import Step
from affwire.cli.demo.stage import Stage

ARRIVE_S: Final = 10.0
"""A delivery to loopback takes milliseconds; what has not come by then will not come."""
WRONG_MAX: Final = 3
"""Steps that may go wrong before the play is given up: what is broken then needs no further proof."""


@dataclass(slots=True)
class Progress:
    """How far the play is: what the panel shows. `since`: arrivals before the present step."""

    steps: list[Step]
    done: list["Played"] = field(default_factory=list)
    current: Step | None = None
    since: int = 0


@dataclass(frozen=True, slots=True)
class Played:
    """One step as it went: what arrived for it, and how that differs from what must."""

    step: Step
    heard: dict[str, tuple[str, ...]]
    differences: tuple[str, ...]


def play(
    progress: Progress, stage: Stage, receiver: Receiver, *, pace_s: float, after_step: Callable[[Played], None]
) -> None:
    """Play every step; `pace_s` is the least time for each, so that a person can follow."""
    for step in progress.steps:
        began = time.monotonic()
        progress.since, progress.current = len(receiver.arrivals), step
        step.act(stage)
        arrived = receiver.wait_until(partial(_enough, step), since=progress.since, timeout_s=ARRIVE_S)
        progress.done.append(_judged(step, arrived))
        after_step(progress.done[-1])
        if sum(bool(played.differences) for played in progress.done) >= WRONG_MAX:
            return
        time.sleep(max(0.0, began + pace_s - time.monotonic()))
    progress.current = None


def words(arrivals: Iterable[Arrival], dialect: str) -> tuple[str, ...]:
    """Return the genuine words in a dialect's mailbox, in order of arrival."""
    return tuple(arrival.heard.word for arrival in arrivals if arrival.mailbox == dialect and arrival.heard)


def _enough(step: Step, arrivals: list[Arrival]) -> bool:
    return all(len(words(arrivals, dialect)) >= len(step.words[dialect]) for dialect in DIALECTS)


def _judged(step: Step, arrivals: list[Arrival]) -> Played:
    heard = {dialect: words(arrivals, dialect) for dialect in DIALECTS}
    wrong = [found for dialect in DIALECTS for found in _differences(step.words[dialect], arrivals, dialect)]
    return Played(step, heard, tuple(f"row {step.row}, {step.title}: {difference}" for difference in wrong))


def _differences(due: tuple[str, ...], arrivals: list[Arrival], dialect: str) -> list[str]:
    heard = words(arrivals, dialect)
    if sorted(heard) != sorted(due):
        return [f"{dialect} said {' '.join(heard) or 'nothing'}, not {' '.join(due) or 'nothing'}"]
    lanes = _lanes(arrivals, dialect)
    return [
        f"{dialect} said {' '.join(lane)} of one subject in another order"
        for lane in lanes
        if not _is_within(lane, due)
    ]


def _lanes(arrivals: list[Arrival], dialect: str) -> list[list[str]]:
    """Return the words about each subject by itself: order is promised per affiliate, not between them."""
    lanes: dict[str, list[str]] = {}
    for arrival in arrivals:
        if arrival.mailbox == dialect and arrival.heard:
            lanes.setdefault(arrival.heard.subject, []).append(arrival.heard.word)
    return list(lanes.values())


def _is_within(lane: list[str], recorded: tuple[str, ...]) -> bool:
    """Whether the lane's words stand in the recorded order."""
    left = iter(recorded)
    return all(word in left for word in lane)
