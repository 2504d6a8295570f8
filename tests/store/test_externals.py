"""The table of external ids says what the records say."""

import pytest
from msgspec import structs

from affwire.errors import Conflict
from affwire.model.registry import Affiliate, Group, Program
from affwire.store import tables
from affwire.testing import events
from affwire.testing.house import MemoryHouse

ORG = events.id_of("organization")
KIM = events.affiliate(external_ids={"crm": "7", "erp": "x"})


@pytest.fixture
def book():
    house = MemoryHouse()
    return lambda work: house.run(lambda tx: work(tx.registry))


def kept(registry):
    rows = registry._connection.execute(tables.external_ids.select())
    return {(row.kind, row.namespace, row.value): row.record_id for row in rows}


def test_ids_come_with_their_record_and_change_with_it(book):
    book(lambda registry: registry.insert(KIM))
    assert book(kept) == {("affiliate", "crm", "7"): KIM.id, ("affiliate", "erp", "x"): KIM.id}
    book(lambda registry: registry.update(structs.replace(KIM, external_ids={"crm": "8"})))
    assert book(kept) == {("affiliate", "crm", "8"): KIM.id}
    book(lambda registry: registry.update(structs.replace(KIM, external_ids={"crm": "8"}, deleted_at=1)))
    assert book(kept) == {}


def test_an_id_is_found_in_its_kind_organization_and_namespace_alone(book):
    book(lambda registry: registry.insert(KIM))
    find = lambda *where: book(lambda registry: registry.external_ids.find(*where))  # noqa: E731 -- three lines are shorter so
    assert find(Affiliate, ORG, "crm", "7") == KIM.id
    for where in [(Program, ORG, "crm", "7"), (Affiliate, "org_other", "crm", "7"), (Affiliate, ORG, "erp", "7")]:
        assert find(*where) is None
    assert find(Group, ORG, "crm", "7") is None


def test_a_value_is_found_in_every_namespace(book):
    book(lambda registry: registry.insert(KIM))
    book(lambda registry: registry.insert(events.affiliate(2, email=None, external_ids={"shop": "7"})))
    assert len(book(lambda registry: registry.external_ids.named(Affiliate, ORG, "7"))) == 2
    assert book(lambda registry: registry.external_ids.named(Program, ORG, "7")) == []


def test_an_id_that_is_taken_tells_by_whom(book):
    book(lambda registry: registry.insert(KIM))
    with pytest.raises(Conflict) as refusal:
        book(lambda registry: registry.insert(events.affiliate(2, email=None, external_ids={"crm": "7"})))
    assert (refusal.value.code, refusal.value.facts["existing_id"]) == ("external_id_taken", KIM.id)
    assert len(book(kept)) == 2


def test_what_is_released_is_free(book):
    book(lambda registry: registry.insert(KIM))
    book(lambda registry: registry.external_ids.release(KIM.id))
    assert book(kept) == {}
