"""Who takes part: an organization, an endpoint of every dialect, and three receivers with whom something is wrong."""

import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from affwire.cli.client import Client
from affwire.cli.demo.a1 import DIALECTS
from affwire.cli.demo.receiver import HANG, Mailbox, Receiver
from affwire.cli.demo.verify import GROWI_HEADER

FLAKY, SLOW, GONE = "flaky", "slow", "gone"
TROUBLED: Final = (FLAKY, SLOW, GONE)
FLAKY_WAITS_S: Final = (0.3, 0.6)
SLOW_TIMEOUT_S: Final = 2.0
"""Long enough for a busy machine to connect, short enough to be seen."""
FAREWELL_S: Final = 10.0
"""A 410 from loopback is recorded within milliseconds; a busy machine is given its time."""
_ORDERED: Final = {"ordering": "affiliate"}
IN_ORDER: Final = {"policy": _ORDERED}
"""What an endpoint is given so that it hears of each affiliate in the order of recording."""


@dataclass(frozen=True, slots=True)
class Part:
    """An endpoint to be: its name is also the mailbox's path."""

    name: str
    dialect: str
    description: str
    answers: tuple[int, ...]
    wish: dict[str, Any]


def parts() -> list[Part]:
    """Return every endpoint of the demo."""
    usual = [Part(name, name, f"the {name} receiver", (200,), IN_ORDER) for name in DIALECTS]
    return [
        *usual,
        Part(
            FLAKY,
            "standard",
            "fails twice, then heals",
            (500, 500, 200),
            {"event_types": ["program.*"], "policy": {"retry_schedule": FLAKY_WAITS_S, **_ORDERED}},
        ),
        Part(
            SLOW,
            "standard",
            "never answers, and gets no retries",
            (HANG,),
            {"event_types": ["program.created"], "policy": {"retry_schedule": [], "total_timeout": SLOW_TIMEOUT_S}},
        ),
        Part(GONE, "standard", "answers 410: it wants no more", (410,), {"event_types": ["program.*"]}),
    ]


def found_organization(operator: Client, slug: str = "demo", name: str = "Demo") -> str:
    """Create an organization and return its key."""
    wish = {"slug": slug, "name": name, "timezone": "America/New_York"}
    return str(operator.post("/v1/organizations", wish)["api_key"])


def engage(client: Client, receiver: Receiver) -> dict[str, str]:
    """Create every endpoint, each with a mailbox that knows its secret; return name -> endpoint id."""
    return {part.name: engaged(client, receiver, part) for part in parts()}


def await_farewell(client: Client, endpoints: dict[str, str], timeout_s: float = FAREWELL_S) -> None:
    """Wait until the first 410 has disabled its endpoint; what is recorded from then on is held. The score tells if not."""
    end = time.monotonic() + timeout_s
    while client.get(f"/v1/endpoints/{endpoints[GONE]}")["enabled"] and time.monotonic() < end:
        time.sleep(0.01)


def engaged(client: Client, receiver: Receiver, part: Part) -> str:
    """Create one endpoint with its mailbox; return its id."""
    token = secrets.token_urlsafe(24)
    url = f"https://127.0.0.1:{receiver.port}/{part.name}"
    wish = {"url": url, "dialect": part.dialect, "description": part.description, **part.wish, **_unsigned(part, token)}
    made = client.post("/v1/endpoints", wish)
    receiver.open(Mailbox(part.name, part.dialect, made.get("secret", token), part.answers))
    return str(made["id"])


def _unsigned(part: Part, token: str) -> dict[str, Any]:
    """Return what stands in for a signature in the two dialects that sign nothing."""
    match part.dialect:
        case "growi":
            return {"headers": {GROWI_HEADER: token}}
        case "insert_affiliate":
            return {"bearer_token": token}
    return {}
