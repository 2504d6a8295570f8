"""Mails as rows: a queue and its history, found by one partial index on what is due."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import structs
from sqlalchemy import Connection, delete, select

from affwire.model.mail import Mail, MailAttempt
from affwire.store.tables import mail_attempts, mails

_UNSENT: Final = ("unsent", "leased")


class Mails:
    """Stores mails with their attempts, and finds them again."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def insert(self, mail: Mail) -> None:
        """Store a new mail."""
        self._connection.execute(mails.insert().values(**structs.asdict(mail)))

    def get(self, organization_id: str, mail_id: str) -> Mail | None:
        """Return a mail of an organization."""
        query = select(mails).where(mails.c.id == mail_id, mails.c.organization_id == organization_id)
        return next(iter(self._all(query)), None)

    def page(self, organization_id: str, *, before: str | None, limit: int, **columns: Any) -> list[Mail]:
        """Return at most `limit` mails, the newest first, older than the one with the id `before`; None filters nothing."""
        query = select(mails).where(mails.c.organization_id == organization_id).order_by(mails.c.id.desc()).limit(limit)
        for name, value in columns.items():
            if value is not None:
                query = query.where(mails.c[name] == value)
        return self._all(query if before is None else query.where(mails.c.id < before))

    def any_due(self, now: int) -> bool:
        """Whether there is anything that `due` would return."""
        query = select(mails.c.id).where(mails.c.status.in_(_UNSENT), mails.c.due_at <= now)
        return self._connection.execute(query.limit(1)).first() is not None

    def due(self, now: int, limit: int) -> list[Mail]:
        """Return mails that wait no longer (ms), and leased ones whose lease has ended: nobody else's until the commit."""
        query = select(mails).where(mails.c.status.in_(_UNSENT), mails.c.due_at <= now)
        return self._all(query.order_by(mails.c.due_at).limit(limit).with_for_update(skip_locked=True))

    def update(self, mail: Mail, *, fence: int) -> bool:
        """Store a changed mail over the one with this fence; False if another claim was faster, or it is gone."""
        changed = mails.update().where(mails.c.id == mail.id, mails.c.fence == fence).values(**structs.asdict(mail))
        return self._connection.execute(changed).rowcount == 1

    def stop(self, reason: str, at: int) -> int:
        """End all mails that wait or are under way (ms), so that none goes by itself; return how many."""
        ended = {"status": "failed", "reason": reason, "settled_at": at, "fence": mails.c.fence + 1}
        unsent = mails.update().where(mails.c.status.in_(_UNSENT)).values(**ended)
        return self._connection.execute(unsent).rowcount

    def record(self, attempt: MailAttempt) -> None:
        """Store an attempt."""
        self._connection.execute(mail_attempts.insert().values(**structs.asdict(attempt)))

    def attempts(self, mail_id: str) -> list[MailAttempt]:
        """Return a mail's attempts, the first one first."""
        query = select(mail_attempts).where(mail_attempts.c.mail_id == mail_id).order_by(mail_attempts.c.number)
        return [MailAttempt(**row) for row in self._connection.execute(query).mappings()]

    def forget_person(self, affiliate_id: str) -> None:
        """Drop all mails to an affiliate."""
        ids = self._connection.execute(select(mails.c.id).where(mails.c.affiliate_id == affiliate_id)).scalars().all()
        self._drop(ids)

    def forget(self, before: int, *, limit: int) -> int:
        """Drop up to `limit` mails written before (ms) that are not under way, sent or not; return how many."""
        query = select(mails.c.id).where(mails.c.written_at < before, mails.c.status != "leased").limit(limit)
        return self._drop(self._connection.execute(query).scalars().all())

    def _drop(self, ids: Sequence[str]) -> int:
        if ids:
            self._connection.execute(delete(mail_attempts).where(mail_attempts.c.mail_id.in_(ids)))
            self._connection.execute(delete(mails).where(mails.c.id.in_(ids)))
        return len(ids)

    def _all(self, query: Any) -> list[Mail]:
        return [Mail(**row) for row in self._connection.execute(query).mappings()]
