"""What to do with a mail after a try: like a delivery, but what the relay refuses for good is not tried again."""

from typing import Final

from affwire.model.wire import Limits, Outcome
from affwire.rules.delivery import Verdict, settle
from affwire.rules.retry import Policy

SCHEDULE: Final = (60.0, 300.0, 1800.0, 7200.0, 21_600.0, 43_200.0, 86_400.0)
"""Seconds between tries: two days, as mail servers keep trying each other, and well before a link's end."""
LIMITS: Final = Limits(connect_ms=10_000, read_ms=15_000, total_ms=20_000)
"""A whole session with the relay; no longer than a graceful stop drains."""
LEASE_MS: Final = 30_000
"""How long a claim is good for: a session's longest, and time to settle."""

_POLICY: Final = Policy(retry_schedule=SCHEDULE)
_FOR_GOOD: Final = Policy(retry_schedule=())
_PERMANENT: Final = range(500, 600)
_OURS: Final = frozenset({530, 534, 535, 538})
"""RFC 4954: our name or password is wrong. The operator mends that, and the mail is still wanted."""


def verdict(outcome: Outcome, steps: int, *, now: int, roll: float) -> Verdict:
    """Decide on a mail that has used `steps` steps; an end that we never learned costs one too, so that copies are few."""
    status = outcome.response.status if outcome.response else 0
    refused = outcome.error == "encode" or (status in _PERMANENT and status not in _OURS)
    counted = Outcome(error="protocol") if outcome.error == "cut" else outcome
    return settle(counted, _FOR_GOOD if refused else _POLICY, steps, now=now, roll=roll)
