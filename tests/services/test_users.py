"""Users: added once, never without an admin, and what changes holds at once."""

import pytest

from affwire.errors import Conflict, NotFound, Refused
from affwire.services import sessions, users
from affwire.testing.house import MemoryHouse

SALT = bytes(users.SALT_BYTES)


@pytest.fixture
def house():
    return MemoryHouse()


def add(house, email="ada@example.org", role="admin"):
    return house.run(lambda tx: users.add(tx, email=email, role=role, organization_id=house.organization.id))


def refused(code, kind=Refused):
    return pytest.raises(kind, match=rf"\[{code}\]")


def test_an_address_belongs_to_one_user_whatever_its_case(house):
    add(house)
    with refused("user_exists", Conflict):
        add(house, "ADA@example.org")


@pytest.mark.parametrize("email", ["", "ada", "a@", "@b", "a b@c", "a@b\n", "a" * 65 + "@b"])
def test_what_is_no_address_is_refused(house, email):
    with refused("invalid_email"):
        add(house, email.replace("\n", "\x00") if email.endswith("\n") else email)


def test_a_role_is_one_of_three(house):
    with refused("invalid_role"):
        add(house, role="owner")


def test_a_user_of_another_organization_is_not_found(house):
    user = add(house)
    for named in (user.id, user.email):
        assert house.run(lambda tx, named=named: users.get(tx, house.organization.id, named)) == user
        with refused("user_not_found", NotFound):
            house.run(lambda tx, named=named: users.get(tx, "org_other", named))


def test_the_last_admin_stays_one(house):
    user = add(house)
    add(house, "bob@example.org", "editor")
    for change in (lambda tx: users.change_role(tx, user, "viewer"), lambda tx: users.disable(tx, user)):
        with refused("last_admin", Conflict):
            house.run(change)
    other = add(house, "cy@example.org")
    assert house.run(lambda tx: users.disable(tx, user)).disabled_at is not None
    with refused("last_admin", Conflict):
        house.run(lambda tx: users.disable(tx, other))


def test_disabling_and_a_new_password_end_every_session(house):
    user = add(house)
    add(house, "bob@example.org")
    for change in (
        lambda tx: users.set_password(tx, user, users.hashed("x" * 12, SALT)),
        lambda tx: users.disable(tx, user),
    ):
        token = house.run(lambda tx: sessions.open_session(tx, user))
        house.run(change)
        with refused("session_ended"):
            house.run(lambda tx, token=token: sessions.find(tx, token))


def test_a_password_matches_itself_alone():
    kept = users.hashed("correct horse battery", SALT)
    assert users.matches("correct horse battery", kept)
    assert not users.matches("correct horse batterx", kept)
    assert not users.matches("anything at all", None)
    assert "correct" not in kept


@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 1025])
def test_a_password_has_twelve_characters_or_more(password):
    with refused("weak_password"):
        users.hashed(password, SALT)


def test_the_operator_is_made_once(house):
    first, again = house.run(users.operator), house.run(users.operator)
    assert first == again
    assert first.organization_id is None


def test_a_role_covers_what_the_scope_of_a_key_does(house):
    editor = add(house, "ed@example.org", "editor")
    assert [editor.may(scope) for scope in ("read", "registry", "admin")] == [True, True, False]
