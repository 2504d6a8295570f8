"""What is kept of one request: the attempt on record, whoever sent it. Secrets never reach it."""

from typing import Any, Final

from affwire.dialects.base import Attempt, Recipient
from affwire.model.deliveries import AttemptRecord
from affwire.model.wire import Headers, Limits, Outcome, OutcomeKind, Request
from affwire.rules import delivery as verdicts
from affwire.rules.retry import Policy
from affwire.services import journal
from affwire.services.deliveries import Result

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


def line(result: Result, *, fits: bool) -> dict[str, Any]:
    """Return what the log tells of one attempt; `fits`: its claim still held."""
    claim, attempt = result.claim, result.attempt
    return {
        "id": claim.delivery.id,
        "event_id": claim.event.id,
        "endpoint_id": claim.endpoint.id,
        "dialect": claim.endpoint.dialect,
        "word": claim.delivery.word,
        "attempt": attempt.number,
        "outcome": attempt.outcome,
        "status": attempt.status_code,
        "error": attempt.error,
        "ms": attempt.ended_at - attempt.started_at,
        "verdict": type(result.verdict).__name__.lower() if fits else "stale",
    }


def _secrets(recipient: Recipient, own: Headers) -> tuple[str, ...]:
    """What a receiver might echo and nobody should read: the secrets, the token, the owner's own headers."""
    token = (recipient.bearer_token,) if recipient.bearer_token else ()
    return (*recipient.secrets, *token, *(value for _, value in own))
