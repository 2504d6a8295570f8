"""Versions: a record as it is shown has a tag, which changes when it does; whoever changes one may say which they saw.

Rule: it is compared in the transaction that writes, so that of two who saw the same only one wins.
"""

from hashlib import sha256
from typing import Any, Final

import msgspec

from affwire.errors import PreconditionFailed

_DIGITS: Final = 32


def tag(shown: Any) -> str:
    """Return the tag of what is shown of a record, its JSON or its bytes."""
    body = shown if isinstance(shown, bytes) else msgspec.json.encode(shown)
    return sha256(body).hexdigest()[:_DIGITS]


def check(shown: Any, seen: str) -> None:
    """Raise PreconditionFailed where a record is not as it was when its tag was `seen`."""
    if tag(shown) != seen:
        raise PreconditionFailed(
            "precondition_failed",
            "Somebody else changed this since you opened it. Open it again, and change what is still to be changed.",
        )
