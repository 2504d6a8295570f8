"""A refusal as RFC 9457 tells it (application/problem+json): the same at every door.

Rule: it never echoes what was sent and never shows a traceback.
"""

from typing import Any, Final, Self

import msgspec
from msgspec import Struct

from affwire.errors import Busy, Refused, TooMany, WrongMethod

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1
"""What a busy store asks for: its line is worked off within a second (store.engines.base.Limits)."""


class Problem(Struct, frozen=True, kw_only=True):
    """One problem; `facts` become members of their own (`existing_id`, `legal`, `known`)."""

    status: int
    code: str
    detail: str
    request_id: str
    errors: tuple[dict[str, str], ...] = ()
    facts: dict[str, Any] = {}
    headers: dict[str, str] = {}

    @classmethod
    def of(cls, error: Refused, request_id: str) -> Self:
        """Return the problem that a refusal is. Its facts `field` and `parameter` become the place of the error."""
        facts = dict(error.facts)
        field, parameter = facts.pop("field", None), facts.pop("parameter", None)
        where = {"pointer": f"/{field}"} if field else {"parameter": parameter} if parameter else None
        errors = ({**where, "code": error.code, "detail": error.sentence},) if where else ()
        return cls(
            status=error.http_status,
            code=error.code,
            detail=error.sentence,
            request_id=request_id,
            errors=errors,
            facts=facts,
            headers=headers(error),
        )

    @classmethod
    def internal(cls, request_id: str) -> Self:
        """Return what is told of a fault of ours."""
        return cls(
            status=500,
            code="internal_error",
            detail=f"affwire failed here; the log has the reason under {request_id}.",
            request_id=request_id,
        )

    def body(self, title: str) -> bytes:
        """Return the answer's body. `title`: what HTTP calls its status."""
        members = {
            "type": "about:blank",
            "title": title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": self.request_id,
        }
        if self.errors:
            members["errors"] = self.errors
        return msgspec.json.encode({**self.facts, **members})


def headers(error: Refused) -> dict[str, str]:
    """Return the headers that go with a refusal, whatever its body: how to be let in, when to come again, what is allowed."""
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.facts["retry_after"])}
    if isinstance(error, Busy):
        return {"Retry-After": str(RETRY_AFTER_S)}
    if isinstance(error, WrongMethod):
        return {"Allow": ", ".join(error.facts["allow"])}
    return {"WWW-Authenticate": "Bearer"} if error.http_status == 401 else {}  # noqa: PLR2004 -- RFC 9110, 11.6.1
