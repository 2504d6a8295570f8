"""One open transaction, with the room's books at hand, from the registry and the log to the inbox.

It is given to a work (a plain function) by Store.run or Store.read, and is dead when the work returns.
"""

from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection

from affwire.store.applications import Applications
from affwire.store.attempts import Attempts
from affwire.store.browse import Browse
from affwire.store.figures import Figures
from affwire.store.following import Following
from affwire.store.health import HealthBook
from affwire.store.hot import Hot
from affwire.store.identities import Identities
from affwire.store.inbox import Inbox
from affwire.store.jobs import Jobs
from affwire.store.keys import Keys
from affwire.store.log import Log
from affwire.store.mails import Mails
from affwire.store.outbox import Outbox
from affwire.store.people import People
from affwire.store.registry import Registry
from affwire.store.sealing import TxVault
from affwire.store.sources import Sources
from affwire.store.vault import Vault
from affwire.world import World

_HOLD: Final = Hot("SELECT 1 FROM organizations WHERE id = :id FOR NO KEY UPDATE")
_ONLY_ONE: Final = Hot("SELECT pg_try_advisory_xact_lock(hashtextextended(:task, 2))")


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
        self.vault = TxVault(vault, connection)
        self.now = now
        # By how much the database's clock is ahead of this machine's: what is written is told in the database's.
        self.skew_ms = 0 if self.alone else now - world.now()
        self.by = "affwire"
        self.news: list[News] = []
        self.woken = False
        self._held: set[str] = set()
        self.registry = Registry(connection)
        self.log = Log(connection)
        self.outbox = Outbox(connection)
        self.following = Following(connection)
        self.attempts = Attempts(connection)
        self.keys = Keys(connection)
        self.jobs = Jobs(connection)
        self.health = HealthBook(connection)
        self.sources = Sources(connection)
        self.inbox = Inbox(connection, now)
        self.identities = Identities(connection)
        self.mails = Mails(connection)
        self.applications = Applications(connection, self.vault)
        self.people = People(connection)
        self.browse = Browse(connection)
        self.figures = Figures(connection)

    @property
    def alone(self) -> bool:
        """Whether nobody else can be writing: SQLite has one writer."""
        return self.connection.dialect.name == "sqlite"

    def hold(self, organization_id: str) -> None:
        """Have an organization to ourselves until the commit; whoever else wants it waits. Before anything is read.

        So nothing that was read under it is stale, and its events are committed in the order of their positions.
        """
        if not self.alone and organization_id not in self._held:
            _HOLD.run(self.connection, {"id": organization_id})
            self._held.add(organization_id)

    def only_one(self, task: str) -> bool:
        """Whether this transaction may do what one process at a time should; until the commit no other may."""
        if self.alone:
            return True
        [ours] = _ONLY_ONE.run(self.connection, {"task": task}).fetchone() or (False,)
        return bool(ours)

    def wake(self) -> None:
        """Ask that the engine be woken once this is committed. A hint: polling would find the work too."""
        self.woken = True

    def tell(self, name: str, *, warns: bool = False, **facts: Any) -> None:
        """Have this logged once it is committed, with who asked for it. Never a secret, never a body."""
        self.news.append(News(name, {**facts, "by": self.by}, warns))
