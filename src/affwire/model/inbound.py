"""The way in: sources, the messages they brought as they are kept, and what each platform calls a record.

A message is kept before anybody understands it; what became of it is its status and a sentence.
"""

from typing import Final, Literal

from msgspec import Struct, field

from affwire.model.endpoints import SealedSecret
from affwire.model.wire import Headers, Message

Mode = Literal["mirror", "relay"]
Match = Literal["email", "id"]
MessageStatus = Literal["received", "applied", "unchanged", "parked", "rejected", "quarantined"]

STATUSES: Final[dict[MessageStatus, str]] = {
    "received": "Kept, and waiting for its turn.",
    "applied": "It changed something; its events are named.",
    "unchanged": "It was read and changed nothing; the reason says why.",
    "parked": "It could not be read or carried out; it can be reprocessed.",
    "rejected": "It was not genuine. Only the latest of these are kept.",
    "quarantined": "Set aside by hand: it is neither processed nor dropped until it is released.",
}
"""What may become of a message."""

HOP_HEADER: Final = "Affwire-Hop"
"""The header that counts the installations of affwire which news went through, this one included."""
HOPS_MAX: Final = 5
"""A message that went through so many goes no further: a loop between installations ends here at the latest."""
EMAIL: Final = "email"
"""The namespace of identities that are addresses; every other namespace is a dialect's name."""


class Source(Struct, frozen=True, kw_only=True):
    """Where a platform's webhooks come in, and how its sender is known.

    `token_digest` finds it by its ingest URL; `token_sealed` lets the owner read that URL again. `seen`: genuine messages
    so far; `gap_ms`: the mean time between them, of late (None: fewer than two); `silent_since`: when it was last heard
    before it was found silent.
    """

    id: str
    organization_id: str
    number: int
    name: str | None = None
    dialect: str
    mode: Mode = "mirror"
    match: Match = "email"
    unverified: bool = False
    enabled: bool = True
    secrets: list[SealedSecret] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    token_digest: str
    token_sealed: str
    seen: int = 0
    last_message_at: int | None = None
    gap_ms: int | None = None
    silent_since: int | None = None
    created_at: int
    updated_at: int
    deleted_at: int | None = None


class Kept(Struct, frozen=True, kw_only=True):
    """One inbound request as it is kept. `body` is None once it is forgotten; `size` stays what it was, in bytes.

    `dedupe_key` None: it stands for itself alone. `events`: ids of the events it became. `hops`: how many installations
    of affwire it went through. `position` is its place in the order of arrival, given by the store.
    """

    id: str
    organization_id: str
    source_id: str
    dialect: str
    word: str | None = None
    dedupe_key: str | None = None
    status: MessageStatus = "received"
    reason: str | None = None
    headers: Headers = ()
    body: bytes | None = None
    size: int = 0
    received_at: int
    occurred_at: int | None = None
    settled_at: int | None = None
    affiliate_id: str | None = None
    events: list[str] = field(default_factory=list)
    hops: int = 0
    position: int = 0

    @property
    def message(self) -> Message:
        """The message as its dialect reads it; of a forgotten one there is an empty body."""
        return Message(headers=self.headers, body=self.body or b"")


class KnownAs(Struct, frozen=True, kw_only=True):
    """What a platform calls one of our records, and what it last told of it.

    `namespace`: the dialect, or EMAIL. `told_at`: the time of the latest telling (ms), None if none was told. `ended`: it
    told that the record is no more, and an older message does not bring it back. `status`: a membership's, as last told.
    """

    namespace: str
    kind: str
    value: str
    record_id: str
    told_at: int | None = None
    ended: bool = False
    status: str | None = None
