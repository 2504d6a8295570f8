"""The last scene: a platform's messages come in at the demo's own organization, so that its console shows both directions.

Rule: it plays once everything is counted; what it makes happen is in no score, only what it finds wrong is.
"""

import json
import secrets
import time
from collections import Counter
from functools import partial
from typing import Final

from affwire.cli.demo import platforms
from affwire.cli.demo.crossing import KEY_BYTES, REFUSED, TAKEN
from affwire.cli.demo.play import ARRIVE_S
from affwire.cli.demo.stage import Stage

PLATFORM: Final = "tamio"
APPROVED: Final = "affiliate-approved"
UNREADABLE: Final = {"event_id": "whev_0000000000000000a", "event_type": APPROVED, "api_version": 2, "data": {}}
"""Signed as it must be, and without the affiliate that it tells of: it is parked, and somebody has to look."""
DUE: Final = {"applied": 1, "parked": 1, "rejected": 1}
_POLL_S: Final = 0.02


def play(address: str, stage: Stage) -> tuple[str, ...]:
    """Have one message refused, one parked and one carried out; return what is not as it must be."""
    secret = platforms.secret_of(PLATFORM, secrets.token_bytes(KEY_BYTES)) or ""
    source = stage.client.post("/v1/sources", {"dialect": PLATFORM, "mode": "mirror", "secret": secret})
    send = partial(_status, address + source["ingest_url"])
    approved = platforms.body_of(PLATFORM, APPROVED)
    answers = (
        send(approved, secrets.token_hex(KEY_BYTES)),
        send(json.dumps(UNREADABLE).encode(), secret),
        send(approved, secret),
    )
    became = _became(stage)
    wanted = (REFUSED, TAKEN, TAKEN)
    return (
        *([] if answers == wanted else [f"messages at home were answered {answers}, not {wanted}"]),
        *([] if became == DUE else [f"messages at home became {became}, not {DUE}"]),
    )


def _status(url: str, body: bytes, secret: str) -> int:
    return platforms.post(url, platforms.signed(PLATFORM, body, secret, int(time.time())), body).status


def _became(stage: Stage) -> dict[str, int]:
    """Return how many messages have which status, once none of them has to be processed any more."""
    end = time.monotonic() + ARRIVE_S
    while True:
        found = Counter(message["status"] for message in stage.all_of("/v1/messages"))
        if "received" not in found or time.monotonic() > end:
            return dict(sorted(found.items()))
        time.sleep(_POLL_S)
