"""What is kept of one request: the attempt on record, whoever sent it. Secrets never reach it."""

from typing import Final

from affwire.dialects.base import Attempt, Recipient
from affwire.model.deliveries import AttemptRecord
from affwire.model.wire import Headers, Limits, Outcome, OutcomeKind, Request
from affwire.rules import delivery as verdicts
from affwire.rules.retry import Policy
from affwire.services import journal

_KINDS: Final[dict[type[verdicts.Verdict], OutcomeKind]] = {verdicts.Delivered: "ok", verdicts.Unknown: "unknown"}

_NONE: Final[frozenset[str]] = frozenset()


def limits(policy: Policy) -> Limits:
    """Return a policy's deadlines as the wire takes them."""
    return Limits(
        connect_ms=round(policy.connect_timeout * 1000),
        read_ms=round(policy.read_timeout * 1000),
        total_ms=round(policy.total_timeout * 1000),
    )


def record(
    attempt: Attempt,
    request: Request | None,
    outcome: Outcome,
    verdict: verdicts.Verdict,
    *,
    delivery_id: str,
    recipient: Recipient,
    own: Headers,
    ended_at: int,
) -> AttemptRecord:
    """Return the attempt as it is kept; `own`: the owner's extra headers, whose values are masked. Times in ms."""
    response = outcome.response
    return AttemptRecord(
        delivery_id=delivery_id,
        number=attempt.number,
        id=attempt.id,
        started_at=attempt.at,
        ended_at=ended_at,
        outcome=_KINDS.get(type(verdict), "failed"),
        status_code=response.status if response else None,
        error=outcome.error or (None if isinstance(verdict, verdicts.Delivered) else "status"),
        detail=outcome.detail or None,
        timings=outcome.timings,
        request=journal.kept_request(request, frozenset(name for name, _ in own) if own else _NONE)
        if request
        else None,
        response=journal.kept_response(response, _secrets(recipient, own)) if response else None,
    )


def _secrets(recipient: Recipient, own: Headers) -> tuple[str, ...]:
    """What a receiver might echo and nobody should read: the secrets, the token, the owner's own headers."""
    token = (recipient.bearer_token,) if recipient.bearer_token else ()
    return (*recipient.secrets, *token, *(value for _, value in own))
