"""The tables of reconciling: complete, and what they decide in one sentence each."""

import itertools

import pytest

from affwire.model.reading import Reading, Told, ToldMembership
from affwire.rules import reconciling
from affwire.rules.lifecycle import ENDED, is_live, step_to
from affwire.rules.reconciling import DEEDS, NOTHING, TABLE, TIMES, agrees, credible, deed, shows_as, time_of, way

STATUSES = ["pending", "active", "rejected", "removed", "left", "paused", "vip"]


def test_every_case_has_a_deed_and_every_deed_a_meaning():
    cases = list(itertools.product(("none", "current", "ended"), ("begins", "state", "ends"), TIMES))
    assert {deed(*case) for case in cases} == set(DEEDS)
    assert list(TABLE) == ["none", "current", "ended"]


@pytest.mark.parametrize("telling", ["begins", "state", "ends"])
def test_what_is_older_than_the_last_telling_changes_nothing(telling):
    assert deed("current", telling, "older") in NOTHING
    assert deed("ended", telling, "older") in NOTHING


@pytest.mark.parametrize("telling", ["begins", "state"])
def test_an_end_wins_over_everything_that_is_not_newer(telling):
    assert deed("ended", telling, "same") in NOTHING
    assert deed("ended", telling, "newer") == "revive"


def test_without_times_only_a_beginning_brings_back_what_ended():
    assert deed("ended", "begins", "unknown") == "revive"
    assert deed("ended", "state", "unknown") == "over"


@pytest.mark.parametrize("time", TIMES)
def test_the_end_of_what_was_never_here_is_remembered(time):
    assert deed("none", "ends", time) == "bury"


@pytest.mark.parametrize(
    ("told", "known", "expected"),
    [
        (None, 5, "unknown"),
        (None, None, "unknown"),
        (5, None, "newer"),
        (6, 5, "newer"),
        (5, 5, "same"),
        (4, 5, "older"),
    ],
)
def test_times_compare(told, known, expected):
    assert time_of(told, known) == expected


def test_a_clock_far_ahead_cannot_make_everything_after_it_late():
    assert credible(10**15, 1_000) == 1_000 + reconciling.AHEAD_MS
    assert credible(900, 1_000) == 900
    assert credible(None, 1_000) is None


@pytest.mark.parametrize(("before", "to"), list(itertools.product([None, *STATUSES], STATUSES)))
def test_each_step_of_the_way_is_legal_and_the_way_ends_where_it_was_told(before, to):
    at = before
    for status in way(before, to):
        assert step_to(at, status).status == status
        at = status
    assert at == to or (to in ENDED and not is_live(before))


def test_the_way_is_short():
    assert way("pending", "active") == ("active",)
    assert way(None, "rejected") == ("pending", "rejected")
    assert way("active", "rejected") == ("removed", "pending", "rejected")
    assert max(len(way(*pair)) for pair in itertools.product([None, *STATUSES], STATUSES)) == 3


def test_a_coarse_status_leaves_a_finer_one_of_the_same_kind():
    coarse = {"*": "active", "left": "removed"}
    assert agrees(coarse, "paused", "active")
    assert agrees(coarse, "left", "removed")
    assert not agrees(coarse, "pending", "active"), "who only asks is no member whom it shows as active"
    assert not agrees(coarse, "removed", "active")
    assert not agrees({}, "paused", "active")
    assert shows_as({"pending": "active"}, "pending") == "active"
    assert shows_as({}, None) is None


def reading(*events, status="active", own=0, previous=None):
    member = ToldMembership(told=Told(kind="membership", id="1", fields={"status": status}))
    return Reading(word="x", events=events, memberships=(member,), own=own, previous=previous or {})


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (reading("membership.requested", status="pending"), "begins"),
        (reading("membership.activated"), "begins"),
        (reading("membership.activated", previous={"status": "pending"}), "state"),
        (reading("membership.rejected", status="rejected"), "state"),
        (reading("membership.left", status="active"), "ends"),
        (reading("affiliate.updated", status="removed", own=None), "ends"),
        (reading("affiliate.created", "membership.activated", own=None), "state"),
    ],
)
def test_what_a_message_says_of_a_membership(told, expected):
    assert reconciling.telling_of_membership(told, 0) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [("affiliate.created", "begins"), ("affiliate.updated", "state"), ("affiliate.deleted", "ends")],
)
def test_what_a_message_says_of_its_affiliate(event, expected):
    assert reconciling.telling(reading(event), "affiliate") == expected
