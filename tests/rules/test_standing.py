"""Insert Affiliate's "added to your company", switch by switch."""

import pytest

from affwire.rules import standing


@pytest.mark.parametrize(
    ("account", "asks", "stands"),
    [
        ("active", False, True),
        ("suspicious", False, True),
        ("active", True, False),
        ("pending", False, False),
        ("pending", True, False),
        ("disabled", False, False),
        ("rejected", False, False),
    ],
)
def test_who_stands_from_the_start(account, asks, stands):
    assert standing.at_creation(account, pending_request=asks) is stands


@pytest.mark.parametrize(
    ("before", "after", "from_standing", "from_not"),
    [
        ("active", "active", True, False),
        ("active", "disabled", False, False),
        ("active", "rejected", False, False),
        ("active", "suspicious", True, False),
        ("active", "pending", True, False),
        ("disabled", "active", True, True),
        ("pending", "active", True, True),
        ("disabled", "suspicious", True, False),
        ("disabled", "rejected", False, False),
    ],
)
def test_the_account_begins_and_ends_it(before, after, from_standing, from_not):
    assert standing.after_account(True, before, after) is from_standing
    assert standing.after_account(False, before, after) is from_not


@pytest.mark.parametrize(
    ("before", "after", "others", "from_standing", "from_not"),
    [
        (None, "active", [], True, True),
        (None, "pending", [], True, False),
        ("pending", "active", [], True, True),
        ("pending", "rejected", [], True, False),
        ("pending", "removed", [], True, False),
        ("active", "removed", [], False, False),
        ("active", "left", ["removed", "left", "rejected", "pending"], False, False),
        ("active", "left", ["active"], True, False),
        ("paused", "removed", ["paused"], True, False),
        ("paused", "removed", [], False, False),
        ("active", "paused", [], True, False),
        ("paused", "frozen", [], True, False),
        ("left", "pending", [], True, False),
        ("left", "active", [], True, True),
    ],
)
def test_memberships_begin_and_end_it(before, after, others, from_standing, from_not):
    assert standing.after_membership(True, before, after, iter(others)) is from_standing
    assert standing.after_membership(False, before, after, iter(others)) is from_not
