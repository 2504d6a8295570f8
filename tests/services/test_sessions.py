"""Sessions and links: they end, they work once, and the store holds none of their tokens."""
# ruff: noqa: S608 -- the tables' names are our own

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from affwire.errors import Unauthorized
from affwire.services import sessions, users
from affwire.testing.house import MemoryHouse


@pytest.fixture
def house():
    return MemoryHouse()


@pytest.fixture
def user(house):
    return house.run(users.operator)


def found(house, token):
    return house.run(lambda tx: sessions.find(tx, token))[1].id


def link(house, user):
    return house.run(lambda tx: sessions.invite(tx, user)).token


def leads_nowhere(house, token):
    assert not house.run(lambda tx: sessions.link_is_good(tx, token))
    with pytest.raises(Unauthorized, match="link_not_valid"):
        house.run(lambda tx: sessions.redeem(tx, token))


def ended(house, token):
    with pytest.raises(Unauthorized, match="session_ended"):
        found(house, token)


def test_a_session_ends_when_nobody_uses_it(house, user):
    token = house.run(lambda tx: sessions.open_session(tx, user))
    house.clock.advance(sessions.IDLE_MS - 1)
    assert found(house, token) == user.id
    house.clock.advance(1)
    ended(house, token)


def test_a_session_that_is_used_ends_all_the_same(house, user):
    token = house.run(lambda tx: sessions.open_session(tx, user))
    session, _ = house.run(lambda tx: sessions.find(tx, token))
    for _ in range(11):
        house.clock.advance(3_600_000)
        assert found(house, token) == user.id
        house.run(lambda tx: tx.people.used(session.digest, user.id, tx.now))
    house.clock.advance(3_600_000)
    ended(house, token)


def test_a_closed_session_is_gone_and_others_are_not(house, user):
    one, other = (house.run(lambda tx: sessions.open_session(tx, user)) for _ in range(2))
    house.run(lambda tx: sessions.close(tx, one))
    ended(house, one)
    assert found(house, other) == user.id


def test_nobody_guesses_a_session(house):
    ended(house, "")
    ended(house, "0" * 64)


def test_a_link_works_once_and_for_a_while(house, user):
    token = link(house, user)
    assert house.run(lambda tx: sessions.link_is_good(tx, token))
    assert found(house, house.run(lambda tx: sessions.redeem(tx, token))) == user.id
    late = link(house, user)
    house.clock.advance(sessions.LINK_MS)
    for used in (token, late, "nothing"):
        leads_nowhere(house, used)


def test_a_newer_link_ends_the_older_ones_of_that_user_and_nobody_elses(house, user):
    other = house.run(lambda tx: users.add(tx, email="other@example.org", role="admin"))
    theirs, older, newer = link(house, other), link(house, user), link(house, user)
    leads_nowhere(house, older)
    assert found(house, house.run(lambda tx: sessions.redeem(tx, newer))) == user.id
    assert found(house, house.run(lambda tx: sessions.redeem(tx, theirs))) == other.id


def test_a_password_ends_the_links_that_were_made_before(house, user):
    token = link(house, user)
    password_hash = users.hashed("correct horse battery", bytes(users.SALT_BYTES))
    user = house.run(lambda tx: users.set_password(tx, user, password_hash))
    leads_nowhere(house, token)
    token = link(house, user)
    assert found(house, house.run(lambda tx: sessions.redeem(tx, token))) == user.id


def test_a_link_says_until_when_it_works(house, user):
    made = house.run(lambda tx: sessions.invite(tx, user))
    assert made.path == f"/?token={made.token}"
    house.clock.advance(made.expires_at - house.clock.now() - 1)
    assert house.run(lambda tx: sessions.link_is_good(tx, made.token))
    house.clock.advance(1)
    leads_nowhere(house, made.token)


def test_of_links_made_at_once_only_one_works(house, user):
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: link(house, user), range(8)))
    assert len([token for token in made if house.run(lambda tx, token=token: sessions.link_is_good(tx, token))]) == 1


def test_a_disabled_user_signs_in_no_more(house, user):
    house.run(lambda tx: users.add(tx, email="other@example.org", role="admin"))
    token = link(house, user)
    user = house.run(lambda tx: users.disable(tx, user))
    leads_nowhere(house, token)
    with pytest.raises(Unauthorized):
        house.run(lambda tx: sessions.open_session(tx, user))


def test_no_token_is_stored(house, user):
    tokens = [house.run(lambda tx: sessions.open_session(tx, user)), link(house, user)]
    rows = [
        house.run(lambda tx, table=table: str(tx.connection.execute(text(f"SELECT * FROM {table}")).all()))
        for table in ("sessions", "sign_in_links", "users")
    ]
    assert all(token not in row for token in tokens for row in rows)


def test_what_has_expired_is_forgotten(house, user):
    link(house, user)
    house.run(lambda tx: sessions.open_session(tx, user))
    house.clock.advance(sessions.ABSOLUTE_MS)
    house.run(lambda tx: tx.people.forget_expired(tx.now))
    for table in ("sessions", "sign_in_links"):
        assert (
            house.run(lambda tx, table=table: tx.connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar())
            == 0
        )
