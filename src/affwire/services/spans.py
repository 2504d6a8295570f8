"""Spans of time that somebody asks for: one begins in the past, or nothing could ever be in it."""

from typing import Final, Literal

from affwire.errors import Refused

AHEAD_MS: Final = 86_400_000
"""How far a beginning may lie ahead: clocks differ, and so do the days of time zones; a mistyped year is farther off."""


def begun(since: int | None, now: int, place: Literal["parameter", "field"] = "parameter") -> int | None:
    """Return the beginning of a span (ms). Raises Refused("invalid_time") for one that is not begun and does not begin soon."""
    if since is not None and since > now + AHEAD_MS:
        raise Refused("invalid_time", "since lies in the future: nothing is there yet.", **{place: "since"})
    return since
