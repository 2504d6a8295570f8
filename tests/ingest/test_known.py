"""What the door remembers of a source is asked after, in a flood by one look for many, and never by one that came too early."""

import asyncio

from affwire.ingest.known import KnownSources
from affwire.services import sources


class Counting:
    """A store whose looks are counted."""

    def __init__(self, store):
        self.store, self.looks = store, 0

    async def read(self, work):
        self.looks += 1
        return await self.store.read(work)


def change(gate, source):
    gate.house.run(
        lambda tx: sources.update(tx, gate.house.organization, gate.house.dialects, source.id, {"name": "x"})
    )


def test_many_who_ask_at_one_time_share_a_look(gate):
    source, store = gate.source(), Counting(gate.house.store)
    known = KnownSources(store, gate.house.dialects)

    async def ask():
        return await asyncio.gather(*(known.is_current(source) for _ in range(50)))

    assert asyncio.run(ask()) == [True] * 50
    assert store.looks == 1


def test_who_asks_after_a_change_hears_of_it(gate):
    source = gate.source()
    known = KnownSources(gate.house.store, gate.house.dialects)

    async def ask():
        first = asyncio.create_task(known.is_current(source))
        await asyncio.sleep(0)
        change(gate, source)
        later = await known.is_current(source)
        await first
        return later, await known.is_current(source)

    assert asyncio.run(ask()) == (False, False)
