"""The real services over a real store in memory: what a test needs to act as a user would, without a door.

house = MemoryHouse()
program = house.act(programs.create, {"name": "Spring"})
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, create_mock_engine
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from affwire.dialects.base import Dialect
from affwire.model.deliveries import Delivery
from affwire.model.endpoints import Endpoint
from affwire.model.events import Actor, Event
from affwire.model.judged import JudgedUrl
from affwire.model.registry import Organization
from affwire.plugins import load_dialects
from affwire.services import endpoints, following, organizations
from affwire.services.actions import Action, Caller
from affwire.services.events import acting
from affwire.store import tables
from affwire.store.engines.sqlite import open_sqlite
from affwire.store.engines.sqlite_file import driver_of
from affwire.store.store import Store
from affwire.store.tx import Tx
from affwire.store.vault import Vault
from affwire.testing.world import FakeClock
from affwire.world import World

P = ParamSpec("P")
T = TypeVar("T")

TEST_KEY = bytes(range(32))


class MemoryHouse:
    """One organization over SQLite in memory, on a clock of its own; every call is one transaction on this thread."""

    def __init__(self, world: World | None = None, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.world = world or World(self.clock)
        self.vault = Vault(TEST_KEY)
        self.dialects: Mapping[str, Dialect] = dict(_dialects())
        self.store = open_memory_store(self.world, self.vault)
        self.organization = self.another("acme")

    def run(self, work: Callable[[Tx], T]) -> T:
        """Carry out a work in a transaction of its own."""
        return self.store.submit(work).result()

    def another(self, slug: str) -> Organization:
        """Create an organization in New York's time zone; `organization` names the one that acts."""
        fields = {"slug": slug, "name": slug.title(), "timezone": "America/New_York", "unlimited_endpoints": True}
        return self.run(lambda tx: organizations.create(tx, fields))[0]

    def act(self, do: Callable[Concatenate[Action, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Carry out a service's action as the operator, events and all."""
        return self.run(lambda tx: self._acted(tx, do, *args, **kwargs))

    def follow(self) -> None:
        """Have all rows follow what was decided about endpoints, as the dispatcher does piece by piece."""
        while self.run(following.step):
            pass

    def endpoint(self, dialect: str, url: JudgedUrl, **fields: Any) -> Endpoint:
        """Create an endpoint of that dialect."""
        wish = endpoints.Wish(url=url, fields=fields)
        return self.run(lambda tx: endpoints.create(tx, self.organization, self.dialects, dialect, wish))[0]

    def events(self) -> list[Event]:
        """Return the whole log."""
        entries = self.run(lambda tx: tx.log.page(self.organization.id, after=None, limit=1_000_000))
        return [entry.event for entry in entries]

    def deliveries(self, endpoint: Endpoint) -> list[Delivery]:
        """Return an endpoint's deliveries in order of recording."""
        page = self.run(
            lambda tx: tx.outbox.page(self.organization.id, before=None, limit=1_000_000, endpoint_id=endpoint.id)
        )
        return page[::-1]

    def _acted(self, tx: Tx, do: Callable[Concatenate[Action, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with acting(tx, Caller(self.organization.id, Actor("operator")), self.dialects) as action:
            return do(action, *args, **kwargs)


@cache
def _dialects() -> Mapping[str, Dialect]:
    return load_dialects()


def open_memory_store(world: World, vault: Vault) -> Store:
    """Return an empty store in memory: the test double of a store is SQLite itself."""

    def make_tx(connection: Connection) -> Tx:
        return Tx(connection, world, vault, world.now())

    return Store(open_sqlite(None, make_tx, prepare=_make_tables, inline=True))


def _make_tables(connection: Connection) -> None:
    """Make the tables of the code: worded once, for a suite has thousands of houses."""
    for statement in _statements():
        driver_of(connection).execute(statement)


@cache
def _statements() -> tuple[str, ...]:
    worded: list[str] = []
    dialect = SQLiteDialect()
    tables.metadata.create_all(
        create_mock_engine("sqlite://", lambda ddl, *_, **__: worded.append(str(ddl.compile(dialect=dialect)))),
        checkfirst=False,
    )
    return tuple(worded)
