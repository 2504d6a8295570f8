"""The lines of an imported file as operations."""

import json

import pytest

from affwire.cli.lines import count, read_lines
from affwire.errors import Refused


@pytest.fixture
def lines(tmp_path):
    def read(name, text, kind="affiliates", by=None):
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return list(read_lines(file, kind, by))

    return read


def test_a_line_of_json_is_a_record_to_create(lines):
    [line] = lines("a.jsonl", '\n{"email": "a@b.test"}\n\n')
    assert line.number == 2
    assert line.operation == {"method": "POST", "path": "/v1/affiliates", "body": {"email": "a@b.test"}}


def test_by_an_own_id_it_is_put(lines):
    record = {"name": "A", "external_ids": {"crm": "a/b c"}}
    [line] = lines("a.jsonl", json.dumps(record), "programs", "crm")
    assert line.operation == {"method": "PUT", "path": "/v1/programs/ext:crm:a%2Fb%20c", "body": record}


def test_a_line_may_be_an_operation_of_its_own(lines):
    operation = {"method": "POST", "path": "/v1/affiliates/ext:crm:7/confirm"}
    assert lines("a.jsonl", json.dumps(operation), by="crm")[0].operation == operation


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("{", None),
        ("[]", None),
        (b"\xff\n", None),
        ("[" * 100_000, None),
        ('{"email": "a@b.test"}', "crm"),
        ('{"external_ids": {"crm": 7}}', "crm"),
        ('{"external_ids": "crm"}', "crm"),
    ],
)
def test_a_line_that_cannot_be_read_is_told(lines, text, by):
    [line] = lines("a.jsonl", text, by=by)
    assert line.operation is None
    assert line.problem


def test_cells_become_what_their_fields_are(lines):
    head = "email,sign_in_count,onboarding_completed,payments,external_ids.crm,city,confirmed_at"
    [line] = lines("a.csv", f"{head}\nk@b.test,3,yes,paypal; wise,7,,2026-01-01T00:00:00Z\n")
    assert line.operation["body"] == {
        "email": "k@b.test",
        "sign_in_count": 3,
        "onboarding_completed": True,
        "payments": ["paypal", "wise"],
        "external_ids": {"crm": "7"},
        "confirmed_at": "2026-01-01T00:00:00Z",
    }


def test_numbers_of_programs_are_numbers(lines):
    [line] = lines("a.CSV", '\ufeffname,commission_percent,payout_delay\n"A, B",12.5,30\n', "programs")
    assert line.operation["body"] == {"name": "A, B", "commission_percent": 12.5, "payout_delay": 30}


@pytest.mark.parametrize("row", ["perhaps,1", "true,1,2", "true,1,,"])
def test_a_row_that_does_not_fit_is_told_with_its_line(lines, row):
    first, second = lines("a.csv", f"onboarding_completed,city\nno,Bonn\n{row}\n")
    assert (first.problem, second.number) == (None, 3)
    assert second.problem


@pytest.mark.parametrize(("kind", "by"), [("affiliate", None), ("keys", None), ("groups", "crm")])
def test_what_cannot_be_imported_is_refused(lines, kind, by):
    with pytest.raises(Refused) as refusal:
        lines("a.jsonl", "{}", kind, by)
    assert refusal.value.code == "invalid_import"


@pytest.mark.parametrize(
    ("name", "text", "records"),
    [
        ("a.csv", "", 0),
        ("a.csv", "email\n", 0),
        ("a.csv", "email,note\na@b.c,x\n\nd@e.f,y\n", 2),
        ("a.csv", 'email,note\na@b.c,"two\nlines"', 1),
        ("a.jsonl", "", 0),
        ("a.jsonl", '{"a": 1}\n\n{"a": 2}', 2),
    ],
)
def test_the_head_line_is_not_counted_as_a_record(tmp_path, name, text, records):
    file = tmp_path / name
    file.write_text(text)
    assert count(file) == records
    assert len(list(read_lines(file, "affiliates", None))) == records
