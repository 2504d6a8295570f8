import pytest

from affwire.services import affiliates, coverage, lens, programs


@pytest.fixture
def event(house):
    program = house.act(programs.create, {"name": "Spring"})
    fields = {"email": "ada@example.com", "country": "SE"}
    house.act(affiliates.create, fields, program_id=program.id)
    return next(event for event in house.events() if event.type == "membership.activated")


def facts(house, event, *names):
    chosen = {name: house.dialects[name] for name in names or house.dialects}
    rendering = house.run(lambda tx: lens.seen(tx, house.organization.id, event.id, chosen))
    return {fact.field: fact for fact in coverage.of(rendering, chosen)}


def test_the_full_dialect_leaves_nothing_out(house, event):
    shown = facts(house, event)
    assert {fact.cells["standard"].state for fact in shown.values()} == {"kept"}
    assert shown["affiliate.email"].value == "ada@example.com"


def test_what_a_dialect_has_no_field_for_is_missing_and_what_it_coarsens_is_changed(house, event):
    shown = facts(house, event)
    assert shown["affiliate.email"].cells["growi"].state == "kept"
    assert shown["affiliate.country"].cells["growi"].state == "missing"
    changed = shown["membership.id"].cells["growi"]
    assert (changed.state, changed.became) == ("changed", str(event.own.membership.number))


def test_a_silent_dialect_has_no_column(house, event):
    assert {name for fact in facts(house, event).values() for name in fact.cells} == {
        "affonso",
        "growi",
        "standard",
        "tamio",
    }


def test_what_happened_comes_first_and_the_organization_last(house, event):
    kinds = [field.partition(".")[0] for field in facts(house, event)]
    assert kinds[0] == "event"
    assert kinds[-1] == "organization"


def test_without_the_full_dialect_there_is_nothing_to_hold_others_against(house, event):
    assert facts(house, event, "growi", "tamio") == {}
