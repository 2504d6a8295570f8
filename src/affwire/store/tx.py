"""One open transaction, with the room's books at hand: registry, log, outbox, attempts, keys, jobs, health.

It is given to a work (a plain function) by Store.run or Store.read, and is dead when the work returns.
"""

from sqlalchemy import Connection

from affwire.store.attempts import Attempts
from affwire.store.health import HealthBook
from affwire.store.jobs import Jobs
from affwire.store.keys import Keys
from affwire.store.log import Log
from affwire.store.outbox import Outbox
from affwire.store.registry import Registry
from affwire.store.vault import Vault
from affwire.world import World


class Tx:
    """A transaction. `now` (ms) is its one time: everything it writes happened then."""

    def __init__(self, connection: Connection, world: World, vault: Vault, now: int) -> None:
        self.connection = connection
        self.world = world
        self.vault = vault
        self.now = now
        self.woken = False
        self.registry = Registry(connection)
        self.log = Log(connection)
        self.outbox = Outbox(connection)
        self.attempts = Attempts(connection)
        self.keys = Keys(connection)
        self.jobs = Jobs(connection)
        self.health = HealthBook(connection)

    def wake(self) -> None:
        """Ask that the engine be woken once this is committed. A hint: polling would find the work too."""
        self.woken = True
