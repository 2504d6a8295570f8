"""What the tests of the door share: the door over a real store in memory, sources of every kind, and ways to knock."""

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from affwire.ingest.app import Door
from affwire.model.inbound import Source
from affwire.services import sources
from affwire.testing.house import MemoryHouse

SECRET = "a-secret-of-the-platform"
EXAMPLE = {
    "object": {"id": "a1", "email": "jane@example.com", "first_name": "Jane", "last_name": "Doe"},
    "event": {"id": "e1", "type": "affiliate.created", "created_at": "2026-02-25T06:00:00.000Z", "api_version": "v1"},
    "request": {"id": "r1"},
}
GROWI = {
    "event": "campaign_affiliate.activated",
    "occurred_at": "2026-02-25T01:00:00-05:00",
    "campaign_affiliate_id": 1,
    "campaign_id": 2,
    "organization_id": 3,
    "user_id": 4,
    "status": "active",
}


@dataclass
class Said:
    """What the door answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def behind(scope: Any, receive: Any, send: Any) -> None:
    """Stands for the API."""
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"behind"})


@dataclass
class Gate:
    """A house with a door. Its own loop runs for each knock."""

    house: MemoryHouse = field(default_factory=MemoryHouse)

    def __post_init__(self) -> None:
        self.door = Door(behind, self.house.store, self.house.dialects, self.house.world)

    def source(self, dialect: str = "rewardful", **fields: Any) -> Source:
        """Create a source; one that signs has the tests' secret."""
        if dialect == "rewardful" and "unverified" not in fields:
            fields = {"secret": SECRET, **fields}
        return self.house.run(
            lambda tx: sources.create(tx, self.house.organization, self.house.dialects, dialect, fields)
        )

    def update(self, source: Source, **fields: Any) -> Source:
        """Change a source."""
        return self.house.run(
            lambda tx: sources.update(tx, self.house.organization, self.house.dialects, source.id, fields)
        )

    def path(self, source: Source) -> str:
        """Return its ingest path."""
        return self.house.run(lambda tx: sources.ingest_path(tx, source))

    def kept(self, **filters: Any) -> list[Any]:
        """Return what is kept, the oldest first, bodies and all."""

        def work(tx: Any) -> list[Any]:
            page = tx.inbox.page(self.house.organization.id, before=None, limit=10_000, **filters)
            return [tx.inbox.get(self.house.organization.id, one.id) for one in page[::-1]]

        return self.house.run(work)

    def knock(self, path: str, body: bytes | list[bytes] = b"{}", **request: Any) -> Said | None:
        """Send one request; None if nothing was answered."""
        return asyncio.run(knocked(self.door, path, body, **request))

    def signed(self, source: Source, body: bytes, secret: str = SECRET, **request: Any) -> Said | None:
        """Send a body as Rewardful signs it."""
        signature = ("x-rewardful-signature", hmac.digest(secret.encode(), body, hashlib.sha256).hex())
        return self.knock(self.path(source), body, headers=[signature], **request)


async def knocked(
    door: Door,
    path: str,
    body: bytes | list[bytes] = b"{}",
    *,
    method: str = "POST",
    headers: Any = (),
    leaves: bool = False,
    hangs: bool = False,
) -> Said | None:
    """Send one request to the door, in as many pieces as its body has."""
    pieces = body if isinstance(body, list) else [body]
    arriving = [
        {"type": "http.request", "body": piece, "more_body": nth < len(pieces) or leaves or hangs}
        for nth, piece in enumerate(pieces, start=1)
    ]
    told: list[Any] = []

    async def receive() -> Any:
        if arriving:
            return arriving.pop(0)
        if hangs:
            await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        told.append(message)

    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await door({"type": "http", "method": method, "path": path, "headers": raw}, receive, send)
    if not told:
        return None
    shown = {name.decode(): value.decode() for name, value in told[0]["headers"]}
    return Said(told[0]["status"], shown, b"".join(one.get("body", b"") for one in told[1:]))


def example(**event: Any) -> bytes:
    """Return a message as Rewardful writes it."""
    return json.dumps({**EXAMPLE, "event": {**EXAMPLE["event"], **event}}).encode()
