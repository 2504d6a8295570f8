"""The vault in a transaction: which key the database is under, and how it comes under another while processes run.

Rule: whoever seals holds the name of the key until the commit; so after a change of keys nothing is sealed under the former.
"""

from typing import Final

from sqlalchemy import Connection, select, text, update

from affwire.errors import Conflict
from affwire.store.tables import meta
from affwire.store.vault import CHECK_NAME, CHECK_TEXT, Vault, key_of

_CURRENT: Final = select(meta.c.value).where(meta.c.name == CHECK_NAME)
_NO_STARTS: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('affwire prepare', 0))")
"""Whoever starts meanwhile waits, and then finds the new key in force (engines/postgres_writer.py)."""
_IGNORANT: Final = text("""
    SELECT DISTINCT coalesce(host(client_addr), 'its own machine') FROM pg_stat_activity
    WHERE datname = current_database() AND starts_with(application_name, 'affwire ')
        AND strpos(application_name, :former) > 0 AND strpos(application_name, :new) = 0
""")


class TxVault:
    """Seals under the key that the database is under, and opens under every key of the process."""

    def __init__(self, vault: Vault, connection: Connection) -> None:
        self._vault = vault
        self._connection = connection

    @property
    def key_id(self) -> str:
        """The name of the process's own key: in a rotation, the new one."""
        return self._vault.key_id

    def seal(self, plain: bytes, context: str) -> str:
        """As Vault.seal, under the database's key. Who rotates waits for this transaction, so none is sealed under the former."""
        sealed = self._connection.execute(_CURRENT.with_for_update(read=True)).scalar()
        return self._vault.seal(plain, context, None if sealed is None else key_of(sealed))

    def open(self, sealed: str, context: str) -> bytes:
        """As Vault.open."""
        return self._vault.open(sealed, context)

    def reseal(self, sealed: str, context: str) -> str:
        """Return the same secret sealed under the database's key; raises as `open`."""
        return self.seal(self.open(sealed, context), context)

    def adopt(self) -> None:
        """Put the database under the vault's own key: from this commit on every process seals under it.

        Raises Conflict("key_not_everywhere") if a process that runs knows the former key and not this one (PostgreSQL).
        """
        former = self._connection.execute(_CURRENT).scalar()
        if former is not None and self._connection.dialect.name != "sqlite":
            self._refuse_ignorant(key_of(former))
        value = self._vault.seal(CHECK_TEXT, CHECK_NAME)
        self._connection.execute(update(meta).where(meta.c.name == CHECK_NAME).values(value=value))

    def _refuse_ignorant(self, former: str) -> None:
        self._connection.execute(_NO_STARTS)
        found = self._connection.execute(_IGNORANT, {"former": former, "new": self.key_id}).scalars().all()
        if found:
            raise Conflict(
                "key_not_everywhere",
                f"A process on {', '.join(sorted(found))} does not know the new key {self.key_id} yet: "
                "set AFFWIRE_NEXT_MASTER_KEY there and start it again.",
            )
