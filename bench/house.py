"""A whole affwire in the benchmark's process, over a data directory of its own: the real store, engine, guard and wire."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sink import Sink

from affwire.app import House, open_house
from affwire.model.events import Actor
from affwire.model.judged import JudgedUrl
from affwire.model.registry import Organization
from affwire.services import endpoints, organizations, programs
from affwire.services.actions import Caller
from affwire.services.events import acting
from affwire.settings import Settings

NETWORKS = "127.0.0.0/8"
UNNUMBERED = "Spring"


@dataclass
class Bench:
    """An open house, its organization and a receiver."""

    house: House
    organization: Organization
    receiver: Sink

    async def endpoint(self, path: str, **fields: Any) -> str:
        """Create a `standard` endpoint at the receiver; return its id."""
        url: JudgedUrl = await self.house.app.state.desk.guard.judge(self.receiver.url(path))
        wish = endpoints.Wish(url=url, fields=fields)
        made = await self.house.store.run(
            lambda tx: endpoints.create(tx, self.organization, self.house.dialects, "standard", wish)
        )
        return made[0].id

    async def change(self, name: str = UNNUMBERED) -> float:
        """Make one event: a program is created. Return when its transaction began (monotonic s)."""
        return await self.house.store.run(lambda tx: self._change(tx, name))

    async def changes(self, count: int, at_once: int = 64) -> None:
        """Make many events."""
        left = iter(range(count))

        async def worker() -> None:
            for _ in left:
                await self.change()

        await asyncio.gather(*(worker() for _ in range(at_once)))

    async def has_work(self) -> bool:
        """Return whether anything waits for its time, is let go or is under way; cheap enough to ask often."""

        def look(tx: Any) -> bool:
            return tx.following.any() or bool(tx.outbox.endpoints_with_work() or tx.outbox.leased())

        return await self.house.store.read(look)

    def _change(self, tx: Any, name: str) -> float:
        began = time.monotonic()
        with acting(tx, Caller(self.organization.id, Actor("operator")), self.house.dialects) as action:
            programs.create(action, {"name": name})
        return began


@asynccontextmanager
async def open_bench(
    folder: Path, receiver: Sink, database_url: str | None = None, *, engine: bool = True
) -> AsyncIterator[Bench]:
    """Open a house with one organization. Without `engine` what is made waits for the next house that is opened here."""
    settings = Settings(
        data_dir=folder, database_url=database_url, allow_networks=NETWORKS, ca_file=receiver.ca_file, port=0
    )
    async with open_house(settings, engine=engine) as house:
        found = await house.store.read(lambda tx: tx.registry.organizations())
        yield Bench(house, found[0] if found else await _founded(house), receiver)


async def _founded(house: House) -> Organization:
    fields = {"slug": "bench", "name": "Bench", "timezone": "UTC", "unlimited_endpoints": True}
    return (await house.store.run(lambda tx: organizations.create(tx, fields)))[0]
