"""Pages of lists: {"data": [...], "next_cursor": ...}. A cursor is the place after which the next page begins."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from affwire.errors import Refused

T = TypeVar("T")

LIMIT_MAX: Final = 200
"""Records of one page: an answer of usual records stays well under a megabyte."""
PAGE_BYTES_MAX: Final = 1_048_576
"""Bytes of events that one page of the feed loads: whoever has large records gets shorter pages."""
LIMIT_DEFAULT: Final = 50
_POSITION_MAX: Final = 2**63 - 1
_CURSOR_MAX: Final = 100

FilterText = Annotated[str, Field(max_length=300)]


class Page(BaseModel):
    """The query of every list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX, description="Records per page.")] = LIMIT_DEFAULT
    cursor: Annotated[
        str | None, Field(max_length=_CURSOR_MAX, description="`next_cursor` of the page before; opaque.")
    ] = None

    @property
    def position(self) -> int | None:
        """The number or position after which this page begins; raises Refused("invalid_cursor")."""
        return None if self.cursor is None else place_of(self.cursor)

    @property
    def place(self) -> str | None:
        """The id after which this page begins; raises Refused("invalid_cursor")."""
        return None if self.cursor is None else _opened(self.cursor)

    def filled(
        self, load: Callable[[int], Sequence[T]], place: Callable[[T], int | str], show: Callable[[T], Any]
    ) -> Any:
        """Return the page: `load` returns up to so many records, `place` tells where one stands."""
        rows = load(self.limit + 1)
        here = rows[: self.limit]
        following = cursor(place(here[-1])) if len(rows) > self.limit else None
        return {"data": [show(row) for row in here], "next_cursor": following}


def place_of(cursor: str) -> int:
    """Return the number or position of a cursor; raises Refused("invalid_cursor")."""
    text = _opened(cursor) if len(cursor) <= _CURSOR_MAX else ""
    if not (text.isascii() and text.isdigit() and int(text) <= _POSITION_MAX):
        raise _bad_cursor()
    return int(text)


def cursor(place: int | str) -> str:
    """Return the cursor of a place."""
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def _opened(text: str) -> str:
    try:
        raw = text.encode("ascii")
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (UnicodeError, binascii.Error):
        raise _bad_cursor() from None


def _bad_cursor() -> Refused:
    return Refused("invalid_cursor", "The cursor is not one that a page before this answered.", parameter="cursor")
