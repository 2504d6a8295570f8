"""A URL the guard has judged. Only the guard makes one, so a URL that has not been judged cannot be stored.

The seal is a promise between rooms, not a lock: a test holds that nobody but the guard names it.
"""

from dataclasses import InitVar, dataclass
from typing import Final

from affwire.errors import Broken

GUARD_SEAL: Final = object()
"""What the guard shows to make a JudgedUrl. No other module may name it."""


@dataclass(frozen=True, slots=True)
class JudgedUrl:
    """A URL that was fit to dial when it was judged; the judgement at dial time decides.

    `url` is the normalised text: lower-case ASCII host, no default port, no fragment. `host` is a name, or an address
    without brackets. `warning` is a sentence for the owner when the name had no address yet.
    Raises Broken without the guard's seal.
    """

    url: str
    host: str
    warning: str | None
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not GUARD_SEAL:
            raise Broken("url_not_judged", "A JudgedUrl is made by the guard alone: use Guard.judge.")
