"""What can stand in a record, and what stays with the message."""

import pytest

from affwire.dialects.base import load_card
from affwire.dialects.fitting import COUNT_MAX, TIME_MAX, fit
from affwire.dialects.reading import Leaves, leaves

FITTING = [
    ("affiliate.id", "x" * 255),
    ("affiliate.external_ids", {"crm": "x" * 255, "a.b_c-9": "1"}),
    ("affiliate.id", "a"),
    ("affiliate.id", 7),
    ("affiliate.email", "kim@example.com"),
    ("affiliate.email", None),
    ("affiliate.name", "Kim Berg"),
    ("affiliate.sign_in_count", COUNT_MAX),
    ("affiliate.confirmed_at", TIME_MAX),
    ("affiliate.payments", ["paypal"]),
    ("program.commission_percent", 20),
    ("program.is_public", False),
    ("program.banners", [{"any": "thing"}]),
    ("other.visitors", 0),
    ("other.coupon", None),
    ("event.occurred_at", 0),
]
UNFIT = [
    ("affiliate.id", ""),
    ("affiliate.id", True),
    ("affiliate.id", 7.5),
    ("affiliate.id", ["a"]),
    ("affiliate.email", 7),
    ("affiliate.email", {"a": "b"}),
    ("affiliate.name", ["Kim"]),
    ("affiliate.sign_in_count", -1),
    ("affiliate.sign_in_count", COUNT_MAX + 1),
    ("affiliate.sign_in_count", True),
    ("affiliate.sign_in_count", "7"),
    ("affiliate.id", "x" * 256),
    ("membership.external_ids", {"": "1"}),
    ("affiliate.external_ids", {"crm": "x" * 256}),
    ("affiliate.external_ids", {"a b": "1"}),
    ("affiliate.confirmed_at", TIME_MAX + 1),
    ("affiliate.payments", ["paypal", 7]),
    ("program.commission_percent", "20"),
    ("program.is_public", 1),
    ("other.visitors", 7),
    ("other.coupon", {"id": "c"}),
]


def found(target, value):
    kind, _, name = target.partition(".")
    return Leaves(one={kind: {name: value}}, paths={target: "the.path"})


def values(leaf):
    return [value for fields in leaf.one.values() for value in fields.values()]


@pytest.mark.parametrize(("target", "value"), FITTING)
def test_what_fits_stays(target, value):
    leaf = found(target, value)
    fit(leaf)
    assert (values(leaf), leaf.unread) == ([value], [])


@pytest.mark.parametrize(("target", "value"), UNFIT)
def test_what_does_not_is_unread(target, value):
    leaf = found(target, value)
    fit(leaf)
    assert (values(leaf), leaf.unread) == ([], ["the.path"])


def test_an_item_of_a_list_is_judged_by_itself_and_listed_with_its_body():
    card = load_card("affwire.dialects.rewardful")
    leaf = leaves(card, {"object": {"links": [{"id": "l1", "url": 7}, {"id": "l2", "url": "https://example.com"}]}})
    fit(leaf)
    told = [(link.id, link.fields) for link in leaf.told_list("link")]
    assert told == [("l1", {}), ("l2", {"url": "https://example.com"})]
    assert leaf.unread == ["object.links[].url"]
