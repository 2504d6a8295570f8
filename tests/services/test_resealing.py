"""Another master key, record after record: either key opens meanwhile, and in the end nothing is under the former."""

import pytest
from registry_walk import HOOKS

from affwire.errors import Broken
from affwire.model.endpoints import Endpoint
from affwire.services import endpoints, resealing, sources
from affwire.store.sealing import TxVault
from affwire.store.tx import Tx
from affwire.store.vault import Vault

NEW = b"n" * 32


@pytest.fixture
def furnished(house):
    """A database under the house's key, with endpoints, one of them deleted, and a source."""
    house.run(lambda tx: house.vault.check(tx.connection))
    made = [house.endpoint("standard", HOOKS) for _ in range(3)]
    house.run(lambda tx: endpoints.delete(tx, house.organization, made[2].id))
    house.run(lambda tx: sources.create(tx, house.organization, house.dialects, "standard", {"unverified": True}))
    return made


def with_vault(house, vault, work):
    def done(tx: Tx):
        tx.vault = TxVault(vault, tx.connection)
        return work(tx)

    return house.run(done)


def opened(house, vault, endpoint):
    def work(tx):
        return endpoints.recipient(tx, tx.registry.get(Endpoint, house.organization.id, endpoint.id))[0].secrets

    return with_vault(house, vault, work)


def test_cut_off_half_way_both_keys_are_read_and_the_next_call_goes_on(house, furnished):
    both = house.vault.rotated(NEW)
    first, second, _ = furnished
    clear = [opened(house, house.vault, one) for one in (first, second)]
    with_vault(house, both, resealing.begin)
    places = with_vault(house, both, resealing.left)
    assert [place.kind for place in places] == ["endpoint"] * 3 + ["source"]
    with_vault(house, both, lambda tx: resealing.reseal(tx, places[:1]))
    assert [opened(house, both, one) for one in (first, second)] == clear
    assert with_vault(house, both, resealing.left) == places[1:]
    with_vault(house, both, lambda tx: resealing.reseal(tx, places))
    assert with_vault(house, both, resealing.left) == []
    assert [opened(house, Vault(NEW), one) for one in (first, second)] == clear


def test_who_knows_both_keys_seals_under_the_databases_one_whichever_is_its_own(house, furnished):
    known_beforehand = Vault(house.vault._keys[house.vault.key_id], NEW)
    before = with_vault(house, known_beforehand, lambda tx: tx.vault.seal(b"x", "place"))
    with_vault(house, house.vault.rotated(NEW), resealing.begin)
    after = with_vault(house, known_beforehand, lambda tx: tx.vault.seal(b"x", "place"))
    assert house.vault.open(before, "place") == Vault(NEW).open(after, "place") == b"x"
    with pytest.raises(Broken, match="unknown_key"):
        with_vault(house, house.vault, lambda tx: tx.vault.seal(b"x", "place"))


def test_a_batch_is_of_one_organization_and_bounded():
    places = [resealing.Place("endpoint", owner, str(n), 1) for owner in "ab" for n in range(resealing.BATCH + 1)]
    found = resealing.batches(places)
    assert [(one[0].organization_id, len(one)) for one in found] == [("a", 50), ("a", 1), ("b", 50), ("b", 1)]
    assert resealing.batches([]) == []


def test_what_is_gone_by_now_is_left_out(house, furnished):
    gone = [resealing.Place(kind, house.organization.id, "gone", 1) for kind in ("endpoint", "source", "message")]
    house.run(lambda tx: resealing.reseal(tx, gone))
