"""Rotation: a new secret at once, the old ones as long as the form and the wish allow."""

from registry_walk import HOOKS

from affwire.model.endpoints import Endpoint
from affwire.services import endpoints, rotation

HOUR = 3_600_000


def rotate(house, endpoint, overlap_ms=HOUR):
    return house.run(
        lambda tx: rotation.rotate(tx, house.organization, house.dialects, endpoint.id, overlap_ms=overlap_ms)
    )


def secrets(house, endpoint):
    def opened(tx):
        stored = tx.registry.get(Endpoint, house.organization.id, endpoint.id)
        return endpoints.recipient(tx, stored)[0].secrets

    return house.run(opened)


def test_both_secrets_sign_until_the_overlap_is_over(house):
    endpoint = house.endpoint("standard", HOOKS)
    [old] = secrets(house, endpoint)
    after, new = rotate(house, endpoint)
    assert new.startswith("whsec_")
    assert secrets(house, endpoint) == (new, old)
    assert [one.expires_at for one in after.secrets] == [None, house.clock.now() + HOUR]
    house.clock.advance(HOUR - 1)
    assert secrets(house, endpoint) == (new, old)
    house.clock.advance(1)
    assert secrets(house, endpoint) == (new,)


def test_where_the_form_carries_one_signature_the_newest_signs_alone(house):
    endpoint = house.endpoint("tamio", HOOKS)
    _, new = rotate(house, endpoint)
    assert secrets(house, endpoint) == (new,)


def test_without_an_overlap_the_old_secret_ends_at_once(house):
    endpoint = house.endpoint("standard", HOOKS)
    _, new = rotate(house, endpoint, overlap_ms=0)
    assert secrets(house, endpoint) == (new,)


def test_a_second_rotation_never_lengthens_a_secrets_life(house):
    endpoint = house.endpoint("standard", HOOKS)
    rotate(house, endpoint, HOUR)
    after, _ = rotate(house, endpoint, 5 * HOUR)
    assert [one.expires_at for one in after.secrets] == [None, house.clock.now() + 5 * HOUR, house.clock.now() + HOUR]


def test_secrets_that_sign_together_are_counted(house):
    endpoint = house.endpoint("standard", HOOKS)
    for _ in range(rotation.SECRETS_MAX - 1):
        rotate(house, endpoint)
    with house.refuses("too_many_secrets"):
        rotate(house, endpoint)
    _, new = rotate(house, endpoint, 0)
    assert secrets(house, endpoint) == (new,)


def test_a_dialect_that_signs_nothing_has_nothing_to_rotate(house):
    endpoint = house.endpoint("growi", HOOKS)
    with house.refuses("no_secret"):
        rotate(house, endpoint)


def test_secrets_whose_overlap_is_over_are_forgotten(house):
    endpoint = house.endpoint("standard", HOOKS)
    rotate(house, endpoint)
    assert house.run(lambda tx: rotation.drop_expired_secrets(tx, house.organization.id)) == 0
    house.clock.advance(HOUR)
    assert house.run(lambda tx: rotation.drop_expired_secrets(tx, house.organization.id)) == 1
    stored = house.run(lambda tx: tx.registry.get(Endpoint, house.organization.id, endpoint.id))
    assert len(stored.secrets) == 1
