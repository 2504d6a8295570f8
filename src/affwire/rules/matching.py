"""Which sayings an endpoint has asked for: canonical names or the dialect's own words, `*` at the end allowed."""

from collections.abc import Sequence


def wanted(patterns: Sequence[str], event_type: str, word: str, *, explicit: bool) -> bool:
    """Return whether an endpoint with these `event_types` gets this word for this event. No patterns: everything.

    An `explicit` word is said only where a pattern names its family: "campaign.*" or "campaign.created", not "*"
    and not nothing (Rewardful's campaign events stand in no list of its own, so nobody gets them unasked).
    """
    if explicit:
        family = word.partition(".")[0]
        return any(pattern.startswith(family) and covers(pattern, word) for pattern in patterns)
    return not patterns or any(covers(pattern, event_type) or covers(pattern, word) for pattern in patterns)


def covers(pattern: str, name: str) -> bool:
    """Return whether a pattern, perhaps with `*` at its end, covers a name."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
