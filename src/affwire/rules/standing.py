"""Insert Affiliate's "added to your company", as a yes or no that requests switch (contracts A1, "standing").

Begins: the organization creates the affiliate itself, a membership is activated, the account becomes active.
Ends: the affiliate is deleted, the account becomes disabled or rejected, the last accepted membership ends.
"""

from collections.abc import Iterable
from typing import Final

from affwire.rules.lifecycle import is_member

_ENDING_STATUSES: Final = frozenset({"disabled", "rejected"})


def at_creation(account: str, *, pending_request: bool) -> bool:
    """Return whether an affiliate stands from the start: an account in order, and no request still to be decided."""
    return account in {"active", "suspicious"} and not pending_request


def after_account(standing: bool, before: str, after: str) -> bool:
    """Return the standing after the account's status went from `before` to `after`."""
    if before == after:
        return standing
    if after in _ENDING_STATUSES:
        return False
    return standing or after == "active"


def after_membership(standing: bool, before: str | None, after: str, others: Iterable[str]) -> bool:
    """Return the standing after one membership went from `before` to `after`; `others`: the other ones' statuses."""
    if after == "active":
        return True
    ended = is_member(before) and not is_member(after)
    if ended and not any(is_member(status) for status in others):
        return False
    return standing
