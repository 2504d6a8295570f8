"""The registry's book: whole records, one organization at a time, in order of number."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affwire.model.endpoints import Endpoint, SealedSecret
from affwire.model.registry import NUMBER_FIRST, Affiliate, Group, Membership
from affwire.store.registry import email_key
from affwire.testing import events
from affwire.testing.house import MemoryHouse

ORG = events.id_of("organization")
RECORDS = [
    events.organization(unlimited_endpoints=True),
    events.program(
        products=["a"], banners=[{"a": [1]}], metadata={"ä": None}, commission_percent=12.5, deleted_at=None
    ),
    events.affiliate(payments=["paypal"], metadata={"a": {"b": 1}}, external_ids={"crm": "7"}, sign_in_count=3),
    events.affiliate(2, email=None, payments=None),
    events.membership(tag="T", metadata={"a": 1}),
    events.group(),
    events.link(),
    events.promo_code(discount_value="10.00"),
    Endpoint(
        id="ep_1",
        organization_id=ORG,
        number=1,
        url="https://example.com",
        dialect="standard",
        secrets=[SealedSecret(sealed="x", last4="last", created_at=1, expires_at=2)],
        bearer_token=SealedSecret(sealed="y", last4="last", created_at=1),
        policy={"retry_schedule": [1, 2.5]},
        created_at=1,
        updated_at=1,
    ),
]


@pytest.fixture
def book():
    house = MemoryHouse()
    return lambda work: house.run(lambda tx: work(tx.registry))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_comes_back_as_it_was_stored(book, record):
    kind = type(record)
    book(lambda registry: registry.insert(record))
    if kind is type(RECORDS[0]):
        assert book(lambda registry: registry.organization(record.id)) == record
        assert book(lambda registry: registry.organization_by_slug(record.slug)) == record
        return
    for lock in (False, True):
        assert book(lambda registry, lock=lock: registry.get(kind, ORG, record.id, lock=lock)) == record
    assert book(lambda registry: registry.find(kind, ORG)) == [record]
    assert book(lambda registry: registry.get(kind, "org_other", record.id)) is None


def test_what_is_deleted_is_found_only_by_who_asks_for_it(book):
    gone = events.affiliate(deleted_at=5)
    book(lambda registry: registry.insert(gone))
    assert book(lambda registry: registry.get(Affiliate, ORG, gone.id)) is None
    assert book(lambda registry: registry.find(Affiliate, ORG)) == []
    assert book(lambda registry: registry.page(Affiliate, ORG, after=None, limit=9)) == []
    assert book(lambda registry: registry.get_even_deleted(Affiliate, ORG, gone.id)) == gone
    assert book(lambda registry: registry.get_even_deleted(Affiliate, "org_other", gone.id)) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("a@b.c", "A@B.C"), ("straße@b.c", "STRASSE@b.c"), (" a@b.c", "a@b.c "), ("ÅSA@b.c", "åsa@b.c")],
)
def test_two_addresses_are_the_same_without_regard_to_case(one, other):
    assert email_key(one) == email_key(other)


def test_no_address_is_no_key():
    assert email_key(None) is None


def test_numbers_begin_above_every_platforms_own_and_never_repeat(book):
    numbers = [book(lambda registry: registry.next_number(ORG, "link")) for _ in range(5)]
    assert numbers == list(range(NUMBER_FIRST, NUMBER_FIRST + 5))
    assert book(lambda registry: registry.next_number(ORG, "group")) == NUMBER_FIRST
    assert book(lambda registry: registry.next_number("org_other", "link")) == NUMBER_FIRST


def test_a_number_is_not_given_again_when_its_record_is_gone(book):
    first = events.group(number=book(lambda registry: registry.next_number(ORG, "group")))
    book(lambda registry: registry.insert(first))
    book(lambda registry: registry.delete(first))
    assert book(lambda registry: registry.find(Group, ORG)) == []
    assert book(lambda registry: registry.next_number(ORG, "group")) == first.number + 1


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.integers(1, 7), st.lists(st.integers(0, 4), max_size=6))
def test_a_paged_listing_is_complete_and_in_order_while_rows_are_added(limit, additions):
    house = MemoryHouse()
    made = iter(range(1, 1000))

    def add(count):
        for _ in range(count):
            house.run(lambda tx: tx.registry.insert(events.group(next(made))))

    add(9)
    seen, after = [], None
    for extra in [*additions, *([0] * 40)]:
        page = house.run(lambda tx, at=after: tx.registry.page(Group, ORG, after=at, limit=limit))
        if not page:
            break
        assert len(page) <= limit
        seen += [group.number for group in page]
        after = seen[-1]
        add(extra)
    everything = house.run(lambda tx: tx.registry.find(Group, ORG))
    assert seen == [group.number for group in everything]


def test_a_filter_of_none_filters_nothing(book):
    members = [events.membership(1), events.membership(2, status="pending")]
    for member in members:
        book(lambda registry, member=member: registry.insert(member))

    def page(**columns):
        return book(lambda registry: registry.page(Membership, ORG, after=None, limit=9, **columns))

    assert page(status=None, affiliate_id=None) == members
    assert page(status="pending") == members[1:]
    assert page(status="pending", program_id=members[0].program_id) == []


def test_live_members_are_counted_without_those_who_are_gone(book):
    statuses = ["active", "pending", "paused", "rejected", "removed", "left"]
    for nth, status in enumerate(statuses, start=1):
        member = events.membership(nth, status=status, program_id="prg_1", affiliate_id=f"aff_{nth}")
        book(lambda registry, member=member: registry.insert(member))
    assert book(lambda registry: registry.live_members(ORG, "prg_1")) == 3
    assert book(lambda registry: registry.live_members(ORG, "prg_2")) == 0


def test_many_look_ups_at_once_also_for_nothing(book):
    book(lambda registry: registry.insert(events.program(deleted_at=5)))
    assert book(lambda registry: registry.programs([])) == {}
    assert book(lambda registry: registry.endpoints([])) == {}
    assert list(book(lambda registry: registry.programs([events.id_of("program"), "prg_gone"]))) == [
        events.id_of("program")
    ]


def test_organizations_are_listed_in_order_of_number_and_without_a_limit_all_of_them(book):
    for nth in range(2, 1_203):
        book(lambda registry, nth=nth: registry.insert(events.organization(nth)))
    everybody = book(lambda registry: registry.organizations())
    assert len(everybody) == 1_202
    page = book(lambda registry: registry.organizations(after=everybody[0].number, limit=2))
    assert page == everybody[1:3]
