"""An action: who, where, what changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.errors import NotFound, Refused
from affwire.model.events import Actor
from affwire.services import affiliates, programs
from affwire.services.actions import OBJECT_BYTES_MAX, Action, Caller, Draft, changes, merged, with_merged
from affwire.services.events import acting
from affwire.testing import events

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text("ab", max_size=2), JSON, max_size=3)


@pytest.mark.parametrize(
    ("old", "patch", "new"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": 1}, {"b": None}, {"a": 1}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": None, "z": 3}}, {"a": {"y": 2, "z": 3}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": [1]}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
        ({}, {"a": {"b": {"c": None}}}, {"a": {"b": {}}}),
        ({"a": {"b": 1}}, {"a": "text"}, {"a": "text"}),
    ],
)
def test_a_merge_patch_does_what_rfc_7396_shows(old, patch, new):
    assert merged(old, patch) == new


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_changes_neither_argument_and_doing_it_twice_is_doing_it_once(old, patch):
    kept_old, kept_patch = repr(old), repr(patch)
    once = merged(old, patch)
    assert merged(once, patch) == once
    assert (repr(old), repr(patch)) == (kept_old, kept_patch)


def test_an_open_object_that_grows_too_large_by_merging_is_refused():
    record = events.affiliate(metadata={"a": "x" * (OBJECT_BYTES_MAX // 2)})
    fits = {"b": "x" * (OBJECT_BYTES_MAX // 2 - 20)}
    assert set(with_merged(record, {"metadata": fits})["metadata"]) == {"a", "b"}
    with pytest.raises(Refused) as refusal:
        with_merged(record, {"metadata": {"b": "x" * (OBJECT_BYTES_MAX // 2)}})
    assert (refusal.value.code, refusal.value.facts["field"]) == ("too_long", "metadata")


def test_only_what_differs_is_a_change():
    record = events.affiliate(city="Lund")
    assert changes(record, {"city": "Lund", "state": None, "country": "NO"}) == {"country": "NO"}


def test_a_draft_belongs_to_its_affiliate_or_else_to_its_program():
    assert Draft(type="x", previous={}, affiliate_id="aff", program_id="prg").subject_id == "aff"
    assert Draft(type="x", previous={}, program_id="prg").subject_id == "prg"


@pytest.mark.parametrize("organization_id", ["org_0", "operator", ""])
def test_nobody_acts_in_an_organization_that_is_not_there(house, organization_id):
    with house.refuses("organization_not_found"):
        house.run(lambda tx: Action(tx, Caller(organization_id, Actor("operator")), house.dialects))


def test_the_actor_and_the_request_are_on_every_event(house):
    def work(tx):
        caller = Caller(house.organization.id, Actor("key", "key_1"))
        with acting(tx, caller, house.dialects, "req_mine") as action:
            programs.create(action, {"name": "Spring"})
        return action.events

    [event] = house.run(work)
    assert (event.actor, event.cause.request_id) == (Actor("key", "key_1"), "req_mine")
    assert house.events()[0].actor == event.actor


def test_an_error_after_an_action_leaves_nothing_behind(house):
    def work(tx):
        with acting(tx, Caller(house.organization.id, Actor("operator")), house.dialects) as action:
            programs.create(action, {"name": "Spring"})
            affiliates.confirm(action, "aff_gone")

    with house.refuses("affiliate_not_found"):
        house.run(work)


def test_every_request_without_an_id_gets_one_of_its_own(house):
    house.act(programs.create, {"name": "A"})
    house.act(programs.create, {"name": "B"})
    requests = {event.cause.request_id for event in house.events()}
    assert len(requests) == 2
    assert all(request.startswith("req_") for request in requests)


def test_not_found_tells_the_kind_and_the_id(house):
    with pytest.raises(NotFound, match="There is no program prg_x in this organization"):
        house.act(programs.update, "prg_x", {})
