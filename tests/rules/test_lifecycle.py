"""Every transition of every status, allowed or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.errors import Conflict, Refused
from affwire.rules import lifecycle

STATUSES = (None, "pending", "active", "paused", "rejected", "removed", "left")
ALLOWED = {
    None: {"pending": "requested", "active": "activated"},
    "pending": {"active": "activated", "rejected": "rejected", "removed": "removed", "left": "left"},
    "active": {"paused": "changed", "frozen": "changed", "removed": "removed", "left": "left"},
    "paused": {"frozen": "changed", "active": "activated", "removed": "removed", "left": "left"},
    "rejected": {"pending": "requested", "active": "activated"},
    "removed": {"pending": "requested", "active": "activated"},
    "left": {"pending": "requested", "active": "activated"},
}
TARGETS = ("pending", "active", "paused", "frozen", "rejected", "removed", "left")


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("status", STATUSES)
def test_a_status_leads_only_where_the_contract_says(status, to):
    if status == to:
        assert lifecycle.step_to(status, to) is None
    elif to in ALLOWED[status]:
        assert lifecycle.step_to(status, to) == lifecycle.Step(to, f"membership.{ALLOWED[status][to]}")
    else:
        with pytest.raises(Conflict) as refused:
            lifecycle.step_to(status, to)
        assert refused.value.code == "illegal_transition"
        assert refused.value.facts["status_now"] == status
        legal = {"X" if word in {"paused", "frozen"} else word for word in ALLOWED[status]}
        assert refused.value.facts["legal"] == sorted(legal)


@pytest.mark.parametrize("word", ["", "Paused", "9lives", "_x", "a-b", "a b", "a\n", "ä", "x" * 33, "X"])
@pytest.mark.parametrize("status", STATUSES)
def test_what_can_be_no_status_is_refused_with_the_rule(status, word):
    with pytest.raises(Refused) as refused:
        lifecycle.step_to(status, word)
    assert (refused.value.code, refused.value.facts["field"]) == ("invalid_status", "status")


@given(st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True), st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True))
def test_any_other_word_is_a_status_of_a_member(word, other):
    if word in lifecycle.KNOWN or other in lifecycle.KNOWN:
        return
    assert lifecycle.step_to("active", word) == lifecycle.Step(word, "membership.changed")
    assert lifecycle.step_to(word, "active") == lifecycle.Step("active", "membership.activated")
    assert lifecycle.step_to(word, other) == (None if word == other else lifecycle.Step(other, "membership.changed"))


COMMANDS = {
    "approve": ({"pending", "rejected"}, "active"),
    "reactivate": ({"paused", "rejected", "removed", "left"}, "active"),
    "reject": ({"pending"}, "rejected"),
    "remove": ({"pending", "active", "paused"}, "removed"),
    "leave": ({"pending", "active", "paused"}, "left"),
}


@pytest.mark.parametrize("status", STATUSES[1:])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_makes_sense_from_some_statuses_only(name, status):
    sources, to = COMMANDS[name]
    if status in sources:
        assert lifecycle.command(status, name).status == to
        return
    with pytest.raises(Conflict, match="illegal_transition"):
        lifecycle.command(status, name)


def test_a_refusal_names_what_is_possible():
    assert str(lifecycle.illegal("active", "pending")) == (
        "A membership that is active cannot go to 'pending'; it can become: any other word, left, removed. "
        "[illegal_transition]"
    )
    assert "that is not there cannot" in lifecycle.illegal(None, "left").sentence


def test_a_change_without_a_target_is_the_tables_own_step():
    assert lifecycle.step("active", "change") == lifecycle.Step("X", "membership.changed")
    assert lifecycle.step("active", "change", "paused") == lifecycle.Step("paused", "membership.changed")
    assert lifecycle.step("pending", "activate", "ignored") == lifecycle.Step("active", "membership.activated")
    with pytest.raises(Conflict, match="illegal_transition"):
        lifecycle.step("active", "no such action")


@pytest.mark.parametrize(
    ("status", "live", "member"),
    [
        (None, False, False),
        ("pending", True, False),
        ("active", True, True),
        ("paused", True, True),
        ("rejected", False, False),
        ("removed", False, False),
        ("left", False, False),
    ],
)
def test_who_is_live_and_who_is_a_member(status, live, member):
    assert (lifecycle.is_live(status), lifecycle.is_member(status)) == (live, member)


def test_a_delivery_is_reopened_only_by_a_replay():
    ended = set(lifecycle.DELIVERY) - set(lifecycle.UNFINISHED)
    assert ended == {"delivered", "exhausted", "cancelled"}
    for status in ended:
        assert lifecycle.DELIVERY[status] == {"replay": "pending"}
    for status in lifecycle.UNFINISHED:
        assert "replay" not in lifecycle.DELIVERY[status]
        assert "cancelled" in lifecycle.DELIVERY[status].values()
    assert {to for steps in lifecycle.DELIVERY.values() for to in steps.values()} == set(lifecycle.DELIVERY)
