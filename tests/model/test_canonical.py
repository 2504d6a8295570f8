"""The JSON that receivers and callers see: times as texts, our own bookkeeping left out, the owner's data untouched."""

import json
from typing import Any

import msgspec
import pytest

from affwire.model import canonical
from affwire.testing import events

RECORDS = [
    events.organization(),
    events.program(deleted_at=events.NOW),
    events.affiliate(confirmed_at=events.NOW, paypal_email_confirmed_at=events.NOW),
    events.membership(),
    events.group(),
    events.link(),
    events.promo_code(),
]


def walk(value: Any) -> list[tuple[str, Any]]:
    """Return every member of every object inside."""
    if isinstance(value, dict):
        return [pair for name, inner in value.items() for pair in [(name, inner), *walk(inner)]]
    return [pair for inner in value for pair in walk(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_shows_its_times_as_texts_and_nothing_internal(record):
    shown = canonical.record(record)
    assert canonical.INTERNAL.isdisjoint(shown)
    assert set(shown) >= set(record.__struct_fields__) - canonical.INTERNAL
    for name, value in shown.items():
        assert not name.endswith("_at") or value is None or value.endswith("Z"), name


def test_an_affiliate_is_shown_with_the_name_as_one_text():
    assert canonical.record(events.affiliate())["name"] == "Kim Berg"
    assert canonical.record(events.affiliate(first_name=None))["name"] == "Berg"
    assert canonical.record(events.affiliate(first_name=None, last_name=None))["name"] is None


def test_an_event_is_json_without_any_bookkeeping_or_number_for_a_time():
    view = events.view(group=events.group(), promo_codes=(events.promo_code(),))
    event = events.event("membership.updated", events.snapshot(view, links=(events.link(),)))
    shown = json.loads(msgspec.json.encode(canonical.event(event)))
    members = walk(shown["snapshot"])
    assert canonical.INTERNAL.isdisjoint(name for name, _ in members)
    assert all(isinstance(value, str | None) for name, value in members if name.endswith("_at"))
    assert shown["occurred_at"] == "2026-02-27T23:33:12.345Z"
    assert shown["snapshot"]["memberships"][0]["promo_codes"][0]["code"] == "CODE1"
    assert shown["snapshot"]["memberships"][0]["group"]["name"] == "Group 1"
    assert "status_before" not in shown["snapshot"]["memberships"][0]


def test_a_programs_snapshot_counts_its_affiliates():
    event = events.event(
        "program.updated", events.snapshot(affiliate=None, program=events.program(), program_affiliates=7)
    )
    assert canonical.event(event)["snapshot"]["program"]["affiliates"] == 7


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [
        ("created_at", 0, "1970-01-01T00:00:00.000Z"),
        ("deleted_at", None, None),
        ("created_at", "already text", "already text"),
        ("sign_in_count", 3, 3),
        ("at", 3, 3),
    ],
)
def test_only_what_is_named_a_time_becomes_one(name, content, shown):
    assert canonical.timed(name, content) == shown


def test_old_values_show_times_as_texts_also_one_level_down():
    shown = canonical.previous({"confirmed_at": 0, "affiliate": {"status": "pending", "confirmed_at": 0}, "city": None})
    assert shown == {
        "confirmed_at": "1970-01-01T00:00:00.000Z",
        "affiliate": {"status": "pending", "confirmed_at": "1970-01-01T00:00:00.000Z"},
        "city": None,
    }


@pytest.mark.parametrize("name", ["metadata", "external_ids"])
def test_the_owners_own_data_is_shown_as_the_owner_gave_it(name):
    own = {"visited_at": 12, "deep": {"seen_at": 13}}
    assert canonical.previous({name: own}) == {name: own}
    assert canonical.record(events.affiliate(**{name: own}))[name] == own
