"""What can go wrong, split by whose fault it is.

Refused: the caller's. NotGenuine: a stranger's. Undecodable and Unencodable: a dialect's.
Broken: ours. The far side's faults are no exceptions at all: they are Outcome values.
"""

from typing import Any, ClassVar


class AffwireError(Exception):
    """Something went wrong inside affwire.

    `code` is stable and documented, `facts` are structured (which id, which field, what is legal),
    the sentence may improve. The class docstring is the default sentence. Never put a secret or a body in either.
    """

    http_status: ClassVar[int] = 500

    def __init__(self, code: str, sentence: str | None = None, **facts: Any) -> None:
        self.code = code
        self.sentence = sentence or (type(self).__doc__ or "").split("\n", 1)[0]
        self.facts = facts
        super().__init__(f"{self.sentence} [{code}]")


class Refused(AffwireError):
    """The request cannot be carried out as asked."""

    http_status = 422


class Malformed(Refused):
    """The request cannot be read: its body is no JSON in UTF-8, or its URL says nothing clear."""

    http_status = 400


class NotFound(Refused):
    """No such record in this organization."""

    http_status = 404


class WrongMethod(Refused):
    """What is there does not take that method. The fact `allow`: those it takes."""

    http_status = 405


class Conflict(Refused):
    """The request contradicts the present state."""

    http_status = 409


class Forbidden(Refused):
    """This key may not do that."""

    http_status = 403


class Unauthorized(Refused):
    """A valid API key is needed: Authorization: Bearer <key>."""

    http_status = 401


class PreconditionFailed(Refused):
    """The record is not as If-Match or If-None-Match says: read it again."""

    http_status = 412


class TooMany(Refused):
    """This key has sent too many requests; wait as long as Retry-After says."""

    http_status = 429


class TooLarge(Refused):
    """The body is larger than the limit."""

    http_status = 413


class Busy(Refused):
    """The store cannot take more work just now; try again shortly."""

    http_status = 503


class NotGenuine(AffwireError):
    """The message is not what its sender would have signed."""

    http_status = 401


class Undecodable(AffwireError):
    """The message is genuine, but its dialect cannot read it."""

    http_status = 422


class Unencodable(AffwireError):
    """The dialect cannot put this event into words."""


class Broken(AffwireError):
    """An invariant of affwire itself does not hold."""
