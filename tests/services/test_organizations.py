"""Organizations and keys."""

import pytest

from affwire.errors import Unauthorized
from affwire.services import organizations

OPERATOR = organizations.digest("the operator's own key, long enough")


def identify(house, secret):
    return house.run(lambda tx: organizations.authenticate(tx, secret, OPERATOR))


def make_key(house, **fields):
    wish = {"name": "crm", "scope": "registry", "expires_at": None, **fields}
    return house.run(lambda tx: organizations.create_key(tx, house.organization.id, **wish))


def test_a_slug_is_taken_once(house):
    with house.refuses("slug_taken", field="slug", existing_id=house.organization.id):
        house.run(lambda tx: organizations.create(tx, {"slug": "acme", "name": "Acme again"}))
    other = house.run(lambda tx: organizations.create(tx, {"slug": "other", "name": "Other"}))[0]
    with house.refuses("slug_taken", existing_id=house.organization.id):
        house.run(lambda tx: organizations.update(tx, other.id, {"slug": "acme", "name": "X"}))
    assert other.number == house.organization.number + 1


def test_an_organization_that_is_not_there_cannot_be_changed(house):
    for gone in ("org_gone", "operator"):
        with house.refuses("organization_not_found"):
            house.run(lambda tx, gone=gone: organizations.update(tx, gone, {"name": "X"}))


def test_what_changes_nothing_writes_nothing_and_what_does_moves_updated_at(house):
    own = house.organization
    with house.changes_nothing():
        house.run(lambda tx: organizations.update(tx, own.id, {"slug": "acme", "name": "Acme"}))
    house.clock.advance(-1_000)
    after = house.run(lambda tx: organizations.update(tx, own.id, {"name": "Acme AB"}))
    assert (after.name, after.updated_at > own.updated_at) == ("Acme AB", True)
    assert house.run(lambda tx: organizations.get(tx, own.id)) == after


def test_a_key_opens_its_organization_with_its_scope(house):
    key, secret = make_key(house)
    identity = identify(house, secret)
    assert identity == organizations.Identity(house.organization.id, "registry", key.id)
    assert (identity.caller.actor.kind, identity.caller.actor.id) == ("key", key.id)


def test_the_first_key_is_an_admins(house):
    _, secret = house.run(lambda tx: organizations.create(tx, {"slug": "b", "name": "B"}))
    assert identify(house, secret).scope == "admin"


def test_the_operators_key_opens_the_installation(house):
    identity = identify(house, "the operator's own key, long enough")
    assert identity == organizations.Identity("operator", "operator")
    assert identity.caller.actor.kind == "operator"


@pytest.mark.parametrize("secret", ["", "awk_", "awk_" + "0" * 64, "x", "\udcff", "ключ"])
def test_an_unknown_key_opens_nothing(house, secret):
    make_key(house)
    with pytest.raises(Unauthorized, match="invalid_key"):
        identify(house, secret)


def test_a_key_is_no_key_in_another_case_or_with_more_text(house):
    _, secret = make_key(house)
    for other in (secret.upper(), secret + " ", secret[:-1], organizations.digest(secret)):
        with pytest.raises(Unauthorized):
            identify(house, other)


def test_a_key_expires_at_the_exact_millisecond(house):
    _, secret = make_key(house, expires_at=house.clock.now() + 10)
    house.clock.advance(9)
    assert identify(house, secret).scope == "registry"
    house.clock.advance(1)
    with pytest.raises(Unauthorized, match="invalid_key"):
        identify(house, secret)


def test_a_revoked_key_opens_nothing_from_that_moment_on(house):
    key, secret = make_key(house)
    house.run(lambda tx: organizations.revoke_key(tx, house.organization.id, key.id))
    with pytest.raises(Unauthorized, match="invalid_key"):
        identify(house, secret)
    with house.refuses("key_not_found"):
        house.run(lambda tx: organizations.revoke_key(tx, house.organization.id, key.id))


def test_a_key_is_256_random_bits_of_which_the_database_knows_the_digest_alone(house):
    (one, first), (_, second) = make_key(house), make_key(house)
    assert first != second
    assert (len(first), first[:4], one.last4) == (68, "awk_", first[-4:])
    assert first not in str(house.everything())
    assert first[4:] not in str(house.everything())
