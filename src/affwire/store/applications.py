"""Applications, counted for their limits; links that were used; and the key that signs links, sealed."""

from hashlib import sha256
from typing import Any, Final

from msgspec import structs
from sqlalchemy import Connection, Select, delete, func, select, text, update

from affwire.model.mail import Application
from affwire.store.sealing import TxVault
from affwire.store.tables import applications, meta, used_passes

_KEY: Final = "pass_key"
"""The name of the signing key in `meta`, and its place for the vault."""


class Applications:
    """Stores who applied where, and what was made of the links."""

    def __init__(self, connection: Connection, vault: TxVault) -> None:
        self._connection = connection
        self._vault = vault

    def key(self) -> bytes | None:
        """Return the key that signs links; None if no link was ever made."""
        sealed = self.sealed_key()
        return None if sealed is None else self._vault.open(sealed, _KEY)

    def sealed_key(self) -> str | None:
        """Return the key that signs links as it is kept."""
        return self._connection.execute(select(meta.c.value).where(meta.c.name == _KEY)).scalar()

    def keep_key(self, key: bytes) -> bytes:
        """Keep the key that signs links, unless another process was faster; return the one that counts."""
        values = {"name": _KEY, "value": self._vault.seal(key, _KEY)}
        self._connection.execute(
            text("INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING"), values
        )
        return self.key() or key

    def reseal_key(self) -> None:
        """Seal the key, which there is, under the database's key."""
        value = self._vault.reseal(self.sealed_key() or "", _KEY)
        self._connection.execute(update(meta).where(meta.c.name == _KEY).values(value=value))

    def insert(self, application: Application) -> None:
        """Store an application."""
        self._connection.execute(applications.insert().values(**structs.asdict(application)))

    def applicant(self, organization_id: str, application_id: str) -> str | None:
        """Return the affiliate whose application that is, None if there is none."""
        query = select(applications.c.affiliate_id).where(applications.c.id == application_id)
        return self._connection.execute(query.where(applications.c.organization_id == organization_id)).scalar()

    def count(self, since: int, **columns: Any) -> int:
        """Return how many applications with these column values came since (ms)."""
        query = self._matching(select(func.count()).select_from(applications), columns)
        return int(self._connection.execute(query.where(applications.c.created_at > since)).scalar_one())

    def use(self, written: str, affiliate_id: str, expires_at: int) -> None:
        """Note that the link with this text was used."""
        values = {"digest": _digest(written), "affiliate_id": affiliate_id, "expires_at": expires_at}
        self._connection.execute(used_passes.insert().values(**values))

    def used(self, written: str) -> bool:
        """Whether the link with this text was used."""
        query = select(used_passes.c.digest).where(used_passes.c.digest == _digest(written))
        return self._connection.execute(query).first() is not None

    def forget_person(self, affiliate_id: str) -> None:
        """Drop an affiliate's applications and used links."""
        for table in (applications, used_passes):
            self._connection.execute(delete(table).where(table.c.affiliate_id == affiliate_id))

    def forget(self, before: int, now: int) -> None:
        """Drop applications older than `before` (ms), and used links that have ended by now."""
        self._connection.execute(delete(applications).where(applications.c.created_at < before))
        self._connection.execute(delete(used_passes).where(used_passes.c.expires_at < now))

    def _matching(self, query: Select[Any], columns: dict[str, Any]) -> Select[Any]:
        for name, value in columns.items():
            if value is not None:
                query = query.where(applications.c[name] == value)
        return query


def _digest(written: str) -> str:
    return sha256(written.encode()).hexdigest()
