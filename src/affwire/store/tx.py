"""One open transaction, with the room's books at hand, from the registry and the log to the inbox.

It is given to a work (a plain function) by Store.run or Store.read, and is dead when the work returns.
"""

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from affwire.store.attempts import Attempts
from affwire.store.health import HealthBook
from affwire.store.identities import Identities
from affwire.store.inbox import Inbox
from affwire.store.jobs import Jobs
from affwire.store.keys import Keys
from affwire.store.log import Log
from affwire.store.outbox import Outbox
from affwire.store.registry import Registry
from affwire.store.sources import Sources
from affwire.store.vault import Vault
from affwire.world import World


class News(Struct, frozen=True):
    """Something that an operator may want to know of: one line of the log, once it is committed."""

    name: str
    facts: dict[str, Any]
    warns: bool = False


class Tx:
    """A transaction. `now` (ms) is its one time: everything it writes happened then. `by`: who asked for it."""

    def __init__(self, connection: Connection, world: World, vault: Vault, now: int) -> None:
        self.connection = connection
        self.world = world
        self.vault = vault
        self.now = now
        self.by = "affwire"
        self.news: list[News] = []
        self.woken = False
        self.registry = Registry(connection)
        self.log = Log(connection)
        self.outbox = Outbox(connection)
        self.attempts = Attempts(connection)
        self.keys = Keys(connection)
        self.jobs = Jobs(connection)
        self.health = HealthBook(connection)
        self.sources = Sources(connection)
        self.inbox = Inbox(connection, now)
        self.identities = Identities(connection)

    def wake(self) -> None:
        """Ask that the engine be woken once this is committed. A hint: polling would find the work too."""
        self.woken = True

    def tell(self, name: str, *, warns: bool = False, **facts: Any) -> None:
        """Have this logged once it is committed, with who asked for it. Never a secret, never a body."""
        self.news.append(News(name, {**facts, "by": self.by}, warns))
