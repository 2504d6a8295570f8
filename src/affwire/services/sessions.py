"""Sessions: a browser that is signed in, by one-time link or by password, and what ends that.

A token is 256 random bits, shown once and kept as its SHA-256. Every sign-in gets a new one.
"""

from typing import Final

from affwire.errors import Unauthorized
from affwire.model.users import Invitation, Session, SignInLink, User
from affwire.services.organizations import digest
from affwire.store.tx import Tx

ABSOLUTE_MS: Final = 12 * 3_600_000
"""A session ends then, used or not: a working day (OWASP ASVS 7.3.2)."""
IDLE_MS: Final = 2 * 3_600_000
"""And when nobody has used it for so long (ASVS 7.3.1)."""
FRESH_MS: Final = 60_000
"""Its use is written down once a minute: reading a page costs no commit."""
LINK_MS: Final = 15 * 60_000
"""How long a sign-in link is good."""
TOKEN_BYTES: Final = 32


def open_session(tx: Tx, user: User) -> str:
    """Sign a user in and return the session's token. Raises Unauthorized for one who is disabled."""
    if user.disabled_at is not None:
        raise _unknown()
    tx.people.forget_expired(tx.now)
    token = tx.world.secret_bytes(TOKEN_BYTES).hex()
    session = Session(
        digest=digest(token),
        user_id=user.id,
        created_at=tx.now,
        last_used_at=tx.now,
        expires_at=tx.now + ABSOLUTE_MS,
    )
    tx.people.open_session(session)
    tx.people.used(session.digest, user.id, tx.now)
    tx.tell("user.signed_in", id=user.id)
    return token


def find(tx: Tx, token: str) -> tuple[Session, User]:
    """Return whose session this is, and the user as of now. Raises Unauthorized where it has ended."""
    found = tx.people.session(digest(token))
    if found is None:
        raise _unknown()
    session, user = found
    ended = min(session.expires_at, session.last_used_at + IDLE_MS)
    if tx.now >= ended or user.disabled_at is not None:
        raise _unknown()
    return session, user


def close(tx: Tx, token: str) -> None:
    """Sign a browser out."""
    tx.people.close_session(digest(token))


def invite(tx: Tx, user: User) -> Invitation:
    """Return a link that signs a user in once, within LINK_MS; whatever link they had before leads nowhere from now on."""
    tx.people.hold(user.id)
    tx.people.forget_expired(tx.now)
    tx.people.drop_links(user.id)
    token, expires_at = tx.world.secret_bytes(TOKEN_BYTES).hex(), tx.now + LINK_MS
    tx.people.add_link(SignInLink(digest=digest(token), user_id=user.id, expires_at=expires_at))
    return Invitation(token=token, expires_at=expires_at)


def link_is_good(tx: Tx, token: str) -> bool:
    """Return whether a link can still be used; looking does not use it up."""
    link = tx.people.link(digest(token))
    return link is not None and link.expires_at > tx.now


def redeem(tx: Tx, token: str) -> str:
    """Use a link up and return the token of a new session. Raises Unauthorized."""
    link = tx.people.link(digest(token))
    user = None if link is None else tx.people.get(link.user_id)
    if link is None or user is None or link.expires_at <= tx.now or not tx.people.use_link(link.digest):
        raise Unauthorized("link_not_valid", "This link was used, a newer one was made, or its time is over.")
    return open_session(tx, user)


def _unknown() -> Unauthorized:
    return Unauthorized("session_ended", "You are signed out: sign in again.")
