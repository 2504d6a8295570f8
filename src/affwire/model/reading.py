"""What a platform's message says, in our words: a Snapshot of which only some fields were told.

A dialect decodes a message into a Reading; the mirror, the relay and `convert` all start from it.
"""

from typing import Any, Literal

from msgspec import Struct

Kind = Literal["organization", "program", "affiliate", "membership", "group", "link", "promo_code"]


class Told(Struct, frozen=True, kw_only=True):
    """One record as a platform told it.

    `id` is the platform's own id as text, None where it has none. `fields` hold canonical names and values (times in
    ms): a field that was not told is absent, one that was told to be empty is None.
    """

    kind: Kind
    id: str | None = None
    fields: dict[str, Any] = {}


class ToldMembership(Struct, frozen=True, kw_only=True):
    """A membership with what was told around it. Its `told.id` is None where the platform knows it only by its parents.

    `program` is None if not even its id was told (Tamio's affiliate-removed). `promo_codes` None: not told at all.
    """

    told: Told
    program: Told | None = None
    group: Told | None = None
    promo_codes: tuple[Told, ...] | None = None


class Reading(Struct, frozen=True, kw_only=True):
    """A decoded message: what happened, when, and every record it tells of.

    `events` are canonical types in the order of contracts A1, the message's own among them; empty: a word that means
    nothing to us, which is kept and shown. `own` is the place in `memberships` of the one the events are about.
    `occurred_at` is None where the platform tells no time. `links` None: not told. `unread` are the paths of the body
    that no canonical field stands for. `whole`: the platform has no other memberships of this affiliate than those told.
    """

    word: str
    events: tuple[str, ...] = ()
    event_id: str | None = None
    occurred_at: int | None = None
    organization: Told | None = None
    program: Told | None = None
    affiliate: Told | None = None
    memberships: tuple[ToldMembership, ...] = ()
    own: int | None = None
    links: tuple[Told, ...] | None = None
    previous: dict[str, Any] = {}
    unread: tuple[str, ...] = ()
    whole: bool = False

    @property
    def membership(self) -> ToldMembership | None:
        """The membership the message is about, if it is about one."""
        return None if self.own is None else self.memberships[self.own]
