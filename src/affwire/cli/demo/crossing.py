"""The other direction: a message of each platform comes in, and goes out to a receiver that speaks another dialect.

Each in an organization of its own, so that what is heard there is that message's doing and nothing else's.
"""

import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final

from affwire.cli.client import Client, open_client
from affwire.cli.demo import cast, platforms
from affwire.cli.demo.play import ARRIVE_S, words
from affwire.cli.demo.receiver import Arrival, Receiver
from affwire.cli.demo.stage import Stage

TAKEN, REFUSED = 200, 401
KEY_BYTES: Final = 32
_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Crossing:
    """What a platform says, how its source is run, and what a receiver of another dialect must hear of it."""

    platform: str
    word: str
    mode: str
    dialect: str
    words: tuple[str, ...]
    parts: dict[str, Any] = field(default_factory=dict)

    @property
    def mailbox(self) -> str:
        """The path where it goes out."""
        return f"from-{self.platform}"


@dataclass(slots=True)
class Crossed:
    """How one crossing went, as far as it went. A status is None until it was tried, or where nothing can be forged."""

    crossing: Crossing
    heard: tuple[str, ...] = ()
    forged: int | None = None
    taken: int | None = None
    repeated: int | None = None
    messages: dict[str, int] = field(default_factory=dict)
    affiliates: int = 0
    differences: tuple[str, ...] = ()
    is_over: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        told = asdict(self)
        crossing = told.pop("crossing")
        del told["differences"], told["is_over"]
        return {name: crossing[name] for name in ("platform", "word", "mode", "dialect")} | told


CROSSINGS: Final = (
    Crossing(
        "rewardful",
        "affiliate.created",
        "relay",
        "standard",
        ("affiliate.created", "membership.activated"),
        {"object": {"campaign": {"id": "82f26208-778e-4e98-a467-6ee264cf96d5", "name": "Spring"}}},
    ),
    Crossing("growi", "campaign_affiliate.pending", "mirror", "affonso", ("affiliate.created",)),
    Crossing("affonso", "affiliate.created", "relay", "growi", ("campaign_affiliate.pending",)),
    Crossing("insert_affiliate", "affiliate.created", "mirror", "rewardful", ("affiliate.created",)),
    Crossing("tamio", "affiliate-approved", "mirror", "insert_affiliate", ("affiliate.created",)),
    Crossing("standard", "membership.activated", "relay", "tamio", ("affiliate-approved",)),
)
"""Every dialect comes in once and goes out once."""


def cross(
    crossed: Crossed, operator: Client, receiver: Receiver, *, pace_s: float, changed: Callable[[], None]
) -> None:
    """Let one message cross: forged, genuine, and once more. `changed` is called as it goes on."""
    one = crossed.crossing
    slug = f"demo-{one.platform.replace('_', '-')}"
    key = cast.found_organization(operator, slug, f"Demo: {one.platform} to {one.dialect}")
    with open_client(operator.address, key) as client:
        stage = Stage(client)
        secret = platforms.secret_of(one.platform, secrets.token_bytes(KEY_BYTES))
        source = client.post("/v1/sources", {"dialect": one.platform, "mode": one.mode, **_given(secret)})
        cast.engaged(client, receiver, cast.Part(one.mailbox, one.dialect, "hears of it", (TAKEN,), cast.IN_ORDER))
        send = partial(_sent, operator.address + source["ingest_url"], one)
        since, pause = len(receiver.arrivals), partial(time.sleep, pace_s)
        if one.platform not in platforms.SIGNS_NOTHING:
            crossed.forged = send(secrets.token_hex(KEY_BYTES)).status
            changed()
            pause()
        first = send(secret)
        crossed.taken = first.status
        changed()
        crossed.heard = words(receiver.wait_until(partial(_enough, one), since=since, timeout_s=ARRIVE_S), one.mailbox)
        changed()
        pause()
        again = send(secret)
        crossed.repeated = again.status
        _look(crossed, stage)
        crossed.heard = words(receiver.arrivals[since:], one.mailbox)
        crossed.differences = tuple(_differences(crossed, stage, same_answer=first == again))
        crossed.is_over = True
        changed()


def _given(secret: str | None) -> dict[str, str]:
    return {} if secret is None else {"secret": secret}


def _sent(url: str, one: Crossing, secret: str | None) -> platforms.Answer:
    body = platforms.body_of(one.platform, one.word, **one.parts)
    return platforms.post(url, platforms.signed(one.platform, body, secret or "", int(time.time())), body)


def _enough(one: Crossing, arrivals: list[Arrival]) -> bool:
    return len(words(arrivals, one.mailbox)) >= len(one.words)


def _look(crossed: Crossed, stage: Stage) -> None:
    """Ask the server what became of the messages, once none of them waits and nothing is on its way."""
    end = time.monotonic() + ARRIVE_S
    while time.monotonic() < end:
        statuses = Counter(message["status"] for message in stage.all_of("/v1/messages"))
        under_way = [one for one in stage.all_of("/v1/deliveries") if one["status"] in {"pending", "leased"}]
        crossed.messages = dict(sorted(statuses.items()))
        if "received" not in statuses and not under_way:
            break
        time.sleep(_POLL_S)
    crossed.affiliates = len(list(stage.all_of("/v1/affiliates")))


def _differences(crossed: Crossed, stage: Stage, *, same_answer: bool) -> list[str]:
    one = crossed.crossing
    forgeable = one.platform not in platforms.SIGNS_NOTHING
    deliveries = Counter(delivery["status"] for delivery in stage.all_of("/v1/deliveries"))
    due = (
        ("the answer", crossed.taken, TAKEN),
        ("the answer to a forgery", crossed.forged, REFUSED if forgeable else None),
        ("the answer to a repeat", crossed.repeated, TAKEN),
        ("a repeat is answered alike", same_answer, True),
        (f"what {one.dialect} heard", crossed.heard, one.words),
        ("messages", crossed.messages, {"applied": 1, **({"rejected": 1} if forgeable else {})}),
        ("affiliates in the registry", crossed.affiliates, 1 if one.mode == "mirror" else 0),
        ("deliveries", dict(deliveries), {"delivered": len(one.words)}),
    )
    return [f"{one.platform} in: {what}: {found}, not {wanted}" for what, found, wanted in due if found != wanted]
