"""A backlog put straight into the store of a new data directory, through the services: no server, no network."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from house import NETWORKS

from affwire.app import open_store
from affwire.destinations.guard import Guard, Rules
from affwire.model.events import Actor
from affwire.plugins import load_dialects
from affwire.services import endpoints, organizations, programs
from affwire.services.actions import Caller
from affwire.services.events import acting
from affwire.settings import Settings
from affwire.store.datadir import DataDir
from affwire.world import World

ENDPOINTS = 50
EVENTS_AT_ONCE = 20
"""Of one transaction: a thousand deliveries."""
TELL_EVERY = 100_000


def seed(folder: Path, urls: list[str], deliveries: int) -> Iterator[int]:
    """Make endpoints at `urls` and that many due deliveries for them; yield how many there are, now and then."""
    folder.mkdir()
    data_dir, dialects = DataDir(folder), load_dialects()
    with data_dir.lock():
        store = open_store(Settings(data_dir=folder, port=0), data_dir, World())
        guard = Guard(Rules.parse(NETWORKS))
        judged = [asyncio.run(guard.judge(url)) for url in urls]
        guard.close()

        def prepare(tx: Any) -> Any:
            fields = {"slug": "seeded", "name": "Seeded", "timezone": "UTC", "unlimited_endpoints": True}
            organization, _ = organizations.create(tx, fields)
            for url in judged:
                endpoints.create(tx, organization, dialects, "standard", endpoints.Wish(url=url))
            return organization

        organization = store.submit(prepare).result()

        def events(tx: Any) -> None:
            for _ in range(EVENTS_AT_ONCE):
                with acting(tx, Caller(organization.id, Actor("operator")), dialects) as action:
                    programs.create(action, {"name": "Spring"})

        step = EVENTS_AT_ONCE * len(urls)
        for done in range(step, max(deliveries, step) + 1, step):
            store.submit(events).result()
            if done % TELL_EVERY < step or done >= deliveries:
                yield done
        asyncio.run(store.close())
