"""A platform that sends webhooks into a house: each message is kept and carried out at once, as the engine would."""

import json
from typing import Any

from affwire.model.inbound import Kept, Source
from affwire.model.wire import Message
from affwire.services import intake, sources
from affwire.testing import genuine
from affwire.testing.house import MemoryHouse


class Platform:
    """A source of a dialect in a house. Messages are samples with changes, or bodies."""

    def __init__(self, house: MemoryHouse, dialect: str, **fields: Any) -> None:
        self.house = house
        self.dialect = house.dialects[dialect]
        form = self.dialect.card.authentication.kind
        secret = {} if form == "none" else {"secret": genuine.secret_of(self.dialect)}
        made = {**secret, **fields}
        self.source: Source = house.run(
            lambda tx: sources.create(tx, house.organization, house.dialects, dialect, made)
        )

    def send(self, word: str, *, hops: int = 0, **changes: Any) -> Kept:
        """Bring in the sample of a word with changes (`object__email=...`); return the message as it was settled."""
        signed = genuine.request(self.dialect.card.name, word, at=self.house.clock.now(), **changes)
        return self.bring(signed.body, hops=hops)

    def bring(self, body: bytes | dict[str, Any], *, hops: int = 0) -> Kept:
        """Bring in a body."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        kept = Kept(
            id=self.house.world.new_id("message"),
            organization_id=self.house.organization.id,
            source_id=self.source.id,
            dialect=self.dialect.card.name,
            headers=(),
            body=raw,
            size=len(raw),
            received_at=self.house.clock.now(),
            hops=hops,
        )
        self.house.run(lambda tx: tx.inbox.keep([kept]))
        try:
            self.house.run(lambda tx: intake.process(tx, self.house.dialects, kept))
        except Exception as fault:  # noqa: BLE001 -- as the engine does
            self.house.run(lambda tx, fault=fault: intake.park(tx, kept, fault))
        settled = self.house.run(lambda tx: tx.inbox.get(self.house.organization.id, kept.id))
        assert settled is not None
        return settled

    def word(self, body: bytes) -> str:
        return self.dialect.identify(Message(headers=(), body=body)).word
