"""People: users, the browsers they are signed in with, and links that sign them in once. Tokens are kept as digests."""

from typing import Any

from msgspec import Struct, structs
from sqlalchemy import Connection, RowMapping, Select, Table, func, select

from affwire.model.users import Session, SignInLink, User
from affwire.store.rows import email_key
from affwire.store.tables import sessions, sign_in_links, users

_USER = User.__struct_fields__


class People:
    """Finds and stores users, sessions and sign-in links."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, user_id: str) -> User | None:
        """Return a user, a disabled one too."""
        return self._one(_users().where(users.c.id == user_id))

    def by_email(self, email: str) -> User | None:
        """Return the user with that address, whatever its case."""
        return self._one(_users().where(users.c.email_key == email_key(email)))

    def page(self, organization_id: str | None, *, after: str | None, limit: int) -> list[User]:
        """Return users of an organization behind the id `after`, the oldest first; None: the operators."""
        query = _users().where(users.c.organization_id.is_not_distinct_from(organization_id))
        query = query.order_by(users.c.id).limit(limit)
        query = query if after is None else query.where(users.c.id > after)
        return [User(**row) for row in self._connection.execute(query).mappings()]

    def admins(self, organization_id: str | None) -> int:
        """Return how many users with the role admin can sign in there."""
        query = select(func.count()).where(
            users.c.organization_id.is_not_distinct_from(organization_id),
            users.c.role == "admin",
            users.c.disabled_at.is_(None),
        )
        return int(self._connection.execute(query).scalar_one())

    def insert(self, user: User) -> None:
        """Store a new user."""
        self._connection.execute(users.insert(), _row(user))

    def update(self, user: User) -> None:
        """Store a changed user over the old row."""
        self._connection.execute(users.update().where(users.c.id == user.id).values(**_row(user)))

    def open_session(self, session: Session) -> None:
        """Store a new session."""
        self._connection.execute(sessions.insert(), structs.asdict(session))

    def session(self, digest: str) -> tuple[Session, User] | None:
        """Return a session and its user, None if there is none."""
        row = self._first(sessions, digest)
        user = None if row is None else self.get(row["user_id"])
        return None if row is None or user is None else (Session(**row), user)

    def used(self, digest: str, user_id: str, at: int) -> None:
        """Note that a session, and so its user, was seen (ms)."""
        self._connection.execute(sessions.update().where(sessions.c.digest == digest).values(last_used_at=at))
        self._connection.execute(users.update().where(users.c.id == user_id).values(last_seen_at=at))

    def close_session(self, digest: str) -> None:
        """Forget a session, from this commit on."""
        self._connection.execute(sessions.delete().where(sessions.c.digest == digest))

    def sign_out(self, user_id: str) -> None:
        """Forget all of a user's sessions and sign-in links."""
        self._connection.execute(sessions.delete().where(sessions.c.user_id == user_id))
        self.drop_links(user_id)

    def hold(self, user_id: str) -> None:
        """Have a user to ourselves until the commit, so that of two links made at once the later one is the only one."""
        self._connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())

    def drop_links(self, user_id: str) -> None:
        """Forget a user's sign-in links."""
        self._connection.execute(sign_in_links.delete().where(sign_in_links.c.user_id == user_id))

    def add_link(self, link: SignInLink) -> None:
        """Store a sign-in link."""
        self._connection.execute(sign_in_links.insert(), structs.asdict(link))

    def link(self, digest: str) -> SignInLink | None:
        """Return a sign-in link that has not been used."""
        row = self._first(sign_in_links, digest)
        return None if row is None else SignInLink(**row)

    def use_link(self, digest: str) -> bool:
        """Take a sign-in link away; whether it was still there: of two that try, one succeeds."""
        return self._connection.execute(sign_in_links.delete().where(sign_in_links.c.digest == digest)).rowcount > 0

    def forget_expired(self, now: int) -> None:
        """Drop sessions and links whose time is over (ms)."""
        for table in (sessions, sign_in_links):
            self._connection.execute(table.delete().where(table.c.expires_at <= now))

    def _one(self, query: Select[Any]) -> User | None:
        row = self._connection.execute(query).mappings().first()
        return None if row is None else User(**row)

    def _first(self, table: Table, digest: str) -> RowMapping | None:
        return self._connection.execute(select(table).where(table.c.digest == digest)).mappings().first()


def _users() -> Select[Any]:
    return select(*(users.c[name] for name in _USER))


def _row(user: Struct) -> dict[str, Any]:
    row = structs.asdict(user)
    return {**row, "email_key": email_key(row["email"])}
