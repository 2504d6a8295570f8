"""What a dialect may offer besides the contract: ids that are digests, made again from what they are made of.

Rule: nothing is sent by these; they let a search find by what receivers have, what nobody can turn back into ours.
"""

from typing import Protocol, runtime_checkable


@runtime_checkable
class NamesMessages(Protocol):
    """What a dialect offers besides, whose messages have ids that nobody can turn back into ours: by it they are searched for."""

    def message_id(self, event_id: str, word: str, subject: str) -> str:
        """Return the id by which a receiver knows what is said for an event, the same as `request` writes it."""
        ...


@runtime_checkable
class NamesPeople(Protocol):
    """What a dialect offers besides that calls people by a digest of their address: by it they are searched for."""

    def affiliate_id(self, address: str) -> str:
        """Return what somebody with this e-mail address is called, the same as `request` writes it."""
        ...
