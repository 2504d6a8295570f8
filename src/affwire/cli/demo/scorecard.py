"""The score: what the server says became of everything, held against what arrived and what had to."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import quantiles
from typing import Any, Final

from affwire.cli.demo.a1 import DIALECTS
from affwire.cli.demo.cast import FLAKY, GONE, SLOW, TROUBLED
from affwire.cli.demo.crossing import Crossed
from affwire.cli.demo.play import Progress, words
from affwire.cli.demo.receiver import Arrival, Receiver
from affwire.cli.demo.stage import Stage
from affwire.cli.demo.verify import Forged, verify

SETTLE_S: Final = 15.0
"""The slow receiver's last request ends after a second; the rest is long done by then."""
UNFINISHED: Final = ("pending", "leased")


@dataclass(frozen=True, slots=True)
class Score:
    """The numbers of a play. `differences` is empty if everything is as it must be."""

    actions: int
    events: int
    deliveries: dict[str, int]
    said: dict[str, int]
    verified: int
    duplicates: int
    retries: int
    forgeries_refused: int
    latency_ms: dict[str, float]
    seconds: float
    differences: tuple[str, ...]
    crossed: tuple[Crossed, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, led by the verdict."""
        return {"ok": not self.differences, **asdict(self), "crossed": [one.as_dict() for one in self.crossed]}


def whole(outward: Score, crossed: Sequence[Crossed], seconds: float, wrong: Sequence[str] = ()) -> Score:
    """Return the score of both directions. `wrong`: what else is not as it must be."""
    differences = (*outward.differences, *(found for one in crossed for found in one.differences), *wrong)
    return replace(outward, crossed=tuple(crossed), differences=differences, seconds=round(seconds, 1))


def settled(stage: Stage, timeout_s: float = SETTLE_S) -> bool:
    """Wait until nothing is on its way any more; whether that came to be in time."""
    end = time.monotonic() + timeout_s
    while any(stage.client.get("/v1/deliveries", status=status, limit=1)["data"] for status in UNFINISHED):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def score(progress: Progress, stage: Stage, receiver: Receiver, endpoints: dict[str, str], seconds: float) -> Score:
    """Count everything and compare. Call it when the play is over; it waits until nothing is on its way."""
    finished = settled(stage)
    events = list(stage.all_of("/v1/events"))
    deliveries = list(stage.all_of("/v1/deliveries"))
    arrivals = list(receiver.arrivals)
    genuine = [arrival for arrival in arrivals if arrival.mailbox in DIALECTS and arrival.heard]
    refused, probes = probe(receiver, arrivals)
    said = {dialect: len(words(arrivals, dialect)) for dialect in DIALECTS}
    differences = [
        *(difference for played in progress.done for difference in played.differences),
        *([] if finished else ["some deliveries were still on their way at the end"]),
        *_totals(progress, events, said),
        *_foreign(arrivals),
        *_gaps(genuine),
        *_fates(deliveries, endpoints, progress, arrivals),
        *_disabled(stage, endpoints),
        *([] if refused == probes else [f"{probes - refused} of {probes} forged requests were taken for genuine"]),
    ]
    return Score(
        actions=stage.calls,
        events=len(events),
        deliveries=dict(sorted(Counter(delivery["status"] for delivery in deliveries).items())),
        said=said,
        verified=len(genuine),
        duplicates=len(genuine) - len({(arrival.mailbox, _key(arrival)) for arrival in genuine}),
        retries=sum(max(0, delivery["attempts_made"] - 1) for delivery in deliveries),
        forgeries_refused=refused,
        latency_ms=_latency(genuine),
        seconds=round(seconds, 1),
        differences=tuple(differences),
    )


def probe(receiver: Receiver, arrivals: list[Arrival]) -> tuple[int, int]:
    """Forge the last request of each mailbox: other bytes (where bytes are signed), another secret. Return refused, tried."""
    last = {arrival.mailbox: arrival for arrival in arrivals if arrival.mailbox in DIALECTS and arrival.heard}
    forged = [
        (arrival, body, secret)
        for name, arrival in last.items()
        for body, secret in (
            (arrival.body, receiver.mailboxes[name].secret[::-1]),
            *(
                []
                if name in {"growi", "insert_affiliate"}
                else [(arrival.body + b" ", receiver.mailboxes[name].secret)]
            ),
        )
    ]
    return sum(_is_refused(*one) for one in forged), len(forged)


def _is_refused(arrival: Arrival, body: bytes, secret: str) -> bool:
    try:
        verify(arrival.mailbox, arrival.headers, body, secret, arrival.at / 1000)
    except Forged:
        return True
    return False


def _totals(progress: Progress, events: list[dict[str, Any]], said: dict[str, int]) -> list[str]:
    due = {dialect: sum(len(step.words[dialect]) for step in progress.steps) for dialect in DIALECTS}
    wrong = [
        f"{dialect} said {said[dialect]} words in all, not {due[dialect]}"
        for dialect in DIALECTS
        if said[dialect] != due[dialect]
    ]
    happened = [event["type"] for event in events]
    told = [word for step in progress.steps for word in step.words["standard"]]
    return (
        wrong if happened == told else [*wrong, f"the log holds {len(happened)} events, not these {len(told)} in order"]
    )


def _foreign(arrivals: list[Arrival]) -> list[str]:
    wrong = [
        f"{arrival.mailbox} could not verify a request: {arrival.wrong}"
        for arrival in arrivals
        if arrival.heard is None
    ]
    counts = Counter(
        (arrival.mailbox, _key(arrival)) for arrival in arrivals if arrival.mailbox in DIALECTS and arrival.heard
    )
    return wrong + [
        f"{mailbox} heard the same thing {count} times: {key}" for (mailbox, key), count in counts.items() if count > 1
    ]


def _gaps(genuine: list[Arrival]) -> list[str]:
    """Every affiliate's and program's events are numbered: they must have come complete and in order."""
    lanes: dict[str, list[int]] = {}
    for arrival in genuine:
        if arrival.mailbox == "standard" and arrival.heard and arrival.heard.sequence is not None:
            lanes.setdefault(arrival.heard.subject, []).append(arrival.heard.sequence)
    return [
        f"the events of {subject} came as {numbers}"
        for subject, numbers in lanes.items()
        if numbers != list(range(1, len(numbers) + 1))
    ]


def _fates(
    deliveries: list[dict[str, Any]], endpoints: dict[str, str], progress: Progress, arrivals: list[Arrival]
) -> list[str]:
    """Compare what became of each endpoint's deliveries, and how often the troubled ones were tried."""
    programs = [word for step in progress.steps for word in step.words["standard"] if word.startswith("program.")]
    made = programs.count("program.created")
    due = {name: {"delivered": sum(len(step.words[name]) for step in progress.steps)} for name in DIALECTS}
    due |= {FLAKY: {"delivered": len(programs)}, SLOW: {"exhausted": made}, GONE: {"held": len(programs)}}
    tries = {FLAKY: len(programs) + 2, SLOW: made, GONE: 1}
    found = {
        name: Counter(row["status"] for row in deliveries if row["endpoint_id"] == endpoint)
        for name, endpoint in endpoints.items()
    }
    came = Counter(arrival.mailbox for arrival in arrivals)
    return [
        *(
            f"{name}: deliveries are {dict(found[name])}, not {due[name]}"
            for name in due
            if dict(found[name]) != due[name]
        ),
        *(f"{name} got {came[name]} requests, not {tries[name]}" for name in TROUBLED if came[name] != tries[name]),
    ]


def _disabled(stage: Stage, endpoints: dict[str, str]) -> list[str]:
    gone = stage.client.get(f"/v1/endpoints/{endpoints[GONE]}")
    if gone["enabled"] or not gone["disabled_reason"]:
        return ["the endpoint that answered 410 was not disabled"]
    return []


def troubles(stage: Stage, endpoints: dict[str, str]) -> dict[str, str]:
    """Return a note for each endpoint whose deliveries wait or have failed for good, as the server tells it now."""
    names = {endpoint: name for name, endpoint in endpoints.items()}
    found = {
        status: Counter(names[row["endpoint_id"]] for row in stage.all_of("/v1/deliveries", status=status))
        for status in ("held", "exhausted")
    }
    return {name: f"{count} {status}" for status, counts in found.items() for name, count in counts.items()}


def _key(arrival: Arrival) -> Any:
    return arrival.heard.key if arrival.heard else None


def _latency(genuine: list[Arrival]) -> dict[str, float]:
    """Return how long after the event's own time its requests arrived, in the dialects that tell that time in ms."""
    took = [arrival.at - arrival.heard.said_at for arrival in genuine if arrival.heard and arrival.heard.said_at]
    if len(took) < 2:  # noqa: PLR2004 -- quantiles need two
        return {}
    cuts = quantiles(took, n=20, method="inclusive")
    return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1)}
