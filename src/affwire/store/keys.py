"""API keys and idempotency keys. An API key is kept as its SHA-256 only: 256 random bits need no slow hash."""

import re
from collections.abc import Collection
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, LargeBinary, bindparam, func, literal, or_, select, tuple_

from affwire.store.tables import idempotency, keys

BLANK: Final = b""
"""The body of a kept answer whose person was erased."""
_IDS: Final = re.compile(r"\b[a-z]{2,4}_[0-9a-z]{26}\b")
"""Ids as model.ids makes them."""
_EVENT: Final = '"event_id"'


class ApiKey(Struct, frozen=True, kw_only=True):
    """A key of an organization. `scope`: admin, registry or read."""

    id: str
    organization_id: str
    name: str
    scope: str
    digest: str
    last4: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None


class KeptAnswer(Struct, frozen=True, kw_only=True):
    """What the first request with an idempotency key was answered, without any secret."""

    fingerprint: str
    status: int
    body: bytes


class Keys:
    """Finds and stores keys."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.revoked = False
        """Whether one was revoked in here."""

    def by_digest(self, digest: str) -> ApiKey | None:
        """Return the key with that digest, revoked and expired ones too."""
        row = self._connection.execute(select(keys).where(keys.c.digest == digest)).mappings().first()
        return None if row is None else ApiKey(**row)

    def get(self, organization_id: str, key_id: str) -> ApiKey | None:
        """Return a key that is not revoked."""
        query = select(keys).where(keys.c.id == key_id, keys.c.organization_id == organization_id)
        row = self._connection.execute(query.where(keys.c.revoked_at.is_(None))).mappings().first()
        return None if row is None else ApiKey(**row)

    def page(self, organization_id: str, *, after: str | None, limit: int) -> list[ApiKey]:
        """Return keys that are not revoked, the oldest first, behind the id `after`."""
        query = select(keys).where(keys.c.organization_id == organization_id, keys.c.revoked_at.is_(None))
        query = query.order_by(keys.c.id).limit(limit)
        rows = self._connection.execute(query if after is None else query.where(keys.c.id > after)).mappings()
        return [ApiKey(**row) for row in rows]

    def admins(self, organization_id: str, now: int) -> int:
        """Return how many keys of scope admin an organization has that neither were revoked nor have expired (ms)."""
        query = select(func.count()).where(keys.c.organization_id == organization_id, keys.c.scope == "admin")
        query = query.where(keys.c.revoked_at.is_(None), or_(keys.c.expires_at.is_(None), keys.c.expires_at > now))
        return int(self._connection.execute(query).scalar_one())

    def insert(self, key: ApiKey) -> None:
        """Store a new key."""
        self._connection.execute(keys.insert(), _columns(key))

    def revoke(self, key_id: str, at: int) -> None:
        """End a key's use, from this commit on."""
        self.revoked = True
        self._connection.execute(keys.update().where(keys.c.id == key_id).values(revoked_at=at))

    def used(self, key_id: str, at: int) -> None:
        """Note when a key was last used (ms)."""
        self._connection.execute(keys.update().where(keys.c.id == key_id).values(last_used_at=at))

    def kept(self, organization_id: str, key: str) -> KeptAnswer | None:
        """Return the answer kept under an idempotency key."""
        query = select(idempotency.c.fingerprint, idempotency.c.status, idempotency.c.body).where(
            idempotency.c.organization_id == organization_id, idempotency.c.key == key
        )
        row = self._connection.execute(query).mappings().first()
        return None if row is None else KeptAnswer(**row)

    def keep(self, organization_id: str, key: str, answer: KeptAnswer, at: int) -> None:
        """Keep an answer under an idempotency key, in the commit of what it answers."""
        values = {"organization_id": organization_id, "key": key, "created_at": at, **_columns(answer)}
        self._connection.execute(idempotency.insert(), values)

    def blank_answers(self, organization_id: str, affiliate_ids: Collection[str], event_ids: Collection[str]) -> int:
        """Empty the kept answers that name one of these ids; return how many. That they were given stays known.

        Answers about deliveries name the event, and hold what was said of the person in a dialect's words.
        """
        query = select(idempotency.c.key, idempotency.c.body).where(
            idempotency.c.organization_id == organization_id,
            or_(*(self._holds(text) for text in (*affiliate_ids, _EVENT))),
        )
        about = frozenset((*affiliate_ids, *event_ids))
        with self._connection.execute(query) as rows:
            named = [row.key for row in rows if not about.isdisjoint(_IDS.findall(row.body.decode()))]
        mine = (idempotency.c.organization_id == organization_id) & (idempotency.c.key == bindparam("named"))
        if named:
            blank = idempotency.update().where(mine).values(body=BLANK)
            self._connection.execute(blank, [{"named": key} for key in named])
        return len(named)

    def _holds(self, text: str) -> ColumnElement[bool]:
        """Whether a kept answer's bytes hold a text."""
        if self._connection.dialect.name == "sqlite":
            return func.instr(idempotency.c.body, text.encode()) > 0
        return func.position(literal(text.encode(), LargeBinary).op("IN")(idempotency.c.body)) > 0

    def forget_answers(self, before: int, *, limit: int) -> int:
        """Drop up to `limit` kept answers older than `before` (ms); return how many."""
        named = (idempotency.c.organization_id, idempotency.c.key)
        old = select(*named).where(idempotency.c.created_at < before).limit(limit)
        return self._connection.execute(idempotency.delete().where(tuple_(*named).in_(old))).rowcount


def _columns(value: Struct) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}
